"""The figures as tables of text, and the page that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.speed.aims import aims
from benchmarks.speed.engine_ways import BY_SAMPLE, ENGINE, LIMIT, PLAIN_ENGINE

Found = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def markdown(found: Found) -> str:
    """All tables of what was measured."""
    makers = {"seeds": seeds, "parts": parts, "batches": batches, "models": models, "clips": clips, "jobs": jobs}
    pieces = [make(found[name]) for name, make in makers.items() if name in found]
    if "seeds" in found:
        pieces.insert(0, reached(found["seeds"]))
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


def reached(rows: Rows) -> str:
    lines = [(aim.text, aim.shown(), "yes" if aim.reached else "no") for aim in aims(rows)]
    return "At 10 seeds, with all statistics of every step on:\n\n" + table(("aim", "measured", "reached"), lines)


def seeds(rows: Rows) -> str:
    """Ways by seeds; the last columns compare at 10 seeds."""
    found, middle = columns(rows), "10 seeds"
    own = found[ENGINE.name][middle]
    spread = {row["way"]: f"{row['low']:.2f} to {row['high']:.2f}" for row in rows if row["of"] == middle}
    head = ("way", *next(iter(found.values())), "quartiles at 10", "times this engine at 10")
    lines = [
        (way, *map(ms, each.values()), spread[way], f"{each[middle] / own:.2f}")
        for way, each in sorted(found.items(), key=lambda item: -item[1][middle])
    ]
    return "### The tutorial's setting: 784-128-10, batches of 64, SGD, clip by global norm\n\n" + table(head, lines)


def parts(found: Mapping[str, float]) -> str:
    whole = sum(found.values())
    lines = [(name, ms(value), f"{value / whole:.0%}") for name, value in found.items()]
    return "### Where a step's time goes: 10 seeds, statistics on\n\n" + table(("part", "ms", "share"), lines)


def batches(rows: Rows) -> str:
    found = columns(rows)
    head = ("way", *(f"{of}, {what}" for of in found[LIMIT.name] for what in ("ms", "share of the limit")))
    lines = [
        (way, *(text for of, t in each.items() for text in (ms(t), f"{found[LIMIT.name][of] / t:.0%}")))
        for way, each in found.items()
    ]
    return "### Larger batches, 10 seeds\n\n" + table(head, lines)


def models(rows: Rows) -> str:
    found = columns(rows)
    names = list(dict.fromkeys(row["of"].split(", ")[0] for row in rows))
    counts = list(dict.fromkeys(row["of"].split(", ")[1] for row in rows))
    lines = [(name, way, *(ms(found[way][f"{name}, {c}"]) for c in counts)) for name in names for way in found]
    return "### Other models, batches of 64\n\n" + table(("model", "way", *counts), lines)


def clips(rows: Rows) -> str:
    found = {row["way"]: row["median"] for row in rows}
    names = list(dict.fromkeys(way.split(", ")[0] for way in found))
    off, on = ({name: found.get(f"{name}, {way.name}") for name in names} for way in (PLAIN_ENGINE, ENGINE))
    head = (
        "clipping",
        "statistics off",
        "statistics on",
        "off: times unclipped",
        "on: times unclipped",
        "statistics cost",
    )
    lines = [
        (f"`{n}`", ms(off[n]), ms(on[n]), *(f"{t[n] / t['none']:.2f}" for t in (off, on)), f"{on[n] / off[n] - 1:+.0%}")
        for n in names
    ]
    plain = found[f"per_sample, {BY_SAMPLE.name}"]
    lines.append((f"`per_sample` by {BY_SAMPLE.name}", ms(plain), "", f"{plain / off['none']:.1f}", "", ""))
    return "### Clipping methods, 10 seeds\n\n" + table(head, lines)


def jobs(rows: Rows) -> str:
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

times a training step by several implementations that reach the same weights. All run on one core and one thread, taking
turns. Unless stated otherwise, figures are milliseconds of processor time per step and model, medians over
{on["turns"]} turns. Before the timing, each is shown to reach the same weights from the same start and batches.
Their code is in [`benchmarks/speed/`](../benchmarks/speed/).

![Milliseconds per step and model of each implementation](speed.png)

Measured on one core of: {on["processor"]}, {on["system"]}; Python {on["python"]}, {versions}.

{markdown(found)}

The stock loop, the loop in memory and scikit-learn train one model at a time, so their time per model does not depend
on the number of seeds. scikit-learn has no clip. "Matrix products alone" is the limit: the five products of a step and
nothing else. Among whole trainings, "short" is 2 epochs of 1,984 digits and "long" 5 of 9,984; the engine writes
its default statistics, the loops score the test digits after each epoch.
"""
