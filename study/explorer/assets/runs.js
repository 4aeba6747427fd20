// Every run, to find one.

const runLink = (run, text) => h("a", { href: linkTo({ view: "run", run: run.digest, q: null, sort: null }) }, text);

function runs(study, state) {
  const metric = chosenMetric(study, state);
  const seeds = chosenSeeds(study, state);
  const regime = chosenRegime(study, state);
  const here = study.runs.filter((run) => run.regime === regime && (!seeds || seeds.has(run.seed)));
  const rows = filtered(study, state, here);
  const number = (one) => ({ key: one.name, title: withUnit(one.title + (one.at === "best" ? ", best epoch" : ""), one.unit), meaning: one.meaning, number: true, value: (run) => run[one.name], shown: (run) => printed(run[one.name], one.unit), hint: (run) => String(run[one.name]) });
  const shown = [...new Set([metric.name, "gap_accuracy", "clip_rate", "norm_max"])].map((name) => study.metric(name)).filter(Boolean);
  const columns = [
    { key: "variant", title: "variant", class: "method", head: true, value: (run) => study.cell(run), shown: (run) => runLink(run, study.cell(run)) },
    { key: "seed", title: "seed", number: true, value: (run) => run.seed, shown: (run) => runLink(run, String(run.seed)) },
    { key: "status", title: "ended", value: (run) => run.status, shown: (run) => ended(run) },
    ...shown.map(number),
  ];
  const table = sortable("runs", `${rows.length} runs, ${study.text("regime", regime)}`, columns, rows, state);
  return [
    h("div", { class: "choices" }, regimeChoice(study, state), metricChoices(study, state), methodChoices(study, state, here), seedChoice(study, state), filterBox(state)),
    table.node,
    saving(fileName(study.name, "runs", regime), runColumns(study), table.sorted),
  ];
}

const ended = (run) => (run.status === "ok" ? "well" : [run.status, run.cause].filter(Boolean).join(": "));

// All columns of the table of runs.
const runColumns = (study) => Object.keys(explorer.encoded(study).tables.runs.columns);
