// The choices above a view, and the rows that they leave.

const label = (text, control) => h("label", {}, text, control);

function choice(id, text, options, chosen, change) {
  const select = h("select", { id, onchange: (event) => change(event.target.value) }, options.map((one) => h("option", { value: one.value, selected: one.value === chosen }, one.text)));
  return label(text, select);
}

// Several of a list, in a menu of boxes; none chosen means all.
function several(id, text, options, chosen, key) {
  const boxes = options.map((one, at) => {
    const box = h("input", { type: "checkbox", id: `${id}-${at}`, checked: chosen.includes(one.value), onchange: (event) => go({ [key]: toggled(chosen, one.value, event.target.checked) }, true) });
    return h("label", {}, box, one.color !== undefined && h("span", { class: one.color ? "swatch" : "swatch plain", style: one.color && `--c:${one.color}` }), one.text);
  });
  const clear = chosen.length > 0 && h("button", { id: `${id}-clear`, onclick: () => go({ [key]: [] }, true) }, "All");
  const count = chosen.length ? `${chosen.length} of ${options.length}` : "all";
  return h("details", { class: "menu", id: `${id}-menu`, open: menus.has(`${id}-menu`), ontoggle: remember, onkeydown: inMenu }, h("summary", { id }, `${text}: ${count}`), h("div", { role: "group", "aria-label": text }, clear, boxes));
}

const menus = new Set();

const remember = (event) => (event.target.open ? menus.add(event.target.id) : menus.delete(event.target.id));

const toggled = (chosen, value, on) => (on ? [...chosen, value] : chosen.filter((one) => one !== value));

function inMenu(event) {
  const menu = event.currentTarget;
  if (event.key === "Escape" && menu.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const stops = [...menu.querySelectorAll("summary, input, button")];
  const next = stops[stops.indexOf(document.activeElement) + step];
  if (next && menu.open) next.focus();
  event.preventDefault();
}

const chosenRegime = (study, state) => {
  const names = Object.keys(study.labels.regime);
  return names.includes((state.regime || [])[0]) ? state.regime[0] : names[0];
};

// `all` is the name of a choice before those of single workloads.
function regimeChoice(study, state, all) {
  const options = Object.entries(study.labels.regime).map(([value, one]) => ({ value, text: one.text }));
  const chosen = all && !(state.regime || []).length ? "" : chosenRegime(study, state);
  return choice("regime", "Workload", all ? [{ value: "", text: all }, ...options] : options, chosen, (value) => go({ regime: value ? [value] : [], sort: null }));
}

function methodChoices(study, state, rows) {
  const made = (id, text, kind, key) => {
    const there = new Set(rows.map((row) => row[kind]));
    const options = Object.entries(study.labels[kind]).filter(([value]) => there.has(value)).map(([value, one]) => ({ value, text: one.text, color: value === "none" ? null : one.color }));
    return several(id, text, options, state[key] || [], key);
  };
  return [made("clips", "Clips", "clip", "clip"), made("regularizers", "Regularizers", "regularization", "reg")];
}

const seedChoice = (study, state) =>
  study.seeds.length > 1 && several("seeds", "Seeds", study.seeds.map((seed) => ({ value: String(seed), text: `seed ${seed}` })), state.seed || [], "seed");

// The metric by its name at the last epoch, and which epoch is looked at.
function metricChoices(study, state, usable = () => true) {
  const metric = chosenMetric(study, state, usable);
  const bases = [...new Map(study.metrics.filter(usable).map((one) => [one.base, one])).keys()];
  const options = bases.map((base) => ({ value: base, text: study.metricAt(base, "last").title }));
  const epochs = study.metrics.filter((one) => one.base === metric.base && usable(one));
  const at = epochs.length > 1 && choice("at", "Epoch", [{ value: "last", text: "last" }, { value: "best", text: "best on validation" }], metric.at, (value) => go({ at: value }));
  return [choice("metric", "Metric", options, metric.base, (value) => go({ metric: value, sort: null })), at];
}

function chosenMetric(study, state, usable = () => true) {
  const known = study.metrics.filter(usable);
  const base = [state.metric, study.primary.base].find((name) => known.some((one) => one.base === name)) || known[0].base;
  const at = state.at || study.primary.at;
  return known.find((one) => one.base === base && one.at === at) || known.find((one) => one.base === base);
}

let typing;

function filterBox(state) {
  const type = (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => go({ q: event.target.value }, true), 200);
  };
  return label("Filter", h("input", { type: "search", id: "filter", value: state.q || "", oninput: type, placeholder: "words of a name" }));
}

// Rows that the choices of clips and regularizers and the words of the filter leave.
function filtered(study, state, rows) {
  const words = (state.q || "").toLowerCase().split(/\s+/).filter(Boolean);
  const within = (key, value) => !(state[key] || []).length || state[key].includes(value);
  return rows.filter((row) => {
    const text = `${study.cell(row)} ${row.clip} ${row.regularization} ${row.status || ""}`.toLowerCase();
    return within("clip", row.clip) && within("reg", row.regularization) && words.every((word) => text.includes(word));
  });
}

const chosenSeeds = (study, state) => {
  const chosen = study.seeds.filter((seed) => (state.seed || []).includes(String(seed)));
  return chosen.length && chosen.length < study.seeds.length ? new Set(chosen) : null;
};
