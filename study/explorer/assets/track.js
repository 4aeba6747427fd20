// Intervals as small drawings in the cells of a table, on one scale for all its rows.

const TRACK = { wide: 288, high: 24, pad: 8 };

// rows are {value, low, high, dots, color}; returns a function from a row to its drawing. `zero` is always on the scale.
function tracks(rows, { zero = false } = {}) {
  const ends = rows.flatMap((row) => [row.value, row.low, row.high, ...(row.dots || [])]).filter(Number.isFinite);
  const [low, high] = range(zero ? [...ends, 0] : ends, false, 0.02) || [0, 1];
  const at = scale(low, high, TRACK.pad, TRACK.wide - TRACK.pad, false);
  return (row) => {
    const middle = TRACK.high / 2;
    const look = (name) => ({ class: row.color ? name : `${name} plain`, style: row.color && `--c:${row.color}` });
    return s(
      "svg",
      { class: "track drawing", viewBox: `0 0 ${TRACK.wide} ${TRACK.high}`, "aria-hidden": "true" },
      zero && s("line", { class: "zero", x1: at(0), x2: at(0), y1: 0, y2: TRACK.high }),
      (row.dots || []).filter(Number.isFinite).map((dot, index) => s("circle", { ...look("fill"), cx: at(dot), cy: middle + ((index * 7) % 15) - 7, r: 2, opacity: 0.45 })),
      Number.isFinite(row.low) && s("line", { ...look("line"), x1: at(row.low), x2: at(row.high), y1: middle, y2: middle, "stroke-width": 2.5 }),
      Number.isFinite(row.value) && s("circle", { ...look("fill"), cx: at(row.value), cy: middle, r: 4.5 }),
    );
  };
}
