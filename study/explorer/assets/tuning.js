// Tuning: losses and scores over the strength or the learning rate of each method, and what was chosen.

const TUNED = [
  { column: "validation_loss", title: "validation loss (nats)", factor: 1, digits: 4, error: "validation_se" },
  { column: "best_validation_accuracy", title: "validation accuracy, best epoch (%)", factor: 100, digits: 2 },
  { column: "test_accuracy", title: "test accuracy (%)", factor: 100, digits: 2 },
  { column: "best_test_accuracy", title: "test accuracy, best epoch (%)", factor: 100, digits: 2 },
  { column: "gap_accuracy", title: "accuracy gap (points)", factor: 100, digits: 2 },
];

const KINDS = { clip: "clips", regularization: "regularizers", pair: "pairs" };

// Candidates of a grid and trials of a random search in one form: {setting, kind, method, name, strength, lr, ...}.
function candidates(study) {
  const grid = (study.tables.tuning || []).map((row) => ({ ...row, source: row, strength: strengthOf(row), name: study.text(row.kind, row.label), told: study.method(row.kind, row.method), color: colorOf(study, row.kind, row.label) }));
  const trials = (study.tables.trials || []).map((row) => ({ ...row, source: row, setting: row.regime, ...kindOf(row), strength: lastNumber(row.strengths), name: study.cell(row), told: study.methods(row.clip_method, row.regularization_method), color: study.color(row), tried: true }));
  return [...grid, ...trials];
}

const colorOf = (study, kind, label) => (label === "none" ? null : (study.labels[kind][label] || {}).color);

const strengthOf = (row) => (Number.isFinite(row.strength) ? row.strength : Number((row.label.match(/[(=]([\d.e+-]+)[,)]/) || [])[1]));

const lastNumber = (text) => Number((text.match(/([\d.e+-]+)$/) || [])[1]);

function kindOf({ clip_method: clip, regularization_method: other }) {
  if (clip !== "none" && other !== "none") return { kind: "pair", method: `${clip} with ${other}` };
  return clip === "none" && other !== "none" ? { kind: "regularization", method: other } : { kind: "clip", method: clip };
}

function tuning(study, state) {
  const all = candidates(study);
  const settings = [...new Set(all.map((row) => row.setting))];
  const setting = settings.includes(state.setting) ? state.setting : settings[0];
  const here = all.filter((row) => row.setting === setting);
  const kinds = Object.keys(KINDS).filter((kind) => here.some((row) => row.kind === kind && row.method !== "none"));
  const kind = kinds.includes(state.kind) ? state.kind : kinds[0] || "clip";
  const words = (state.q || "").toLowerCase();
  const rows = here.filter((row) => row.kind === kind || (row.tried && row.method === "none"));
  const kept = rows.filter((row) => row.method === "none" || `${row.name} ${row.method}`.toLowerCase().includes(words));
  const tried = kept.some((row) => row.tried);
  const across = tried && state.over === "lr" ? "lr" : "strength";
  const plots = TUNED.filter(({ column }) => kept.some((row) => Number.isFinite(row[column]))).map((one, at) => tuningPlot(study, kept, one, at, across));
  const table = tuningTable(kept.filter((row) => row.label !== "none" || row.method === "none"), setting, state, tried);
  const over = tried && choice("over", "Over", [{ value: "strength", text: "strength" }, { value: "lr", text: "learning rate" }], across, (value) => go({ over: value }));
  return [
    h(
      "div",
      { class: "choices" },
      choice("setting", "Workload", settings.map((value) => ({ value, text: study.text("regime", value).replaceAll("_", " ") })), setting, (value) => go({ setting: value })),
      choice("kind", "Methods", kinds.map((value) => ({ value, text: KINDS[value] })), kind, (value) => go({ kind: value })),
      over,
      filterBox(state),
    ),
    h("p", { class: "note" }, tried ? "One point a trial, its learning rate and strength drawn together. A ring marks the trial that was chosen. The horizontal line is the baseline as its own trials chose it." : "Each method alone, at every strength that was tried. A ring marks the strength that validation chose; bars are one standard error of the tuning runs. The horizontal line is the baseline, tuned likewise."),
    h("div", { id: "drawn", class: "plots" }, plots),
    table.node,
    saving(fileName(study.name, "tuning", setting, kind), Object.keys(kept[0].source), table.sorted.map((row) => row.source), "drawn"),
  ];
}

// Of a grid a line per method, at the point of the other keys that it chose; of trials their points.
function tuningPlot(study, rows, { column, title, factor, error }, place, across) {
  const chosen = new Map(rows.filter((row) => row.chosen).map((row) => [row.method, row]));
  const base = chosen.get("none");
  const methods = [...new Set(rows.map((row) => row.method))].filter((one) => one !== "none" || across === "lr").slice(0, MOST_SERIES);
  const series = methods.map((method, at) => {
    const regime = (chosen.get(method) || {}).regime;
    const own = rows.filter((row) => row.method === method && row.regime === regime && row[across] > 0).sort((a, b) => a[across] - b[across]);
    const point = (row) => [row[across], factor * row[column]];
    return {
      label: method === "none" || !own.length ? study.labels.baseline : own[0].told,
      color: own.length ? own[0].color : null,
      dash: [undefined, "8 4", "4 2"][Math.floor(at / 6) % 3],
      dots: true,
      joined: !own.some((row) => row.tried),
      points: own.map(point),
      bars: error ? own.filter((row) => Number.isFinite(row[error] + row[column])).map((row) => [row[across], row[column] - row[error], row[column] + row[error]]) : [],
      chosen: own.filter((row) => row.chosen).map(point),
    };
  });
  const level = base && Number.isFinite(base[column]) ? { y: factor * base[column], label: "baseline" } : null;
  const yLog = column === "validation_loss" && spreads(series.flatMap((one) => one.points.map(([, y]) => y)));
  return plot({ id: `tuning-${place}`, title, x: { title: across === "lr" ? "learning rate" : "strength" }, y: { title }, xLog: true, yLog, series: series.filter((one) => one.points.length), level, part: true });
}

const spreads = (values) => {
  const known = values.filter((one) => Number.isFinite(one) && one > 0);
  return known.length > 1 && Math.max(...known) > 10 * Math.min(...known);
};

function tuningTable(rows, setting, state, tried) {
  const number = ({ column, title, factor, digits }) => ({ key: column, title, number: true, value: (row) => row[column], shown: (row) => printed(row[column], { factor, digits, symbol: "" }), hint: (row) => String(row[column]) });
  const columns = [
    { key: "name", title: "method", class: "method", head: true, value: (row) => row.name },
    tried ? number({ column: "lr", title: "learning rate", factor: 1, digits: null }) : { key: "regime", title: "workload", value: (row) => row.regime },
    ...TUNED.filter(({ column }) => rows.some((row) => row[column] !== undefined)).map(number),
    { key: "diverged", title: "diverged", number: true, value: (row) => row.diverged, shown: (row) => `${row.diverged} of ${row.n}` },
    { key: "chosen", title: "chosen", value: (row) => Number(row.chosen), shown: (row) => (row.chosen ? ["chosen", row.tried && row.edge].filter(Boolean).join("; ") : "") },
  ];
  return sortable("candidates", `${tried ? "Trials" : "Candidates"} of tuning, ${setting}`, columns, rows, state);
}
