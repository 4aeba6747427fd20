"""What users ask, answered from the tables: in words made of numbers, with a figure and the numbers."""

from __future__ import annotations

from collections.abc import Callable

from study.figures._style import Tables
from study.report.questions.base import Answer
from study.report.questions.clips import should_clip, which_clip
from study.report.questions.dependence import on_data, on_net
from study.report.questions.orders import before_or_after, per_tensor
from study.report.questions.penalties import dropout_with_l2, l1_zeros
from study.report.questions.ranges import widens
from study.report.questions.rates import smaller_rate, survives
from study.report.questions.strengths import choose_strength, loss_or_accuracy
from study.report.questions.thresholds import how_often, which_threshold

__all__ = ["QUESTIONS", "Answer", "answers"]

QUESTIONS: tuple[Callable[[Tables], Answer], ...] = (
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
    """The questions that these tables can answer, in order."""
    found = [one(tables) for one in QUESTIONS]
    return [answer for answer in found if answer.rows]
