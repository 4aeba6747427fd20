// Tables that scroll and sort, figures that enlarge, and a table of contents that says where one is. Without it the page reads as well.
"use strict";

const SHORT = 28; // characters of a cell that is not to be broken

function number(text) {
  const found = text.replace(/−/g, "-").replace(/,/g, "").match(/^\s*[<>≤≥±]?\s*([+-]?\d*\.?\d+(?:e[+-]?\d+)?)/i);
  return found ? Number(found[1]) : null;
}

function compare(a, b) {
  const [x, y] = [number(a), number(b)];
  if (x !== null && y !== null) return x - y;
  if (x !== null || y !== null) return x === null ? 1 : -1;
  return a.localeCompare(b);
}

function sort(table, column, heading) {
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows];
  const text = (row) => row.cells[column]?.textContent.trim() ?? "";
  rows.sort((a, b) => (down ? -1 : 1) * compare(text(a), text(b)));
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("table")) {
  const around = document.createElement("div");
  around.className = "scroll";
  table.replaceWith(around);
  around.append(table);
  if (around.scrollWidth > around.clientWidth) {
    around.tabIndex = 0;
    around.setAttribute("role", "region");
    around.setAttribute("aria-label", "A wide table");
  }
  for (const cell of table.querySelectorAll("td")) if (cell.textContent.length <= SHORT) cell.classList.add("short");
  if (!table.tHead || table.tBodies[0]?.rows.length < 3) continue;
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    button.title = "Sort by this column";
    button.addEventListener("click", () => sort(table, column, heading));
    heading.append(button);
  });
}

const dialog = document.createElement("dialog");
dialog.setAttribute("aria-label", "Enlarged figure");
dialog.addEventListener("click", () => dialog.close());
document.body.append(dialog);
for (const image of document.querySelectorAll("figure img")) {
  const enlarge = () => {
    dialog.replaceChildren(image.cloneNode());
    dialog.firstChild.removeAttribute("tabindex");
    dialog.firstChild.removeAttribute("role");
    dialog.showModal();
  };
  image.tabIndex = 0;
  image.setAttribute("role", "button");
  image.addEventListener("click", enlarge);
  image.addEventListener("keydown", (event) => {
    if (event.key === "Enter") enlarge();
  });
}

const entries = new Map([...document.querySelectorAll("nav#TOC a")].map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
const seen = new IntersectionObserver(
  (changes) => {
    const top = changes.find((change) => change.isIntersecting);
    if (!top) return;
    for (const a of entries.values()) a.removeAttribute("aria-current");
    entries.get(top.target.id)?.setAttribute("aria-current", "true");
  },
  { rootMargin: "0px 0px -70% 0px" },
);
for (const id of entries.keys()) {
  const heading = document.getElementById(id);
  if (heading) seen.observe(heading);
}
