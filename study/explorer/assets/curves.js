// Learning curves by epoch and gradient norms by step: the median over seeds, and each seed.

const MOST_SERIES = 12;
const FEW = 4; // variants up to which each seed is drawn unless asked otherwise

// Variants of a workload that have a curve, those chosen; at most as many as a plot can tell apart.
function drawnCells(study, state, regime) {
  const seeds = chosenSeeds(study, state);
  const groups = [...study.byCell.values()].map((runs) => (seeds ? runs.filter((run) => seeds.has(run.seed)) : runs)).filter((runs) => runs.length && runs[0].regime === regime);
  const kept = new Set(filtered(study, state, groups.map((runs) => runs[0])));
  const wanted = groups.filter((runs) => kept.has(runs[0]));
  const narrowed = (state.clip || []).length || (state.reg || []).length || state.q;
  const first = narrowed ? wanted : [...wanted].sort((a, b) => bothAct(a[0]) - bothAct(b[0]));
  return { cells: first.slice(0, MOST_SERIES), of: wanted.length };
}

const bothAct = (row) => Number(row.clip !== "none" && row.regularization !== "none");

// Colours of the methods; where variants would share one, a dash tells them apart.
function looksOf(study, rows) {
  const seen = new Map();
  return rows.map((row) => {
    const color = study.color(row);
    const times = seen.get(color) || 0;
    seen.set(color, times + 1);
    return { color, dash: [undefined, "8 4", "12 3 3 3", "4 2"][times % 4] };
  });
}

// The median over runs at each x, of the runs that came that far.
function medianCurve(curves, runs, name) {
  const found = new Map();
  for (const run of runs)
    for (const [x, y] of curves.points(run, name)) {
      if (!found.has(x)) found.set(x, []);
      found.get(x).push(y);
    }
  return [...found].sort((a, b) => a[0] - b[0]).map(([x, values]) => [x, median(values)]);
}

function spreadBand(curves, runs, name) {
  if (!curves.columns[`${name}_min`]) return undefined;
  const found = new Map();
  for (const run of runs) {
    const [low, high] = [curves.of(run, `${name}_min`), curves.of(run, `${name}_max`)];
    curves.of(run, curves.x).forEach((x, at) => {
      const [a, b] = found.get(x) || [Infinity, -Infinity];
      found.set(x, [Math.min(a, low[at]), Math.max(b, high[at])]);
    });
  }
  return [...found].sort((a, b) => a[0] - b[0]).map(([x, [low, high]]) => [x, low, high]);
}

// What epochs are called in a workload: rounds, where clients are averaged.
const unitOf = (study, run) => (study.labels.regime[run.regime] || {}).unit || "epoch";

const scaled = (points, factor) => points.map(([x, ...ys]) => [x, ...ys.map((y) => y * factor)]);

// One plot of a column of curves for several variants.
function curvePlot(study, curves, name, cells, { id, yLog, each, after, height }) {
  const { title, unit } = curves.titles[name];
  const looks = looksOf(study, cells.map((runs) => runs[0]));
  const series = cells.flatMap((runs, at) => {
    const label = study.cell(runs[0]);
    const median = { ...looks[at], label, points: scaled(medianCurve(curves, runs, name), unit.factor), band: cells.length <= 3 && yLog ? spreadBand(curves, runs, name) : undefined };
    const seeds = each && runs.length > 1 ? runs.map((run) => ({ color: looks[at].color, width: 1, faint: true, quiet: true, points: scaled(curves.points(run, name), unit.factor) })) : [];
    const clipped = after && { color: looks[at].color, dash: "1.5 3", width: 1.5, label: `${label}, after the clip`, points: medianCurve(curves, runs, after) };
    return [...seeds, median, ...(clipped && runs[0].clip !== "none" ? [clipped] : [])];
  });
  return plot({ id, title, x: { title: curves.x === "epoch" ? unitOf(study, cells[0][0]) : "optimizer step", whole: true }, y: { title: withUnit(title, unit) }, yLog, series, height });
}

function curveView(study, state, table, first, { log, name: file, after }) {
  const curves = study.curves[table];
  const regime = chosenRegime(study, state);
  const column = curves.names.includes(state.curve) ? state.curve : curves.names.includes(first) ? first : curves.names[0];
  const yLog = state.log ? state.log === "yes" : log(column);
  const { cells, of } = drawnCells(study, state, regime);
  const each = state.each ? state.each === "yes" : cells.length <= FEW;
  const rows = study.runs.filter((run) => run.regime === regime);
  const options = curves.names.map((value) => ({ value, text: curves.titles[value].title }));
  const shown = curvePlot(study, curves, column, cells, { id: "curve", yLog, each, after: after(column), height: Math.min(440, innerHeight * 0.6) });
  const names = ["regime", "clip", "regularization", "seed", curves.x, column, ...["_min", "_max"].map((end) => column + end).filter((one) => curves.columns[one]), ...(after(column) ? [after(column)] : [])];
  const saved = cells.flat().flatMap((run) => curves.of(run, curves.x).map((x, at) => ({ ...run, [curves.x]: x, ...Object.fromEntries(names.slice(5).map((one) => [one, curves.of(run, one)[at]])) })));
  return [
    h(
      "div",
      { class: "choices" },
      regimeChoice(study, state),
      choice("curve-of", "Curve", options, column, (value) => go({ curve: value, log: null })),
      choice("log", "Axis", [{ value: "no", text: "linear" }, { value: "yes", text: "logarithmic" }], yLog ? "yes" : "no", (value) => go({ log: value })),
      choice("each", "Seeds drawn", [{ value: "yes", text: "median and each seed" }, { value: "no", text: "median alone" }], each ? "yes" : "no", (value) => go({ each: value })),
      methodChoices(study, state, rows),
      seedChoice(study, state),
      filterBox(state),
    ),
    h("p", { class: "note" }, curves.titles[column].meaning, curves.thinned ? " Neighbouring points are merged to keep this page small; extremes are kept where they are drawn." : "", ` To ${4} significant digits.`),
    of > cells.length && h("p", { class: "note" }, `${cells.length} of ${of} variants are drawn: choose others above.`),
    h("div", { id: "drawn" }, cells.length ? shown : h("p", {}, "No variant is left: choose fewer conditions.")),
    saving(fileName(study.name, file, regime, column), names, saved, "drawn"),
  ];
}

const learning = (study, state) => curveView(study, state, "epochs", "test_accuracy", { name: "learning", log: (one) => /norm|noise_scale|hessian/.test(one), after: () => null });

const norms = (study, state) => curveView(study, state, "steps", "norm_before", { name: "norms", log: (one) => /norm|ratio/.test(one), after: (one) => (one === "norm_before" && study.curves.steps.columns.norm_after ? "norm_after" : null) });
