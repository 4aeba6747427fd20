"""Questions on clipping: whether to clip, and with which clip."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from study.analysis.questions.differences import differences
from study.analysis.questions.numbers import Number
from study.analysis.questions.tuned import BOTH_WAYS, against_none, case_of, chosen
from study.methods.labels import Cell
from study.results.cells import failed
from study.results.store import Tables

STEPS = ("none", "sign", "normalized")  # the last two give every step its length, and so are no bound from above
FAILS_WITHOUT, TRAINS_WITHOUT = "fails without a clip", "trains without a clip"
ALL_TRAIN, SOME_FAIL = "all train", "some fail"


def bounding(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs of clips that bound the gradient from above."""
    return runs[~runs["clip_method"].isin(STEPS)]


def should_clip(tables: Tables) -> Iterator[Number]:
    """Compare tuned clips with the tuned baseline, with the rate given and tuned; count runs that fail with clips."""
    pairs = (pair for by in BOTH_WAYS for pair in against_none(tables, by))
    yield from differences(tables["runs"], (case for row, case in pairs if row["kind"] == "clip"))
    yield from _failures(tables["runs"])


def _failures(runs: pd.DataFrame) -> Iterator[Number]:
    """Yield how many runs of each clip fail, separately for regimes in which the baseline fails and does not."""
    alone = runs[runs["regularization"] == "none"]
    for regime, part in alone.groupby("regime", sort=False):
        free = part[part["clip"] == "none"]
        if free.empty:
            continue
        where = FAILS_WITHOUT if failed(free).any() else TRAINS_WITHOUT
        for clip, own in bounding(part).groupby("clip", sort=False):
            lost, cell = int(failed(own).sum()), Cell(str(regime), str(clip))
            word = SOME_FAIL if lost else ALL_TRAIN
            yield Number("failed", "runs", lost, n=len(own), verdict=word, part=where, own=cell)


def which_clip(tables: Tables) -> Iterator[Number]:
    """Compare, in each setting with several clips, the one of the smallest validation loss with the others as tuned."""
    choices = chosen(tables)
    clips = choices[(choices["kind"] == "clip") & (choices["method"] != "none")]
    cases = (
        case_of(row, first, part=str(setting))
        for setting, part in clips.groupby("setting", sort=False)
        for first in [part.iloc[int(part["validation_loss"].astype(float).argmin())]]
        for _, row in part.iterrows()
        if row["method"] != first["method"]
    )
    return differences(tables["runs"], cases)
