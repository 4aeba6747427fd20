// Differences from the baseline paired by seed, with the intervals and p values of the study's tables; and two studies.

const FAMILIES = {
  clip: "clips alone",
  regularization: "regularizers alone",
  combination: "clip and regularizer",
  interaction: "interaction: distance from additivity",
};

function differences(study, state) {
  const regime = chosenRegime(study, state);
  const here = (study.tables.comparisons || []).filter((row) => row.regime === regime);
  const names = new Set(here.map((row) => row.metric));
  const usable = (one) => names.has(one.name);
  if (!names.size) return [h("div", { class: "choices" }, regimeChoice(study, state)), h("p", {}, "Nothing is compared in this workload.")];
  const metric = chosenMetric(study, state, usable);
  const families = Object.keys(FAMILIES).filter((one) => here.some((row) => row.family === one));
  const family = families.includes(state.family) ? state.family : families[0];
  const all = here.filter((row) => row.family === family && row.metric === metric.name);
  const rows = filtered(study, state, all).map((row) => ({ ...row, value: row.estimate, color: study.color(row), dots: family === "interaction" ? [] : paired(study, row, metric) }));
  const table = differenceTable(study, state, metric, rows, `${metric.title}, difference from the baseline, ${study.text("regime", regime)}`);
  const columns = ["regime", "family", "metric", "clip", "regularization", "baseline", "n", "n_undefined", "estimate", "sd", "low", "high", "p", "p_adjusted", "superiority", "method"];
  const choose = choice("family", "Compare", families.map((value) => ({ value, text: FAMILIES[value] })), family, (value) => go({ family: value }));
  return [
    h("div", { class: "choices" }, regimeChoice(study, state), choose, metricChoices(study, state, usable), methodChoices(study, state, all), filterBox(state)),
    h("p", { class: "note" }, `${metric.meaning} Large mark and bar: mean difference with its 95 % interval. Small marks: one difference a seed. p is adjusted by Holm's method within the family.`),
    table.node,
    saving(fileName(study.name, "differences", regime, family, metric.name), columns, table.sorted, "differences"),
  ];
}

// The difference of each seed that both have.
function paired(study, row, metric) {
  const base = new Map((study.byCell.get(cellKey({ ...row, clip: "none", regularization: "none" })) || []).map((run) => [run.seed, run]));
  const own = study.byCell.get(cellKey(row)) || [];
  return own.filter((run) => base.has(run.seed)).map((run) => run[metric.name] - base.get(run.seed)[metric.name]);
}

function differenceTable(study, state, metric, rows, caption) {
  const track = tracks(rows, { zero: true });
  const show = (value) => printed(value, metric.unit, { signed: true });
  const columns = [
    { key: "variant", title: "variant", class: "method", head: true, value: (row) => study.cell(row), shown: (row) => (row.workload ? `${row.workload}: ${study.cell(row)}` : variantLink(study, row)) },
    { key: "estimate", title: withUnit("difference", metric.unit, true), number: true, value: (row) => row.estimate, shown: (row) => show(row.estimate), hint: (row) => String(row.estimate) },
    { key: "interval", title: "95 % interval", number: true, shown: (row) => interval(row.low, row.high, metric.unit) },
    { key: "drawing", title: "drawn", shown: track },
    { key: "p", title: "adjusted p", number: true, value: (row) => row.p_adjusted, shown: (row) => pText(row.p_adjusted) },
    { key: "n", title: "pairs", number: true, value: (row) => row.n, shown: (row) => String(row.n), hint: (row) => row.method },
  ];
  return sortable("differences", caption, columns, rows, { ...state, sort: state.sort || "-estimate" });
}

// Two studies in one page: what the first has more than the second, cell by cell.
function twoStudies(study, state) {
  const names = new Set(explorer.differences.map((row) => row.metric));
  const usable = (one) => names.has(one.name);
  const only = explorer.only.map((one) => h("li", {}, `${one.cells.length} variants are in ${one.study} alone${one.cells.length ? `: ${one.cells.join("; ")}` : ""}.`));
  if (!names.size) return [h("p", {}, "The two studies have no variant in common."), h("ul", {}, only)];
  const metric = chosenMetric(study, state, usable);
  const all = explorer.differences.filter((row) => row.metric === metric.name);
  const rows = filtered(study, state, all).map((row) => ({ ...row, workload: study.text("regime", row.regime), value: row.estimate, color: study.color(row) }));
  const [first, second] = explorer.studies.map((one) => one.name);
  const table = differenceTable(study, state, metric, rows, `${metric.title}, ${first} minus ${second}, paired by seed`);
  const columns = ["regime", "clip", "regularization", "metric", "n", "n_undefined", "estimate", "sd", "low", "high", "p", "p_adjusted", "method"];
  return [
    h("div", { class: "choices" }, metricChoices(study, state, usable), methodChoices(study, state, all), filterBox(state)),
    table.node,
    saving(fileName(first, "minus", second, metric.name), columns, table.sorted, "differences"),
    h("ul", { class: "note" }, only),
  ];
}
