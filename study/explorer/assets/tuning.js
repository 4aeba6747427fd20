// Tuning: validation loss and test scores over the strength of each method, and which strength was chosen.

const TUNED = [
  { column: "validation_loss", title: "validation loss (nats)", factor: 1, error: "validation_se" },
  { column: "test_accuracy", title: "test accuracy (%)", factor: 100 },
  { column: "gap_accuracy", title: "accuracy gap (points)", factor: 100 },
];

const strengthOf = (row) => (Number.isFinite(row.strength) ? row.strength : Number((row.label.match(/[(=]([\d.e+-]+)[,)]/) || [])[1]));

function tuning(study, state) {
  const all = study.tables.tuning || [];
  const settings = [...new Set(all.map((row) => row.setting))];
  const setting = settings.includes(state.setting) ? state.setting : settings[0];
  const kinds = [...new Set(all.filter((row) => row.setting === setting).map((row) => row.kind))];
  const kind = kinds.includes(state.kind) ? state.kind : kinds[0];
  const words = (state.q || "").toLowerCase();
  const rows = all.filter((row) => row.setting === setting && row.kind === kind).map((row) => ({ ...row, name: study.text(kind, row.label), workload: study.text("regime", row.regime) }));
  const kept = rows.filter((row) => `${row.name} ${row.method}`.toLowerCase().includes(words) || row.method === "none");
  const plots = TUNED.filter((one) => kept.some((row) => Number.isFinite(row[one.column]))).map((one, at) => tuningPlot(study, kind, kept, one, at));
  const table = tuningTable(kept.filter((row) => row.label !== "none" || row.method === "none"), setting, state);
  const names = Object.keys(all[0]);
  return [
    h(
      "div",
      { class: "choices" },
      choice("setting", "Workload", settings.map((value) => ({ value, text: study.text("regime", value).replaceAll("_", " ") })), setting, (value) => go({ setting: value })),
      choice("kind", "Methods", kinds.map((value) => ({ value, text: value === "clip" ? "clips" : "regularizers" })), kind, (value) => go({ kind: value })),
      filterBox(state),
    ),
    h("p", { class: "note" }, "Each method alone, at every strength that was tried. A ring marks the strength that validation loss chose; bars are one standard error of the tuning runs. The horizontal line is the baseline, tuned likewise."),
    h("div", { id: "drawn", class: "plots" }, plots),
    table.node,
    saving(fileName(study.name, "tuning", setting, kind), names, table.sorted, "drawn"),
  ];
}

// A line per method over the strengths tried at the point of the other keys that it chose.
function tuningPlot(study, kind, rows, { column, title, factor, error }, place) {
  const chosen = new Map(rows.filter((row) => row.chosen).map((row) => [row.method, row]));
  const base = chosen.get("none");
  const methods = [...new Set(rows.map((row) => row.method))].filter((one) => one !== "none").slice(0, MOST_SERIES);
  const series = methods.map((method, at) => {
    const regime = (chosen.get(method) || {}).regime;
    const own = rows.filter((row) => row.method === method && row.regime === regime && strengthOf(row) > 0).sort((a, b) => strengthOf(a) - strengthOf(b));
    const point = (row) => [strengthOf(row), factor * row[column]];
    return {
      label: method.replaceAll("_", " "),
      color: own.length ? study.labels[kind][own[0].label].color : null,
      dash: [undefined, "6 3", "2 3"][Math.floor(at / 6) % 3],
      dots: true,
      joined: true,
      points: own.map(point),
      bars: error ? own.filter((row) => Number.isFinite(row[error] + row[column])).map((row) => [strengthOf(row), row[column] - row[error], row[column] + row[error]]) : [],
      chosen: own.filter((row) => row.chosen).map(point),
    };
  });
  const level = base && Number.isFinite(base[column]) ? { y: factor * base[column], label: study.labels.baseline } : null;
  const yLog = column === "validation_loss" && spreads(series.flatMap((one) => one.points.map(([, y]) => y)));
  return plot({ id: `tuning-${place}`, title, x: { title: "strength" }, y: { title }, xLog: true, yLog, series: series.filter((one) => one.points.length), level, part: true });
}

const spreads = (values) => {
  const known = values.filter((one) => Number.isFinite(one) && one > 0);
  return known.length > 1 && Math.max(...known) > 10 * Math.min(...known);
};

function tuningTable(rows, setting, state) {
  const number = (key, title, factor, digits) => ({ key, title, number: true, value: (row) => row[key], shown: (row) => printed(row[key], { factor, digits, symbol: "" }), hint: (row) => String(row[key]) });
  const columns = [
    { key: "name", title: "method", class: "method", head: true, value: (row) => row.name },
    { key: "workload", title: "workload", value: (row) => row.workload },
    number("validation_loss", "validation loss (nats)", 1, 4),
    number("validation_se", "standard error", 1, 4),
    number("test_accuracy", "test accuracy (%)", 100, 2),
    number("gap_accuracy", "accuracy gap (points)", 100, 2),
    { key: "diverged", title: "diverged", number: true, value: (row) => row.diverged, shown: (row) => `${row.diverged} of ${row.n}` },
    { key: "chosen", title: "chosen", value: (row) => Number(row.chosen), shown: (row) => (row.chosen ? "chosen" : "") },
  ];
  return sortable("candidates", `Candidates of tuning, ${setting}`, columns, rows, state);
}
