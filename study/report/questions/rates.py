"""Clipping, regularizers and the learning rate: what is left when the rate is tuned, or the step made equal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from study.figures._style import Tables
from study.methods.labels import strength_of
from study.report.format import percent, several
from study.report.questions.base import (
    BY_LOSS,
    LR,
    SELECTED_BY,
    SHOWN_BY_LOSS,
    Answer,
    Row,
    capital,
    cell,
    chosen,
    count,
    listed,
    none_of,
    place,
    point,
    run_of,
    swept,
    with_none,
)
from study.report.questions.differences import Both, Difference, conclusion, tally
from study.report.questions.ranges import USABLE, usable

EQUAL = 1.3  # steps this many times apart are called equal

MORE = {
    "better": "yes, it did better than {step}",
    "some better": "in some cases, in none worse than {step}",
    "same": "no, {step} does as well",
    "open": "no more than {step} was shown",
    "undecided": "undecided against {step}",
    "some worse": "no, in some cases it did worse than {step}, and in none better",
    "worse": "no, it did worse than {step}",
    "mixed": "now more, now less than {step}",
    "nothing": "nothing to compare",
}


def smaller_rate(tables: Tables) -> Answer:
    """Clipped nets beside unclipped ones at the swept learning rate that makes their steps equal."""
    rows: list[Row] = []
    works: list[tuple[str, Difference]] = []
    rescue: list[tuple[str, Difference]] = []
    dropped, working = 0, usable(tables)
    for _, group in swept(tables, LR).groupby(["part_of", "others"], sort=False):
        rates = group.set_index("regime")["number"].astype(float)
        for regime, rate in rates.items():
            for clip, left in _left(tables, str(regime)).items():
                nearest = (np.log(rates) - np.log(rate * left)).abs().idxmin()
                if nearest == regime:
                    continue
                off = float(np.exp(abs(np.log(rates[nearest]) - np.log(rate * left))))
                if off > EQUAL:
                    dropped += 1
                    continue
                own, free = cell(tables, regime, clip), cell(tables, nearest)
                difference = Difference.between(own, free)
                (works if nearest in working else rescue).append((f"`{clip}` in {place(tables, regime)}", difference))
                rows.append(
                    {
                        "regime": place(tables, regime),
                        "clip": f"`{clip}`",
                        "step left": f"{left:.2g}",
                        "rate × step left": f"{rate * left:.2g}",
                        "nearest rate, no clip": point(group[group["regime"] == nearest].iloc[0]),
                        "ratio": f"{rates[nearest] / (rate * left):.2g}",
                        "with": percent(own["test_accuracy"].mean()),
                        "without": percent(free["test_accuracy"].mean()),
                        "difference (points)": difference.text,
                    }
                )
    return Answer(
        "Is clipping more than a smaller learning rate?",
        _equal_short(works, rescue) if rows else "",
        _equal_words(works, rescue, dropped),
        "A clip that fires leaves of a gradient of median norm the share named as the step left; beside it stands no"
        " clip at the swept learning rate nearest to rate times that share. Ratio: of that rate to the product, 1 for"
        f" equal steps; pairs within a factor of {EQUAL:g} are compared. Norms change in training, so the steps"
        " are equal at the median only. A rate works without a clip"
        f" if all runs train and it is shown to lose at most {USABLE:g} points to the best of its sweep.",
        ("sweeps",),
        rows,
    )


def _equal_short(works: list[tuple[str, Difference]], rescue: list[tuple[str, Difference]]) -> str:
    step = f"a nearly equal step (within a factor of {EQUAL:g})"
    text = capital(MORE[conclusion(one for _, one in works)].format(step=step))
    if works:
        text += f": {_sides(works)}, by test accuracy"
    also = f" Where the nearly equal step does not work without a clip, the clip did {_sides(rescue)}."
    return f"{text}.{also if rescue else ''}"


def _sides(found: list[tuple[str, Difference]]) -> str:
    """`better in 1 (a) and worse in 2 (b; c) of 4 comparisons`."""
    named = {word: [name for name, one in found if one.verdict == word] for word in ("better", "worse")}
    parts = [f"{word} in {len(own)}{f' ({several(own)})' if own else ''}" for word, own in named.items()]
    return f"{' and '.join(parts)} of {count(len(found), 'comparison')}"


def _equal_words(works: list[tuple[str, Difference]], rescue: list[tuple[str, Difference]], dropped: int) -> str:
    parts = [f"Test accuracy of clips, against no clip at a nearly equal step: {tally(works)}."] if works else []
    if rescue:
        parts.append(f"Where the rate of the nearly equal step does not work without a clip: {tally(rescue)}.")
    if dropped:
        parts.append(
            f"{count(dropped, 'pair is', 'pairs are')} left out, since the nearest swept rate is more than {EQUAL:g}"
            " times off."
        )
    return " ".join(parts)


def _left(tables: Tables, regime: str) -> dict[str, float]:
    """The share of a median gradient that each clip by the global norm leaves."""
    runs = tables["runs"]
    own = (runs["regime"] == regime) & (runs["regularization"] == "none")
    shares = {}
    for clip, group in runs[own & runs["clip"].str.startswith("global_norm")].groupby("clip", sort=False):
        median = group["norm_median"].astype(float).replace(np.inf, np.nan).median()
        share = min(1.0, strength_of(str(clip)) / median) if median > 0 else np.nan
        if np.isfinite(share):
            shares[str(clip)] = float(share)
    return shares


SURVIVES = {
    "better": "yes, all that was chosen did",
    "some better": "some of it",
    "same": "no, nothing that matters is left",
    "open": "nothing was shown to survive, and some is undecided",
    "undecided": "undecided",
    "some worse": "no, nothing did better and something did worse",
    "worse": "no, all that was chosen did worse",
    "mixed": "some of it, and some did worse",
    "nothing": "nothing to compare, tuning chose none",
}


def survives(tables: Tables) -> Answer:
    """Each method against none where the learning rate was tuned for both, with what it gained where it was not."""
    choices = chosen(tables)
    fixed = choices[(choices["method"] != "none") & (choices["rates"] <= 1)]
    rows: list[Row] = []
    found = {by: Both() for by in SELECTED_BY}
    for by, both in found.items():
        for row, none in ((row, none) for row, none in with_none(tables, by) if row["rates"] > 1):
            name = f"`{row['method']}` in {place(tables, row['setting'])}"
            own = both.add(name, run_of(tables, row), run_of(tables, none))
            rows.append(
                {
                    "method": name,
                    "by validation": SELECTED_BY[by].split()[-1],
                    "chosen": f"`{row['label']}` in {place(tables, row['regime'])}",
                    "none": place(tables, none["regime"]),
                    **own,
                    "at a given rate elsewhere (points)": _elsewhere(tables, choices, fixed, str(row["method"])),
                }
            )
    return Answer(
        "Does any of it survive tuning the learning rate?",
        _survival_short(found) if rows else "",
        " ".join(_survival_words(found)).strip(),
        "Each method and none at their own best learning rate and strength, both chosen by validation loss, as tuning"
        " does, or both by validation accuracy: the one finds what is gained in loss, the other what is gained in"
        " accuracy. A method that only made up for a rate too large has nothing left here. Same cell: no strength of"
        " the method was chosen. Last column: its gain in accuracy in settings where the rate was given."
        f" {SHOWN_BY_LOSS}",
        ("tuning_curves",),
        rows,
    )  # fmt: skip


def _elsewhere(tables: Tables, choices: pd.DataFrame, fixed: pd.DataFrame, method: str) -> str:
    gains = []
    for _, row in fixed[fixed["method"] == method].iterrows():
        gain = Difference.between(run_of(tables, row), run_of(tables, none_of(choices, row)))
        gains.append(f"{place(tables, row['setting'])}: {gain.text}")
    return several(gains, 2) or "–"


def _survival_short(found: dict[str, Both]) -> str:
    """The conclusion by each metric and for each way of choosing."""
    told = {by: _conclusions(both) for by, both in found.items()}
    if len(set(told.values())) == 1:
        return f"Chosen by validation loss or by validation accuracy, {told[BY_LOSS]}."
    start = "It depends on what is tuned for. " if len({parts.split(";")[0] for parts in told.values()}) > 1 else ""
    return start + " ".join(f"Chosen by {SELECTED_BY[by]}, {parts}." for by, parts in told.items())


def _conclusions(both: Both) -> str:
    """The conclusion by each metric, with what survives where that is not all."""
    parts = []
    for found, one in zip((both.accuracy, both.loss), both.conclusions, strict=True):
        better = [name for name, difference in found if difference.verdict == "better"]
        named = f" ({listed(better)})" if one in ("some better", "mixed") else ""
        parts.append(f"{SURVIVES[one]}{named}")
    if parts[0] == parts[1]:
        return f"in test accuracy and in test loss: {parts[0]}"
    return f"in test accuracy: {parts[0]}; in test loss: {parts[1]}"


def _survival_words(found: dict[str, Both]) -> Iterator[str]:
    """What was compared by each way of choosing, once where both chose the same."""
    for by, both in found.items():
        if by == BY_LOSS or not both.alike(found[BY_LOSS]):
            if none := both.same_cells:
                yield f"By {SELECTED_BY[by]}, none was chosen for {several(none)}."
            if both.any:
                yield f"Chosen by {SELECTED_BY[by]}, against none. {both.tallies}"
