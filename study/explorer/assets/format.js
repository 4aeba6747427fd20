// Numbers as they are printed, and tables as CSV.

const MINUS = "−";

// In the unit's factor and decimals; without decimals four significant digits.
function printed(value, unit, { signed = false, difference = false, symbol = false } = {}) {
  if (Number.isNaN(value) || value === undefined) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : MINUS + "∞";
  const scaled = value * unit.factor;
  const text = unit.digits === null || Math.abs(scaled) >= 1e7 ? significant(scaled) : scaled.toFixed(unit.digits);
  const zero = Number(text) === 0;
  const sign = zero ? "" : scaled < 0 ? MINUS : signed ? "+" : "";
  const tail = symbol ? ` ${difference ? unit.difference || unit.symbol : unit.symbol}`.trimEnd() : "";
  return sign + text.replace("-", "") + tail;
}

function significant(value, digits = 4) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}

function interval(low, high, unit) {
  return Number.isFinite(low) && Number.isFinite(high) ? `[${printed(low, unit)}, ${printed(high, unit)}]` : "";
}

function pText(p) {
  if (Number.isNaN(p) || p === undefined) return "–";
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

const unitName = (unit, difference) => (difference ? unit.difference || unit.symbol : unit.symbol);
const withUnit = (title, unit, difference = false) => (unitName(unit, difference) ? `${title} (${unitName(unit, difference)})` : title);

// All digits, so that a number reads back as the same; keys as in the study's tables.
function csv(names, rows) {
  const field = (value) => {
    if (value === undefined || Number.isNaN(value)) return "";
    const text = value === Infinity ? "inf" : value === -Infinity ? "-inf" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map((line) => line.map(field).join(",")).join("\n") + "\n";
}

const mean = (values) => {
  const known = values.filter(Number.isFinite);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : NaN;
};

const median = (values) => {
  const known = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (!known.length) return NaN;
  const half = known.length >> 1;
  return known.length % 2 ? known[half] : (known[half - 1] + known[half]) / 2;
};
