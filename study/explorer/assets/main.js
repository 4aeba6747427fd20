// The page: its views, the keys that move between them, and what is shown when the address changes.

const explorer = { studies: [], differences: [], only: [] };

const VIEWS = [
  { key: "leaderboard", title: "Leaderboard", draw: leaderboard, there: (study) => study.runs.length + (study.tables.summary || []).length },
  { key: "heatmap", title: "Heat map", draw: heatmap, there: (study) => study.runs.length + (study.tables.summary || []).length },
  { key: "differences", title: "Paired differences", draw: differences, there: (study) => (study.tables.comparisons || []).length },
  { key: "learning", title: "Learning curves", draw: learning, there: (study) => study.curves.epochs },
  { key: "norms", title: "Gradient norms", draw: norms, there: (study) => study.curves.steps },
  { key: "tuning", title: "Tuning", draw: tuning, there: (study) => (study.tables.tuning || study.tables.trials || []).length },
  { key: "runs", title: "Runs", draw: runs, there: (study) => study.runs.length },
  { key: "studies", title: "Two studies", draw: twoStudies, there: () => explorer.studies.length > 1 },
  { key: "run", title: "Run", draw: runPage, there: () => false },
];

const shownStudy = (state) => explorer.studies.find((one) => one.name === state.study) || explorer.studies[0];

function shownView(state, study) {
  const wanted = VIEWS.find((one) => one.key === state.view);
  if (wanted && (wanted.there(study) || wanted.key === "run")) return wanted;
  return VIEWS.find((one) => one.there(study)) || VIEWS[VIEWS.length - 1];
}

// What a view needs that another would misread is left behind: words of the filter, order, one run.
const leaving = { q: null, sort: null, all: null, run: null, curve: null, log: null };

function navigation(state, study, current) {
  const link = (view) => h("a", { id: `view-${view.key}`, href: linkTo({ ...leaving, view: view.key }, state), "aria-current": view === current && "page" }, view.title);
  document.getElementById("views").replaceChildren(...VIEWS.filter((one) => one.there(study)).map((one) => h("li", {}, link(one))));
}

function render() {
  const state = readState();
  const study = shownStudy(state);
  const view = shownView(state, study);
  const focused = document.activeElement && document.activeElement.id;
  const typed = focused === "filter" ? document.activeElement.selectionStart : null;
  document.getElementById("about").textContent = study.about;
  navigation(state, study, view.key === "run" ? VIEWS.find((one) => one.key === "runs") : view);
  const which = explorer.studies.length > 1 && view.key !== "studies" && h("div", { class: "choices" }, choice("study", "Study", explorer.studies.map((one) => ({ value: one.name, text: one.name })), study.name, (value) => go({ study: value, run: null, view: view.key === "run" ? "runs" : view.key })));
  const title = view.key !== "run" && h("h2", {}, view.title);
  document.getElementById("main").replaceChildren(...[title, which, ...view.draw(study, state)].flat(3).filter((one) => one));
  const again = focused && document.getElementById(focused);
  if (again) again.focus({ preventScroll: true });
  if (again && typed !== null) again.setSelectionRange(typed, typed);
  document.title = `${view.title}: ${explorer.studies.map((one) => one.name).join(" and ")}`;
  drawnAt = innerWidth;
}

// Left and right move between views; Escape goes from a run back to the list.
document.getElementById("views").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const links = [...event.currentTarget.querySelectorAll("a")];
  const next = links[(links.indexOf(document.activeElement) + step + links.length) % links.length];
  event.preventDefault();
  next.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (readState().view === "run") go({ view: "runs", run: null });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (link && link.id === "skip") {
    event.preventDefault();
    document.getElementById("main").focus();
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

let drawnAt = 0;
let resizing;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => drawnAt !== innerWidth && render(), 150);
});
// Also for a step back; `go` shows its own change.
addEventListener("hashchange", () => {
  render();
  say(document.title);
});

const given = await unpack();
explorer.studies = given.studies.map((one) => new Study(one));
explorer.encoded = (study) => given.studies[explorer.studies.indexOf(study)];
explorer.differences = rowsOf(given.differences);
explorer.only = given.only;
render();
document.body.dataset.ready = "yes";
