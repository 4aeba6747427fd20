// What is shown, kept in the fragment of the address: a link opens the same view.

const LISTS = new Set(["clip", "reg", "seed", "regime"]);

function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = {};
  for (const key of new Set(given.keys())) state[key] = LISTS.has(key) ? given.getAll(key) : given.get(key);
  return state;
}

function linkTo(change, state = readState()) {
  const next = { ...state, ...change };
  const fragment = new URLSearchParams();
  for (const [key, value] of Object.entries(next)) {
    if (value === undefined || value === null || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) fragment.append(key, one);
  }
  return `#${fragment}`;
}

// Show something else; `replace` leaves no step to go back to.
function go(change, replace = false) {
  const target = linkTo(change);
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  render();
}
