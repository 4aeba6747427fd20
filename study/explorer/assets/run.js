// A page for one run: how it ended, its curves, its gradient norms and clips, and where its numbers come from.

function runPage(study, state) {
  const run = study.runs.find((one) => one.digest.startsWith(state.run || "?") || (state.run || "").startsWith(one.digest));
  if (!run) return [h("p", {}, "There is no such run in this study: choose one among ", h("a", { href: linkTo({ view: "runs", run: null }) }, "all runs"), ".")];
  const siblings = study.byCell.get(cellKey(run));
  const place = siblings.indexOf(run);
  const near = (step, text) => siblings[place + step] && h("a", { href: linkTo({ run: siblings[place + step].digest }) }, `${text}: seed ${siblings[place + step].seed}`);
  return [
    h("h2", {}, `${study.cell(run)}, seed ${run.seed}`),
    h("p", {}, `${study.text("regime", run.regime)}. ${regimeAbout(study, run.regime)}`),
    h("p", {}, `Ended ${ended(run)}${Number.isFinite(run.diverged_step) ? `, at step ${run.diverged_step}` : ""}.`),
    h("p", {}, runsLink(run, "All seeds of this variant"), " ", near(-1, "Before"), " ", near(1, "Next")),
    h("div", { id: "drawn", class: "plots" }, runPlots(study, run)),
    saving(fileName(study.name, "run", run.digest), runColumns(study), [run], "drawn"),
    h("div", { class: "facts" }, scoreTable(study, run), factTable("Key", keyFacts(study, run)), origin(study, run)),
  ];
}

const regimeAbout = (study, regime) => (study.labels.regime[regime] || {}).about || "";

const PART_COLORS = { train: "#0072B2", validation: "#009E73", test: "#D55E00" };
const PART_NAMES = { train: "training", validation: "validation", test: "test" };

function runPlots(study, run) {
  const { epochs, steps } = study.curves;
  const single = (curves, name, color, label, dash, factor = 1) => ({ color, label, dash, points: scaled(curves.points(run, name), factor) });
  const scores = (what, factor) => Object.keys(PART_COLORS).filter((part) => epochs.columns[`${part}_${what}`]).map((part) => single(epochs, `${part}_${what}`, PART_COLORS[part], PART_NAMES[part], undefined, factor));
  const x = { title: "optimizer step", whole: true };
  const plots = [];
  if (epochs) {
    plots.push(plot({ id: "run-loss", title: "Loss", x: { title: unitOf(study, run), whole: true }, y: { title: "cross-entropy (nats)" }, series: scores("loss", 1), part: true }));
    plots.push(plot({ id: "run-accuracy", title: "Accuracy", x: { title: unitOf(study, run), whole: true }, y: { title: "accuracy (%)" }, series: scores("accuracy", 100), part: true }));
  }
  if (steps && steps.columns.norm_before) {
    const before = { ...single(steps, "norm_before", "#0072B2", "before the clip"), band: spreadBand(steps, [run], "norm_before") };
    const after = steps.columns.norm_after ? [single(steps, "norm_after", "#D55E00", "after the clip", "1.5 3")] : [];
    plots.push(plot({ id: "run-norm", title: "Gradient norm", x, y: { title: "gradient norm" }, yLog: true, series: [before, ...after], part: true }));
  }
  if (steps && steps.columns.fired) plots.push(plot({ id: "run-clip", title: "Clip rate", x, y: { title: "steps clipped (%)", range: [0, 102] }, series: [single(steps, "fired", "#0072B2", "steps clipped", undefined, 100)], part: true }));
  const others = steps ? steps.names.filter((one) => !["norm_before", "norm_after", "fired"].includes(one)) : [];
  for (const name of others) {
    const { title, unit } = steps.titles[name];
    plots.push(plot({ id: `run-${name}`, title: title[0].toUpperCase() + title.slice(1), x, y: { title: withUnit(title, unit) }, yLog: name === "update_ratio", series: [single(steps, name, "#0072B2", title, undefined, unit.factor)], part: true }));
  }
  return plots;
}

function scoreTable(study, run) {
  const bases = [...new Set(study.metrics.map((one) => one.base))].filter((base) => base !== "diverged");
  const value = (metric) => (metric && run[metric.name] !== undefined ? h("td", { class: "number", title: String(run[metric.name]) }, printed(run[metric.name], metric.unit, { symbol: true })) : h("td", {}));
  const rows = bases.map((base) => h("tr", {}, h("th", { scope: "row" }, study.metricAt(base, "last").title), ["last", "best"].map((at) => value(study.metrics.find((one) => one.base === base && one.at === at)))));
  const head = h("tr", {}, h("td", {}), ["last epoch", "best epoch"].map((one) => h("th", { scope: "col", class: "number" }, one)));
  return h("table", { id: "scores" }, h("caption", {}, "Scores and statistics"), h("thead", {}, head), h("tbody", {}, rows));
}

const factTable = (caption, facts) => h("table", {}, h("caption", {}, caption), h("tbody", {}, facts.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value)))));

function keyFacts(study, run) {
  const keys = ["regime", "clip", "regularization", "seed", "digest"].map((name) => [name, h("code", {}, String(run[name]))]);
  return [["study", h("code", {}, study.name)], ...keys];
}

const ORIGINS = { commit: "commit", dirty: "edited files", source: "code", packages: "packages", machine: "machine", settings: "settings" };

function origin(study, run) {
  const facts = study.origins && study.origins.facts[study.origins.of[run.at]];
  if (!facts) return h("p", { class: "note" }, "Where this run comes from is not recorded in this page: see the study's provenance.csv.");
  const told = { ...facts, dirty: facts.dirty === "True" ? "yes: the code differed from the commit" : "none" };
  return factTable("Provenance", Object.entries(ORIGINS).map(([key, name]) => [name, told[key].split("; ").map((part, at) => [at > 0 && h("br"), part])]));
}
