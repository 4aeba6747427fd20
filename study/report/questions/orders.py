"""In which order, and by which norm: clip before or after decay, per tensor or of the whole gradient."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pandas as pd

from study.figures._style import Tables
from study.methods.labels import method_of
from study.report.questions.base import SELECTED_BY, Answer, Row, capital, cell, count, place
from study.report.questions.differences import Both
from study.report.questions.strengths import selected

ORDER = {
    "better": "the penalty in the loss, clipped with the gradient, did better",
    "some better": "the penalty in the loss, clipped with the gradient, did better in some cases and in none worse",
    "same": "it makes no difference that matters",
    "open": "no difference was shown",
    "undecided": "undecided",
    "some worse": "decay after the clip did better in some cases and in none worse",
    "worse": "decay after the clip did better",
    "mixed": "it depends on the setting",
    "nothing": "nothing to compare",
}


def before_or_after(tables: Tables) -> Answer:
    """A penalty in the loss, clipped with the gradient, against the same as weight decay after the clip."""
    both, free = Both(), Both()
    rows: list[Row] = []
    pairs = list(_pairs(tables))
    for regime, clip, label, other in pairs:
        group = both if clip != "none" else free
        name = f"`{label}` under `{clip}` in {place(tables, regime)}"
        own = group.add(name, cell(tables, regime, clip, label), cell(tables, regime, clip, other))
        rows.append({"regime": place(tables, regime), "clip": f"`{clip}`", "in the loss": f"`{label}`",
                     "after the clip": f"`{other}`", **own})  # fmt: skip
    clipped = [one for one in pairs if one[1] != "none"]
    return Answer(
        "Clip before or after decay?",
        _scoped(both.lead(ORDER), clipped) if clipped else "No clip meets both forms, so nothing can be said.",
        " ".join([_scope(clipped), both.tallies if both.any else "", _unclipped(free)]).strip(),
        "`l2` in the loss is part of the gradient that is clipped; `weight_decay` adds the same term after the clip, so"
        " that without a clip both make the same step. Difference: in the loss less after the clip. Where a form has"
        " several strengths, those of the best validation loss are compared too.",
        ("heatmap",),
        rows,
    )


def _scoped(lead: str, pairs: Sequence[tuple[str, str, str, str]]) -> str:
    if len(pairs) > 1:
        return capital(lead)
    return f"In the one case tried, {lead[0].lower()}{lead[1:]}"


def _scope(pairs: Sequence[tuple[str, str, str, str]]) -> str:
    if not pairs:
        return ""
    regimes, clips, strengths = ({one[at] for one in pairs} for at in range(3))
    return (
        f"This rests on {count(len(regimes), 'regime')}, {count(len(clips), 'clip')} and"
        f" {count(len(strengths), 'strength')} of the penalty."
    )


def _unclipped(free: Both) -> str:
    """What the two forms do where no clip can part them."""
    found = [one for _, one in free.accuracy if one.compared]
    if not found:
        return ""
    equal = sum(all(pair == 0 for pair in one.pairs) for one in found)
    return f"Without a clip they end in the same accuracy in every seed in {equal} of {count(len(found), 'case')}."


def _pairs(tables: Tables) -> Iterator[tuple[str, str, str, str]]:
    """Where l2 and weight_decay meet at the same strength, and at the best of each: regime, clip, both labels."""
    for (regime, clip), part in tables["runs"].groupby(["regime", "clip"], sort=False):
        labels = [str(one) for one in part["regularization"].unique()]
        forms = {form: [one for one in labels if method_of(one) == form] for form in ("l2", "weight_decay")}
        equal = [(one, f"weight_decay({given[1]})") for one in forms["l2"] if (given := re.match(r"^l2\((.*)\)$", one))]
        pairs = [(one, other) for one, other in equal if other in labels]
        if all(forms.values()) and any(len(own) > 1 for own in forms.values()):
            first, second = (selected(part, own, "validation_loss") for own in forms.values())
            if first and second:
                pairs = [*pairs, *([] if (first, second) in pairs else [(first, second)])]
        for one, other in pairs:
            yield str(regime), str(clip), one, other


TENSOR = {
    "better": "per tensor did better",
    "some better": "per tensor did better in some and in none worse",
    "same": "no difference that matters",
    "open": "no difference was shown",
    "undecided": "undecided",
    "some worse": "global did better in some and per tensor in none",
    "worse": "global did better",
    "mixed": "now the one, now the other did better",
    "nothing": "nothing to compare",
}


def per_tensor(tables: Tables) -> Answer:
    """Clipping by the norm of each tensor against that of the whole gradient, at the best strengths of both."""
    groups = {by: Both() for by in SELECTED_BY}
    rows: list[Row] = []
    for setting, grids in _tensor_grids(tables):
        for by, both in groups.items():
            tensor, whole = (grid[grid[by].astype(bool)].iloc[0] for grid in grids)
            own = both.add(setting, *(cell(tables, one["regime"], one["label"]) for one in (tensor, whole)))
            rows.append({"setting": setting, "strengths by": SELECTED_BY[by], "per tensor": f"`{tensor['label']}`",
                         "global": f"`{whole['label']}`", **own})  # fmt: skip
    tried = {SELECTED_BY[by]: both for by, both in groups.items() if both.accuracy}
    settings = len({str(row["setting"]) for row in rows})
    return Answer(
        "Per tensor or global?",
        _tensor_short(tried, rows, settings),
        " ".join(f"Strengths by {name}. {both.tallies}" for name, both in tried.items()),
        "Both at as many strengths; difference: per tensor less global. Tuning goes by validation loss.",
        ("tuning_curves",),
        rows,
    )


def _tensor_short(tried: dict[str, Both], rows: list[Row], settings: int) -> str:
    if not rows:
        return ""
    where = f"In the one setting compared ({rows[0]['setting']})" if settings == 1 else f"In {settings} settings"
    leads = {name: both.phrase(TENSOR) for name, both in tried.items()}
    if len(set(leads.values())) == 1:
        return f"{where}: {next(iter(leads.values()))}."
    return f"{where} it depends on how strengths are chosen. " + " ".join(
        f"By {name}: {lead}." for name, lead in leads.items()
    )


def _tensor_grids(tables: Tables) -> Iterator[tuple[str, tuple[pd.DataFrame, pd.DataFrame]]]:
    tuning = tables.get("tuning", pd.DataFrame(columns=["setting", "kind", "method"]))
    for setting, part in tuning[tuning["kind"] == "clip"].groupby("setting", sort=False):
        own = [part[part["method"] == name].reset_index(drop=True) for name in ("layer_norm", "global_norm")]
        if not any(one.empty for one in own):
            yield place(tables, setting), (own[0], own[1])
