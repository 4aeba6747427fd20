"""Numbers behind the questions that users ask: intervals, p values, choices and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from study.analysis.questions.clips import should_clip, which_clip
from study.analysis.questions.dependence import on_data, on_net
from study.analysis.questions.numbers import ANSWERS, Number, from_table, to_table
from study.analysis.questions.orders import before_or_after, per_tensor
from study.analysis.questions.penalties import dropout_with_l2, l1_zeros
from study.analysis.questions.ranges import widens
from study.analysis.questions.rates import smaller_rate, survives
from study.analysis.questions.strengths import choose_strength, loss_or_accuracy
from study.analysis.questions.thresholds import how_often, which_threshold
from study.analysis.questions.tuned import tuned
from study.results.store import Tables

__all__ = ["ANSWERS", "QUESTIONS", "Number", "answers", "from_table"]

QUESTIONS: Mapping[str, Callable[[Tables], Iterator[Number]]] = {
    question.__name__: question
    for question in (
        should_clip,
        which_clip,
        which_threshold,
        how_often,
        widens,
        smaller_rate,
        survives,
        choose_strength,
        loss_or_accuracy,
        before_or_after,
        per_tensor,
        l1_zeros,
        dropout_with_l2,
        on_data,
        on_net,
        tuned,
    )
}


def answers(study: str, tables: Tables) -> pd.DataFrame:
    """Return the numbers behind the answer to every question that the tables can answer, columns `ANSWERS`.

    tables: `runs`; `tuning`, `regimes` and `thresholds` if the study makes them.
    """
    return to_table(study, {name: list(question(tables)) for name, question in QUESTIONS.items()})
