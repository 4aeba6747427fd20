// Clips by regularizers in a workload, or variants by workloads: the mean of each, or its difference from the baseline.

const INK = { up: "var(--accent)", down: "var(--warm)" };

function heatmap(study, state) {
  const compared = new Set((study.tables.comparisons || []).map((row) => row.metric));
  const differs = state.show === "difference" && compared.size > 0;
  const usable = differs ? (one) => compared.has(one.name) : undefined;
  const metric = chosenMetric(study, state, usable);
  const seeds = differs ? null : chosenSeeds(study, state);
  const rowsOfRegime = (regime) => (differs ? differencesOf(study, regime, metric) : meansOf(study, regime, metric, seeds));
  const regime = chosenRegime(study, state);
  const across = state.by ? state.by === "workloads" : !rowsOfRegime(regime).some(bothAct);
  const all = across ? Object.keys(study.labels.regime).flatMap(rowsOfRegime) : rowsOfRegime(regime);
  const rows = filtered(study, state, all);
  const grid = across ? byWorkloads(study, rows) : byRegularizers(study, rows);
  const what = withUnit(differs ? `${metric.title}, difference from the baseline` : `mean ${metric.title}`, metric.unit, differs);
  const where = across ? "all workloads" : study.text("regime", regime);
  const caption = `${what}${metric.at === "best" ? ", best epoch" : ""}: ${where}; ✕ some runs diverged`;
  const shows = compared.size > 0 && choice("show", "Show", [{ value: "", text: "means" }, { value: "difference", text: "difference from baseline" }], differs ? "difference" : "", (value) => go({ show: value }));
  const by = choice("by", "Columns", [{ value: "regularizers", text: "regularizers" }, { value: "workloads", text: "workloads" }], across ? "workloads" : "regularizers", (value) => go({ by: value }));
  const names = ["regime", "clip", "regularization", "metric", differs ? "estimate" : "mean", "low", "high", "n"];
  const saved = rows.map((row) => ({ ...row, mean: row.value, estimate: row.value, metric: metric.name, n: row.seeds ?? row.n }));
  return [
    h("div", { class: "choices" }, by, !across && regimeChoice(study, state), metricChoices(study, state, usable), shows, methodChoices(study, state, all), !differs && seedChoice(study, state), filterBox(state)),
    !differs && meansNote(study, metric, seeds),
    heatTable(study, grid, rows, metric, caption, differs),
    saving(fileName(study.name, "heatmap", across ? "" : regime, metric.name, state.show), names, saved, "heat"),
  ];
}

const byRegularizers = (study, rows) => ({
  lines: present(study, rows, "clip"),
  columns: present(study, rows, "regularization"),
  key: (line, column) => JSON.stringify([line.value, column.value]),
  keyOf: (row) => JSON.stringify([row.clip, row.regularization]),
});

const byWorkloads = (study, rows) => ({
  lines: [...grouped(rows, variantKey)].map(([value, [row]]) => ({ value, text: study.cell(row) })),
  columns: present(study, rows, "regime"),
  key: (line, column) => JSON.stringify([line.value, column.value]),
  keyOf: (row) => JSON.stringify([variantKey(row), row.regime]),
});

const variantKey = (row) => JSON.stringify([row.clip, row.regularization]);

function present(study, rows, kind) {
  const there = new Set(rows.map((row) => row[kind]));
  return Object.keys(study.labels[kind]).filter((one) => there.has(one)).map((value) => ({ value, text: study.text(kind, value) }));
}

function heatTable(study, grid, rows, metric, caption, differs) {
  const found = new Map(rows.map((row) => [grid.keyOf(row), row]));
  const look = heatLook(rows.map((row) => row.value), differs);
  const cell = (line, column) => {
    const row = found.get(grid.key(line, column));
    return row ? h("td", { style: look(row.value) }, heatLink(study, row, metric, differs)) : h("td", {});
  };
  const head = h("tr", {}, h("td", {}), grid.columns.map((one) => h("th", { scope: "col" }, one.text)));
  const body = grid.lines.map((line) => h("tr", {}, h("th", { scope: "row" }, line.text), grid.columns.map((one) => cell(line, one))));
  const table = h("table", { id: "heat", class: "heat", onkeydown: arrowsInTable }, h("caption", {}, h("span", {}, caption)), h("thead", {}, head), h("tbody", {}, body));
  return h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": caption, id: "heat-scroll" }, table);
}

function heatLink(study, row, metric, differs) {
  const text = printed(row.value, metric.unit, { signed: differs });
  const lost = row.diverged ? `${row.diverged} of ${row.runs} diverged` : "";
  const told = [text, study.cell(row), study.text("regime", row.regime), interval(row.low, row.high, metric.unit), lost].filter(Boolean).join("; ");
  const shown = lost ? `${text} ✕` : text;
  return put(study.runs.length ? runsLink(row, shown) : h("span", { role: "img", tabindex: "0" }, shown), { title: told, "aria-label": told }, []);
}

// The comparisons of every variant with the baseline.
function differencesOf(study, regime, metric) {
  const wanted = (row) => row.regime === regime && row.metric === metric.name && row.family !== "interaction";
  return (study.tables.comparisons || []).filter(wanted).map((row) => {
    const runs = study.byCell.get(cellKey(row)) || [];
    return { ...row, value: row.estimate, runs: runs.length, diverged: runs.filter((run) => run.diverged).length };
  });
}

// One colour from the smallest to the largest mean; two for differences, centred at 0. Text stays readable on both.
function heatLook(values, centred) {
  const known = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const most = centred ? Math.max(Math.abs(low), Math.abs(high)) : high - low;
  return (value) => {
    if (!Number.isFinite(value) || !(most > 0)) return "";
    const share = centred ? Math.abs(value) / most : (value - low) / most;
    const color = centred && value < 0 ? INK.down : INK.up;
    return `background: color-mix(in srgb, ${color} ${Math.round(4 + 36 * share)}%, var(--surface))`;
  };
}
