"""Questions of users, answered in words from the table `answers`, with a figure and the numbers."""

from __future__ import annotations

from collections.abc import Callable

from study.report.questions.base import Answer, Told
from study.report.questions.clips import should_clip, which_clip
from study.report.questions.dependence import on_data, on_net
from study.report.questions.orders import before_or_after, per_tensor
from study.report.questions.penalties import dropout_with_l2, l1_zeros
from study.report.questions.ranges import widens
from study.report.questions.rates import smaller_rate, survives
from study.report.questions.strengths import choose_strength, loss_or_accuracy
from study.report.questions.thresholds import how_often, which_threshold
from study.results.store import Tables

__all__ = ["QUESTIONS", "Answer", "answers"]

QUESTIONS: tuple[Callable[[Told], Answer], ...] = (
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
)


def answers(tables: Tables) -> list[Answer]:
    """The questions that the tables `answers` and `regimes` can answer, in order."""
    told = Told(tables)
    found = [one(told) for one in QUESTIONS]
    return [answer for answer in found if answer.rows]
