// Downloads: the rows as CSV, and what is drawn as SVG, in plain colours that any program reads.

function download(name, text, type) {
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say(`${name} is downloaded.`);
}

const fileName = (...parts) => parts.filter(Boolean).join("-").replace(/[^A-Za-z0-9_.=-]+/g, "_");

const saveCsv = (name, names, rows) => download(`${name}.csv`, csv(names, rows), "text/csv");

const LOOKS = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight", "visibility"];

// "color(srgb 0.1 0.2 0.3)", which browsers compute, as "rgb(26, 51, 77)".
function plainColor(text) {
  const found = text.match(/color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)(?: \/ ([\d.e-]+))?\)/);
  if (!found) return text;
  const [red, green, blue] = found.slice(1, 4).map((part) => Math.round(255 * Number(part)));
  return found[4] ? `rgba(${red}, ${green}, ${blue}, ${found[4]})` : `rgb(${red}, ${green}, ${blue})`;
}

function styledCopy(node) {
  const copy = node.cloneNode(true);
  const copies = [copy, ...copy.querySelectorAll("*")];
  [node, ...node.querySelectorAll("*")].forEach((one, index) => {
    const look = getComputedStyle(one);
    for (const name of LOOKS) copies[index].setAttribute(name, plainColor(look.getPropertyValue(name)));
    for (const name of ["class", "style", "tabindex"]) copies[index].removeAttribute(name);
    for (const { name } of [...copies[index].attributes]) if (name.startsWith("aria") || name === "role") copies[index].removeAttribute(name);
  });
  return copy;
}

const EDGE = 10; // of background around a drawing

// All that is drawn below a node: plots with their titles and legends, or a table with its drawings, where they stand.
function asSvg(node) {
  const box = node.getBoundingClientRect();
  const [wide, high] = [Math.ceil(node.scrollWidth), Math.ceil(node.scrollHeight)];
  const place = (one) => {
    const own = one.getBoundingClientRect();
    return { x: own.left - box.left + node.scrollLeft, y: own.top - box.top, width: own.width, height: own.height };
  };
  const background = plainColor(getComputedStyle(document.documentElement).backgroundColor);
  const out = s("svg", { xmlns: SVG, viewBox: `-${EDGE} -${EDGE} ${wide + 2 * EDGE} ${high + 2 * EDGE}`, width: wide + 2 * EDGE, height: high + 2 * EDGE }, s("rect", { x: -EDGE, y: -EDGE, width: wide + 2 * EDGE, height: high + 2 * EDGE, fill: background }));
  for (const cell of node.querySelectorAll("td, th")) {
    const color = plainColor(getComputedStyle(cell).backgroundColor);
    if (!/rgba\(0, 0, 0, 0\)|transparent/.test(color)) out.append(s("rect", { ...place(cell), fill: color }));
  }
  for (const drawing of node.querySelectorAll("svg")) out.append(put(styledCopy(drawing), place(drawing), []));
  for (const text of textsOf(node)) out.append(writtenText(text, box, node.scrollLeft));
  return new XMLSerializer().serializeToString(out);
}

function textsOf(node) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("svg") && walker.currentNode.data.trim()) found.push(walker.currentNode);
  return found;
}

// Words line by line, as the browser has broken them.
function writtenText(node, box, shift) {
  const look = getComputedStyle(node.parentElement);
  const lines = new Map();
  const span = document.createRange();
  for (const word of node.data.matchAll(/\S+\s*/g)) {
    span.setStart(node, word.index);
    span.setEnd(node, word.index + word[0].trimEnd().length);
    const own = span.getBoundingClientRect();
    if (!own.width) continue;
    const key = Math.round(own.top);
    if (!lines.has(key)) lines.set(key, { x: own.left - box.left + shift, y: own.bottom - box.top - own.height * 0.22, words: "" });
    lines.get(key).words += word[0];
  }
  const attributes = { fill: plainColor(look.color), "font-family": look.fontFamily, "font-size": look.fontSize, "font-weight": look.fontWeight };
  return s("g", attributes, [...lines.values()].map((line) => s("text", { x: line.x, y: line.y }, line.words.trimEnd())));
}

// Buttons for both; `drawn` names the element that holds the drawing, if there is one.
function saving(name, names, rows, drawn) {
  return h(
    "p",
    {},
    h("button", { id: "save-csv", onclick: () => saveCsv(name, names, rows) }, "Download rows as CSV"),
    " ",
    drawn && h("button", { id: "save-svg", onclick: () => download(`${name}.svg`, asSvg(document.getElementById(drawn)), "image/svg+xml") }, "Download drawing as SVG"),
  );
}
