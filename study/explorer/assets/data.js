// The tables: unpacked once, columns as plain arrays, and the groups of rows that views ask for.

async function unpack() {
  const text = document.getElementById("payload").textContent;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

const asNumber = (value) => (value === null ? NaN : value === "inf" ? Infinity : value === "-inf" ? -Infinity : value);

function column(given) {
  if (given.levels) return given.codes.map((code) => given.levels[code]);
  if (given.bool) return given.bool.map(Boolean);
  return given.values.map(asNumber);
}

// A table as a list of rows, which are plain objects.
function rowsOf(encoded) {
  if (!encoded) return [];
  const columns = Object.entries(encoded.columns).map(([name, given]) => [name, column(given)]);
  return Array.from({ length: encoded.rows }, (_, at) => Object.fromEntries(columns.map(([name, values]) => [name, values[at]])));
}

class Study {
  constructor(given) {
    Object.assign(this, { name: given.name, about: given.about, labels: given.labels, origins: given.origins });
    this.metrics = given.metrics;
    this.primary = given.metrics.find((one) => one.name === given.primary) || { base: "test_accuracy", at: "last" };
    this.tables = Object.fromEntries(Object.entries(given.tables).map(([name, table]) => [name, rowsOf(table)]));
    this.runs = this.tables.runs || [];
    this.runs.forEach((run, at) => {
      run.at = at;
      run.diverged = run.status === "ok" ? 0 : 1;
    });
    this.curves = Object.fromEntries(Object.entries(given.curves || {}).map(([name, one]) => [name, new Curves(one)]));
    this.byCell = grouped(this.runs, cellKey);
    this.seeds = [...new Set(this.runs.map((run) => run.seed))].sort((a, b) => a - b);
  }

  metric(name) {
    return this.metrics.find((one) => one.name === name);
  }

  // The metric of a base name at the last or at the best epoch; that at the last one where there is no other.
  metricAt(base, at) {
    return this.metrics.find((one) => one.base === base && one.at === at) || this.metrics.find((one) => one.base === base);
  }

  text(kind, label) {
    return (this.labels[kind][label] || {}).text || label;
  }

  method(kind, name) {
    return this.labels.methods[`${kind} ${name}`] || name.replaceAll("_", " ");
  }

  // A method or a pair of methods, without parameters.
  methods(clip, regularization) {
    const told = Object.entries({ clip, regularization }).filter(([, name]) => name !== "none").map(([kind, name]) => this.method(kind, name));
    return told.join(" with ") || this.labels.baseline;
  }

  cell(row) {
    const told = ["clip", "regularization"].filter((kind) => row[kind] !== "none").map((kind) => this.text(kind, row[kind]));
    return told.join(" with ") || this.labels.baseline;
  }

  // A clip's colour where there is one, else the regularizer's; none for the baseline.
  color(row) {
    const kind = row.clip !== "none" ? "clip" : "regularization";
    return row[kind] === "none" ? null : (this.labels[kind][row[kind]] || {}).color;
  }
}

const cellKey = (row) => JSON.stringify([row.regime, row.clip, row.regularization]);

function grouped(rows, key) {
  const found = new Map();
  for (const row of rows) {
    const name = key(row);
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(row);
  }
  return found;
}

// Curves of all runs: columns that hold one run after the other.
class Curves {
  constructor(given) {
    this.x = given.x;
    this.thinned = given.thinned;
    this.titles = given.titles;
    this.names = Object.keys(given.titles);
    this.columns = Object.fromEntries(Object.entries(given.columns).map(([name, values]) => [name, values.map(asNumber)]));
    this.starts = [0];
    for (const count of given.counts) this.starts.push(this.starts[this.starts.length - 1] + count);
  }

  of(run, name) {
    const values = this.columns[name];
    if (!values) return null;
    return values.slice(this.starts[run.at], this.starts[run.at + 1]);
  }

  // Where it was measured: some columns are at few epochs only.
  points(run, name) {
    const values = this.of(run, name);
    if (!values) return [];
    return this.of(run, this.x).map((x, at) => [x, values[at]]).filter(([, y]) => !Number.isNaN(y));
  }
}
