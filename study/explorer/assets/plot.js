// A plot as SVG: lines, bands and marks over one pair of axes, read point by point with the arrow keys or the pointer.

const MARGIN = { left: 58, right: 14, top: 10, bottom: 40 };

function scale(low, high, from, to, log) {
  const turn = log ? Math.log10 : (value) => value;
  const [start, end] = [turn(low), turn(high)];
  const width = end - start || 1;
  return (value) => from + ((turn(value) - start) / width) * (to - from);
}

function ticksOf(low, high, log, most, whole) {
  for (const parts of log ? [[1], [1, 3], [1, 2, 5]] : []) {
    const ticks = logTicks(low, high, most, parts);
    if (ticks.length > 2) return ticks;
  }
  const rough = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((one) => one * power >= rough);
  const ticks = [];
  for (let at = Math.ceil(low / step); at * step <= high + step * 1e-9; at += 1) ticks.push(Number((at * step).toPrecision(12)));
  return whole ? ticks.filter(Number.isInteger) : ticks;
}

function logTicks(low, high, most, parts) {
  const [start, end] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const every = Math.max(1, Math.ceil((end - start) / most));
  const ticks = [];
  for (let power = start; power <= end; power += every) for (const part of parts) ticks.push(Number(`${part}e${power}`));
  return ticks.filter((one) => one >= low * 0.999 && one <= high * 1.001);
}

function range(values, log, pad) {
  const known = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  if (!known.length) return null;
  let low = known.reduce((a, b) => Math.min(a, b));
  let high = known.reduce((a, b) => Math.max(a, b));
  if (log) return low === high ? [low / 2, high * 2] : [low / (high / low) ** pad, high * (high / low) ** pad];
  const room = (high - low) * pad || Math.abs(high) * 0.1 || 0.1;
  if (low === 0 && high === 0) return [0, 1];
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}

// The width of one of several plots side by side, as the style lays them out.
function partWidth() {
  const room = document.getElementById("main").clientWidth;
  const count = Math.max(1, Math.floor((room + 16) / (480 + 16)));
  return (room - 16 * (count - 1)) / count;
}

// {id, title, part, x, y, xLog, yLog, series}; x and y are {title, whole, range}; a part shares its row with others. A series is {label, color, dash, width, faint, points
// [[x, y]], band [[x, low, high]], bars [[x, low, high]], dots, chosen [[x, y]], quiet}: a quiet one is neither read nor
// named. `level` draws a horizontal line {y, label}.
function plot(given) {
  const wide = Math.max(260, given.part ? partWidth() : document.getElementById("main").clientWidth);
  const high = Math.max(230, Math.min(given.height || 330, wide * 0.75));
  const xs = given.series.flatMap((one) => one.points.map(([x]) => x));
  const ys = given.series.flatMap((one) => [...one.points.map(([, y]) => y), ...[...(one.bars || []), ...(one.band || [])].flatMap(([, a, b]) => [a, b])]);
  const xRange = range(xs, given.xLog, given.xLog ? 0.05 : 0.02);
  const yRange = given.y.range || range([...ys, ...(given.level ? [given.level.y] : [])], given.yLog, 0.05);
  if (!xRange || !yRange) return h("p", { class: "note" }, `${given.title}: nothing to draw.`);
  const frame = { wide, high, left: MARGIN.left, right: wide - MARGIN.right, top: MARGIN.top, bottom: high - MARGIN.bottom };
  const at = {
    x: scale(...xRange, frame.left, frame.right, given.xLog),
    y: scale(...yRange, frame.bottom, frame.top, given.yLog),
  };
  const clip = `${given.id}-frame`;
  const inside = s("g", { "clip-path": `url(#${clip})` }, given.series.map((one) => seriesNodes(one, at, given)));
  const cursor = s("line", { class: "cursor", y1: frame.top, y2: frame.bottom, visibility: "hidden" });
  const svg = s(
    "svg",
    { id: given.id, viewBox: `0 0 ${wide} ${high}`, class: "drawing" },
    s("defs", {}, s("clipPath", { id: clip }, s("rect", { x: frame.left, y: frame.top - 4, width: frame.right - frame.left, height: frame.bottom - frame.top + 4 }))),
    axes(given, xRange, yRange, at, frame),
    given.level && s("line", { class: "zero", x1: frame.left, x2: frame.right, y1: at.y(given.level.y), y2: at.y(given.level.y) }),
    inside,
    cursor,
  );
  const read = h("p", { class: "read", id: `${given.id}-read` });
  readable(svg, given, at, cursor, read);
  return h("figure", { class: "plot" }, h("figcaption", {}, given.title), svg, read, given.legend !== false && legend(given.series, given.level));
}

function axes(given, xRange, yRange, at, frame) {
  const most = Math.max(2, Math.floor((frame.right - frame.left) / 70));
  const across = apart(ticksOf(...xRange, given.xLog, most, given.x.whole), at.x).map((x) => [
    s("line", { class: "axis", x1: at.x(x), x2: at.x(x), y1: frame.bottom, y2: frame.bottom + 4 }),
    s("text", { class: "soft", x: at.x(x), y: frame.bottom + 17, "text-anchor": "middle" }, tick(x)),
  ]);
  const up = ticksOf(...yRange, given.yLog, 5).map((y) => [
    s("line", { class: "grid", x1: frame.left, x2: frame.right, y1: at.y(y), y2: at.y(y) }),
    s("text", { class: "soft", x: frame.left - 6, y: at.y(y) + 4, "text-anchor": "end" }, tick(y)),
  ]);
  return [
    up,
    across,
    s("line", { class: "axis", x1: frame.left, x2: frame.right, y1: frame.bottom, y2: frame.bottom }),
    s("text", { x: (frame.left + frame.right) / 2, y: frame.high - 6, "text-anchor": "middle" }, given.x.title),
    s("text", { transform: `translate(12 ${(frame.top + frame.bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, given.y.title),
  ];
}

// Ticks whose words do not run into each other.
const apart = (ticks, at) => ticks.reduce((kept, one) => (kept.length && at(one) - at(kept[kept.length - 1]) < 34 ? kept : [...kept, one]), []);

const tick = (value) => significant(value, 3).replace("-", MINUS);

function seriesNodes(one, at, given) {
  const usable = ([x, y]) => Number.isFinite(y) && (!given.yLog || y > 0) && (!given.xLog || x > 0);
  const look = { class: one.color ? "line" : "line plain", style: one.color && `--c:${one.color}` };
  const filled = { class: one.color ? "fill" : "fill plain", style: one.color && `--c:${one.color}` };
  const parts = [];
  if (one.band) parts.push(s("path", { ...filled, d: bandPath(one.band, at, given), opacity: 0.18 }));
  for (const [x, low, high] of one.bars || []) parts.push(s("line", { ...look, x1: at.x(x), x2: at.x(x), y1: at.y(low), y2: at.y(high) }));
  if (one.points.length === 1) parts.push(s("circle", { ...filled, cx: at.x(one.points[0][0]), cy: at.y(one.points[0][1]), r: 2.5 }));
  else if (!one.dots || one.joined) parts.push(s("path", { ...look, d: linePath(one.points, at, usable), "stroke-width": one.width || 2, "stroke-dasharray": one.dash, opacity: one.faint ? 0.35 : 1 }));
  if (one.dots) parts.push(one.points.filter(usable).map(([x, y]) => s("circle", { ...filled, cx: at.x(x), cy: at.y(y), r: 3.2 })));
  for (const [x, y] of (one.chosen || []).filter(usable)) parts.push(s("circle", { class: "ring", cx: at.x(x), cy: at.y(y), r: 6 }));
  return parts;
}

const spot = (value) => value.toFixed(1);

// A line that breaks where a value is not finite.
function linePath(points, at, usable) {
  let pen = "M";
  let path = "";
  for (const point of points) {
    if (!usable(point)) pen = "M";
    else {
      path += `${pen}${spot(at.x(point[0]))} ${spot(at.y(point[1]))}`;
      pen = "L";
    }
  }
  return path;
}

function bandPath(band, at, given) {
  const known = band.filter(([, low, high]) => Number.isFinite(high) && (!given.yLog || low > 0) && Number.isFinite(low));
  const upper = known.map(([x, , high]) => `${spot(at.x(x))} ${spot(at.y(high))}`);
  const lower = known.map(([x, low]) => `${spot(at.x(x))} ${spot(at.y(low))}`).reverse();
  return known.length ? `M${[...upper, ...lower].join("L")}Z` : "";
}

function swatch(one) {
  const look = { class: one.color ? "line" : "line plain", style: one.color && `--c:${one.color}` };
  const mark = one.dots && !one.joined ? s("circle", { ...look, class: look.class.replace("line", "fill"), cx: 14, cy: 6, r: 3.5 }) : s("line", { ...look, x1: 0, x2: 28, y1: 6, y2: 6, "stroke-width": 2.5, "stroke-dasharray": one.dash });
  return s("svg", { viewBox: "0 0 28 12", "aria-hidden": "true" }, mark);
}

function legend(series, level) {
  const named = series.filter((one) => one.label && !one.quiet);
  const line = level && h("li", {}, s("svg", { viewBox: "0 0 28 12", "aria-hidden": "true" }, s("line", { class: "zero", x1: 0, x2: 28, y1: 6, y2: 6 })), level.label);
  return h("ul", { class: "legend" }, named.map((one) => h("li", {}, swatch(one), one.label)), line);
}

// The plot as a slider along x: arrows, Home and End move, Escape leaves; the values are read out below it.
function readable(svg, given, at, cursor, read) {
  const named = given.series.filter((one) => one.label && !one.quiet);
  const places = [...new Set(named.flatMap((one) => one.points.map(([x]) => x)))].filter(Number.isFinite).sort((a, b) => a - b);
  let place = -1;
  const show = (next) => {
    place = next;
    const x = places[place];
    cursor.setAttribute("visibility", place < 0 ? "hidden" : "visible");
    svg.setAttribute("aria-valuenow", place < 0 ? 0 : place);
    if (place < 0) {
      svg.setAttribute("aria-valuetext", "no point");
      read.textContent = "";
      return;
    }
    cursor.setAttribute("x1", at.x(x));
    cursor.setAttribute("x2", at.x(x));
    const told = named.map((one) => [one.label, one.points.find((point) => point[0] === x)]).filter(([, point]) => point);
    const text = `${given.x.title} ${significant(x)}: ${told.map(([label, [, y]]) => `${label} ${Number.isNaN(y) ? "–" : significant(y).replace("-", MINUS)}`).join("; ")}`;
    svg.setAttribute("aria-valuetext", text);
    read.textContent = text;
  };
  put(svg, { role: "slider", tabindex: "0", "aria-label": given.title, "aria-valuemin": 0, "aria-valuemax": Math.max(0, places.length - 1) }, []);
  show(-1);
  svg.addEventListener("keydown", (event) => {
    const last = places.length - 1;
    const next = { ArrowRight: Math.min(last, place + 1), ArrowLeft: Math.max(0, place - 1), Home: 0, End: last, Escape: -1 }[event.key];
    if (next === undefined || (event.key === "Escape" && place < 0)) return;
    event.preventDefault();
    event.stopPropagation();
    show(next);
  });
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    show(places.reduce((best, one, index) => (Math.abs(at.x(one) - x) < Math.abs(at.x(places[best]) - x) ? index : best), 0));
  });
  svg.addEventListener("pointerleave", () => show(-1));
}
