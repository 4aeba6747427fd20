// Elements of the page, and the table that most views are.

const SVG = "http://www.w3.org/2000/svg";

function put(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") node.style.cssText = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(3)) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

const h = (name, attributes, ...children) => put(document.createElement(name), attributes, children);
const s = (name, attributes, ...children) => put(document.createElementNS(SVG, name), attributes, children);

const say = (text) => {
  document.getElementById("said").textContent = text;
};

const MOST_ROWS = 400;

// A table whose columns are {key, title, value(row), shown(row), number, sort, row}: sorted by the state's `sort`, "-" for
// descending; `head` is the column that names its row.
function sortable(id, caption, columns, rows, state) {
  const descending = (state.sort || "").startsWith("-");
  const by = columns.find((one) => one.key === (state.sort || "").replace("-", ""));
  const sorted = by ? sortedBy(rows, by.value, descending) : rows;
  const shown = state.all ? sorted : sorted.slice(0, MOST_ROWS);
  const head = h("tr", {}, columns.map((one) => headCell(id, one, by, descending)));
  const body = shown.map((row) => h("tr", {}, columns.map((one) => bodyCell(one, row))));
  const more = sorted.length > shown.length && h("button", { id: `${id}-all`, onclick: () => go({ all: "1" }) }, `Show all ${sorted.length} rows`);
  const table = h("table", { id, onkeydown: arrowsInTable }, h("caption", {}, h("span", {}, caption)), h("thead", {}, head), h("tbody", {}, body));
  return { node: [h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": caption, id: `${id}-scroll` }, table), more], sorted };
}

function sortedBy(rows, value, descending) {
  const rank = (one) => (one === undefined || Number.isNaN(one) ? null : one);
  return [...rows].sort((a, b) => {
    const [x, y] = [rank(value(a)), rank(value(b))];
    if (x === null || y === null) return (x === null) - (y === null);
    const order = x < y ? -1 : x > y ? 1 : 0;
    return descending ? -order : order;
  });
}

function headCell(id, one, by, descending) {
  const order = one === by ? (descending ? "descending" : "ascending") : "none";
  const attributes = { scope: "col", class: one.number ? "number" : one.class };
  if (!one.value) return h("th", attributes, one.title);
  const next = order === "ascending" || (order === "none" && one.number) ? `-${one.key}` : one.key;
  const button = h("button", { id: `${id}-${one.key}`, title: one.meaning, onclick: () => go({ sort: next }, true) }, one.title);
  return h("th", { ...attributes, "aria-sort": order }, button);
}

function bodyCell(one, row) {
  const shown = one.shown ? one.shown(row) : String(one.value(row));
  return h(one.head ? "th" : "td", { scope: one.head && "row", class: one.number ? "number" : one.class, title: one.hint && one.hint(row) }, shown);
}

// Up and down move between the links of a column, left and right between those of a row.
function arrowsInTable(event) {
  const cell = event.target.closest("td, th");
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!cell || !step) return;
  let [row, column] = [cell.parentElement, cell.cellIndex];
  const rows = [...event.currentTarget.rows];
  for (let at = rows.indexOf(row), tried = 0; tried < 1000; tried += 1) {
    at += step[0];
    column += step[1];
    const target = rows[at] && rows[at].cells[column];
    if (!target) return;
    const link = target.querySelector("a, button");
    if (link) {
      event.preventDefault();
      link.focus();
      return;
    }
  }
}
