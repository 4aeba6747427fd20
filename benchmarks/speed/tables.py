"""The figures as tables of text, and the page that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.speed.aims import aims as aims_of
from benchmarks.speed.engine_ways import ENGINE, LIMIT, PLAIN_ENGINE

Found = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]
TITLES = {"clipping": "Every clip", "regularization": "Every regularizer of one net"}
PRODUCTS = 2 * 64 * (2 * 784 * 128 + 3 * 128 * 10)  # operations of a step of the tutorial's net


def markdown(found: Found) -> str:
    """All tables of what was measured."""
    makers = {"seeds": seeds, "batches": batches, "models": models, "methods": methods, "jobs": jobs}
    pieces = [make(found) for name, make in makers.items() if name in found]
    if "seeds" in found and "methods" in found:
        pieces.insert(0, reached(found))
    return "\n\n".join(pieces)


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def columns(rows: Rows) -> dict[str, dict[str, float]]:
    """The medians by way, then by column."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row["way"], {})[row["of"]] = row["median"]
    return found


def ms(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def reached(found: Found) -> str:
    aims = aims_of(found["seeds"], found["methods"])
    lines = [(aim.text, aim.shown(), "yes" if aim.reached else "no") for aim in aims]
    return "At 10 seeds, with all statistics of every step on:\n\n" + table(("aim", "measured", "reached"), lines)


def seeds(found: Found) -> str:
    """Ways by seeds; the last columns compare at 10 seeds."""
    rows, middle = found["seeds"], "10 seeds"
    times, peak = columns(rows), found["settings"]["gflops"]
    own = times[ENGINE.name][middle]
    spread = {row["way"]: f"{row['low']:.2f} to {row['high']:.2f}" for row in rows if row["of"] == middle}
    counts = next(iter(times.values()))
    head = ("way", *counts, "quartiles at 10", "times this engine at 10", "share of the core at 10")
    lines = [
        (way, *map(ms, each.values()), spread[way], f"{each[middle] / own:.2f}", f"{share(each[middle], peak):.0%}")
        for way, each in sorted(times.items(), key=lambda item: -item[1][middle])
    ]
    title = "### The tutorial's setting: 784-128-10, batches of 64, SGD, clip by global norm"
    return f"{title}\n\n{table(head, lines)}\n\n{where(times, middle)}"


def share(milliseconds: float, peak: float) -> float:
    """The products of a step in this time, as a share of the core's fastest (peak, in GFLOP/s)."""
    return PRODUCTS / (milliseconds * 1e6) / peak


def where(times: Mapping[str, Mapping[str, float]], middle: str) -> str:
    """Where a step's time goes, as differences between ways."""
    whole, bare, limit = (times[way.name][middle] for way in (ENGINE, PLAIN_ENGINE, LIMIT))
    return (
        f"Of this engine's {ms(whole)} ms at 10 seeds, statistics take {ms(whole - bare)}; torch's products alone take "
        f'{ms(limit)}. "Share of the core" is the {PRODUCTS / 1e6:.1f} million operations of a step\'s products, at '
        "that way's speed, as a share of what the core reaches in a product of two matrices of 1,024 x 1,024."
    )


def batches(measured: Found) -> str:
    found = columns(measured["batches"])
    head = ("way", *(f"{of}, {what}" for of in found[LIMIT.name] for what in ("ms", "share of the reference")))
    lines = [
        (way, *(text for of, t in each.items() for text in (ms(t), f"{found[LIMIT.name][of] / t:.0%}")))
        for way, each in found.items()
    ]
    return "### Larger batches, 10 seeds\n\n" + table(head, lines)


def models(measured: Found) -> str:
    rows = measured["models"]
    found = columns(rows)
    names = list(dict.fromkeys(row["of"].split(", ")[0] for row in rows))
    counts = list(dict.fromkeys(row["of"].split(", ")[1] for row in rows))
    lines = [(name, way, *(ms(found[way][f"{name}, {c}"]) for c in counts)) for name in names for way in found]
    return "### Other models, batches of 64\n\n" + table(("model", "way", *counts), lines)


def methods(found: Found) -> str:
    """A table of the clips and one of the regularizers, each relative to the baseline."""
    rows = found["methods"]
    pieces = [_family(family, [row for row in rows if row["family"] == family]) for family in TITLES]
    own, plain = found["by_sample"].values()
    pieces.append(
        f"A clip by sample done the plain way, by a gradient of each sample (`vmap(grad)`), takes {ms(plain)} ms a step"
        f" and model, {plain / own:.0f} times as long as this engine without statistics."
    )
    return "\n\n".join(pieces)


def _family(family: str, rows: Rows) -> str:
    none = next(row["on"] for row in rows if row["name"] == "none")
    head = ("method", "statistics on", "off", "by torch, on", "on: times baseline", "compiled in, s", "loaded in, s")
    lines = [
        (
            "baseline" if row["name"] == "none" else f"`{row['name']}`",
            *(ms(row[key]) for key in ("on", "off", "traced")),
            f"{row['on'] / none:.2f}",
            *(f"{row[key]:.1f}" for key in ("compiled", "loaded")),
        )
        for row in rows
    ]
    return f"### {TITLES[family]}, 10 seeds\n\n{table(head, lines)}"


def jobs(measured: Found) -> str:
    rows = measured["jobs"]
    budgets = list(dict.fromkeys(row["budget"] for row in rows))
    found = {(row["job"], row["budget"]): row for row in rows}
    own = {budget: found[names(rows)[-1], budget]["seconds"] for budget in budgets}
    head = ("10 seeds of", *(f"{b}: {what}" for b in budgets for what in ("s", "times this engine", "peak MB")))
    lines = [
        (
            name,
            *(
                text
                for budget in budgets
                for row in [found[name, budget]]
                for text in (f"{row['seconds']:.1f}", f"{row['seconds'] / own[budget]:.1f}", f"{row['megabytes']:.0f}")
            ),
        )
        for name in names(rows)
    ]
    return "### Whole trainings, start-up included, processor seconds\n\n" + table(head, lines)


def names(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["job"] for row in rows))


def page(found: Found) -> str:
    """docs/speed.md."""
    on = found["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in on["packages"].items())
    return f"""# Speed

```
make bench
```

times a training step by several implementations. Before the timing, each is shown to reach the same weights from the
same start and batches. They take turns on one core and one thread. Unless stated otherwise, figures are milliseconds of
processor time per step and model, medians over {on["turns"]} turns.
Their code is in [`benchmarks/speed/`](../benchmarks/speed/).

![Milliseconds per step and model of each implementation](speed.png)

Measured on one core of: {on["processor"]}, {on["system"]}; Python {on["python"]}, {versions}.

{markdown(found)}

The stock loop, the loop in memory and scikit-learn train one model at a time, so their time per model does not depend
on the number of seeds. scikit-learn has no clip. "Matrix products alone" is the reference: the five products of a step
and nothing else. A program is compiled once for all strengths, rates and seeds of a method and kept on disk; a
later job only loads it. Among whole trainings, "short" is 2 epochs of 1,984 digits and "long" 5
of 9,984; the engine writes its default statistics, the loops score the test digits after each epoch.
"""
