"""In which order, and by which norm: clip before or after decay, per tensor or of the whole gradient."""

from __future__ import annotations

import re
from collections.abc import Iterator

from study.answers.base import Answer, Difference, Row, cell, chosen, run_of, sides
from study.figures.style import Tables
from study.findings import percent


def before_or_after(tables: Tables) -> Answer:
    """A penalty in the loss, clipped with the gradient, against the same as weight decay after the clip."""
    pairs = list(_pairs(tables))
    rows: list[Row] = [
        {
            "regime": regime,
            "clip": f"`{clip}`",
            "penalty": f"`{label}`",
            "in the loss": percent(cell(tables, regime, clip, label)["test_accuracy"].mean()),
            "after the clip": percent(cell(tables, regime, clip, other)["test_accuracy"].mean()),
            "difference (points)": difference.text,
        }
        for regime, clip, label, other, difference in pairs
    ]
    return Answer(
        "Clip before or after decay?",
        _decay_words([(f"{label} under `{clip}` in {regime}", one) for regime, clip, label, _, one in pairs
                      if clip != "none"]),
        "`l2` in the loss is part of the gradient that is clipped; `weight_decay` adds the same term after the clip."
        " Difference: in the loss less after the clip. Without a clip only momentum can tell them apart.",
        "heatmap",
        rows,
    )  # fmt: skip


def _decay_words(found: list[tuple[str, Difference]]) -> str:
    if not found:
        return "No clip meets both forms, so nothing can be said."
    verdicts = {one.verdict for _, one in found}
    start = {
        frozenset({"same"}): "It makes no difference that matters.",
        frozenset({"higher"}): "Clip them together: the penalty in the loss did better.",
        frozenset({"lower"}): "Decay after the clip: it did better.",
        frozenset({"undecided"}): "Not decided.",
    }.get(frozenset(verdicts), "It depends on the setting.")
    return (
        f"{start} Test accuracy with the penalty in the loss, against decay after the clip: {'; '.join(sides(found))}."
    )


def _pairs(tables: Tables) -> Iterator[tuple[str, str, str, str, Difference]]:
    """Where l2 and weight_decay of the same strength meet: regime, clip, both labels, the difference."""
    for (regime, clip), part in tables["runs"].groupby(["regime", "clip"], sort=False):
        labels = part["regularization"].unique()
        for label in labels:
            given = re.match(r"^l2\((.*)\)$", label)
            if given and (other := f"weight_decay({given[1]})") in labels:
                own, after = (part[part["regularization"] == one] for one in (label, other))
                yield str(regime), str(clip), label, other, Difference.between(own, after)


def per_tensor(tables: Tables) -> Answer:
    """Clipping by the norm of each tensor against that of the whole gradient, both tuned."""
    choices = chosen(tables)
    rows: list[Row] = []
    found: list[tuple[str, Difference]] = []
    for setting, part in choices[choices["kind"] == "clip"].groupby("setting", sort=False):
        if {"layer_norm", "global_norm"} <= set(part["method"]):
            tensor, whole = (part[part["method"] == one].iloc[0] for one in ("layer_norm", "global_norm"))
            own, other = run_of(tables, tensor), run_of(tables, whole)
            difference = Difference.between(own, other)
            found.append((str(setting), difference))
            rows.append(
                {
                    "setting": setting,
                    "per tensor": f"`{tensor['label']}` {percent(own['test_accuracy'].mean())}",
                    "global": f"`{whole['label']}` {percent(other['test_accuracy'].mean())}",
                    "difference (points)": difference.text,
                }
            )
    return Answer(
        "Per tensor or global?",
        _tensor_words(found),
        "Both tuned at equal budgets by validation loss; difference: per tensor less global.",
        "tuning_curves",
        rows,
    )


def _tensor_words(found: list[tuple[str, Difference]]) -> str:
    if not found:
        return ""
    verdicts = {one.verdict for _, one in found}
    start = {
        frozenset({"same"}): "No difference that matters.",
        frozenset({"higher"}): "Per tensor did better.",
        frozenset({"lower"}): "Global did better.",
        frozenset({"undecided"}): "Not decided.",
    }.get(frozenset(verdicts), "It depends on the setting.")
    return f"{start} Test accuracy of clipping per tensor, against global: {'; '.join(sides(found))}."
