// Every variant of a workload, the best mean first, with its interval as computed for the study's tables.

// The means of a metric, one a variant, with the intervals of the table `summary`; without one where it has none, and of
// some seeds alone, since an interval is that of all seeds.
function meansOf(study, regime, metric, seeds) {
  const rows = (study.tables.summary || []).filter((row) => row.regime === regime && row.metric === metric.name);
  if (rows.length && !seeds) return rows.map((row) => ({ ...row, value: row.mean, seeds: row.n }));
  const groups = [...study.byCell.values()].filter(([run]) => run.regime === regime);
  return groups.map((all) => {
    const runs = all.filter((run) => !seeds || seeds.has(run.seed));
    const values = runs.map((run) => run[metric.name]);
    const { clip, regularization } = all[0];
    const lost = runs.filter((run) => run.diverged).length;
    const known = values.filter(Number.isFinite).length;
    return { regime, clip, regularization, metric: metric.name, value: mean(values), seeds: known, runs: runs.length, diverged: lost };
  });
}

function meansNote(study, metric, seeds) {
  if (seeds) return h("p", { class: "note" }, `Means of ${seeds.size} chosen seeds. Intervals are those of all seeds and are left out.`);
  const known = (study.tables.summary || []).some((row) => row.metric === metric.name);
  return !known && h("p", { class: "note" }, "The study computes no interval of this metric.");
}

// To the runs of a variant; the text alone where a page holds no runs.
const variantLink = (study, row) => (study.runs.length ? runsLink(row, study.cell(row)) : study.cell(row));

const runsLink = (row, text) => h("a", { href: linkTo({ view: "runs", regime: [row.regime], clip: [row.clip], reg: [row.regularization], sort: null, q: null }) }, text);

function leaderboard(study, state) {
  if (study.tables.leaderboard && !(state.regime || []).length) return overall(study, state);
  const regime = chosenRegime(study, state);
  const metric = chosenMetric(study, state);
  const seeds = chosenSeeds(study, state);
  const all = meansOf(study, regime, metric, seeds);
  const rows = filtered(study, state, all).map((row) => ({ ...row, color: study.color(row) }));
  const better = metric.better ? (metric.better > 0 ? "higher is better" : "lower is better") : "";
  const track = tracks(rows);
  const columns = [
    { key: "variant", title: "variant", class: "method", head: true, value: (row) => study.cell(row), shown: (row) => variantLink(study, row) },
    { key: "mean", title: withUnit("mean", metric.unit), number: true, value: (row) => row.value, shown: (row) => printed(row.value, metric.unit), hint: (row) => String(row.value) },
    { key: "interval", title: "95 % interval", number: true, shown: (row) => interval(row.low, row.high, metric.unit) },
    { key: "drawing", title: "drawn", shown: track },
    { key: "seeds", title: "seeds", number: true, value: (row) => row.seeds, shown: (row) => String(row.seeds) },
    { key: "diverged", title: "diverged", number: true, value: (row) => row.diverged, shown: (row) => `${row.diverged} of ${row.runs}` },
  ];
  const first = metric.better < 0 ? "mean" : "-mean";
  const caption = `${metric.title}${metric.at === "best" ? " at the best epoch" : ""}, ${study.text("regime", regime)}${better && `: ${better}`}`;
  const table = sortable("leaders", caption, columns, rows, { ...state, sort: state.sort || first });
  const names = ["regime", "clip", "regularization", "metric", "mean", "low", "high", "n", "runs", "diverged"];
  return [
    h("div", { class: "choices" }, regimeChoice(study, state, study.tables.leaderboard && "all"), metricChoices(study, state), methodChoices(study, state, all), seedChoice(study, state), filterBox(state)),
    h("p", { class: "note" }, metric.meaning),
    meansNote(study, metric, seeds),
    table.node,
    saving(fileName(study.name, "leaderboard", regime, metric.name), names, table.sorted.map((row) => ({ ...row, mean: row.value, n: row.seeds })), "leaders"),
  ];
}

const VERDICTS = ["supported", "harm", "no gain found", "undecided", "not tested"];

// Methods over all workloads, each as its trials chose it, by the mean of its ranks.
function overall(study, state) {
  const name = (row) => study.methods(row.clip_method, row.regularization_method);
  const words = (state.q || "").toLowerCase();
  const rows = study.tables.leaderboard.filter((row) => name(row).includes(words)).map((row) => ({ ...row, value: row.mean_rank }));
  const metric = study.metric(rows.length ? rows[0].metric : study.primary.name) || study.metrics[0];
  const plain = { factor: 1, digits: 2, symbol: "" };
  const count = (key) => ({ key: key.replaceAll(" ", "-"), title: key, number: true, value: (row) => row[key], shown: (row) => String(row[key]) });
  const columns = [
    { key: "method", title: "method", class: "method", head: true, value: name },
    { key: "rank", title: "mean rank", number: true, value: (row) => row.mean_rank, shown: (row) => printed(row.mean_rank, plain) },
    { key: "interval", title: "95 % interval", number: true, shown: (row) => interval(row.low, row.high, plain) },
    { key: "drawing", title: "drawn", shown: tracks(rows) },
    { key: "gain", title: withUnit("mean gain", metric.unit, true), number: true, value: (row) => row.gain, shown: (row) => printed(row.gain, metric.unit, { signed: true }) },
    ...VERDICTS.map(count),
    count("workloads"),
  ];
  const table = sortable("leaders", `Mean rank by ${metric.title}${metric.at === "best" ? " at the best epoch" : ""} over all workloads, from 0, the best place, to 1, the last`, columns, rows, { ...state, sort: state.sort || "rank" });
  return [
    h("div", { class: "choices" }, regimeChoice(study, state, "all"), filterBox(state)),
    h("p", { class: "note" }, "Each method as its trials chose it. The counts say in how many workloads it gains or loses more than what matters."),
    table.node,
    saving(fileName(study.name, "leaderboard"), Object.keys(study.tables.leaderboard[0]), table.sorted, "leaders"),
  ];
}
