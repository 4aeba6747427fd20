"""What users ask, answered from the tables: in words made of numbers, with a figure and the numbers."""

from __future__ import annotations

from collections.abc import Callable

from study.answers.base import Answer
from study.answers.clips import should_clip, which_clip
from study.answers.dependence import on_data, on_net
from study.answers.orders import before_or_after, per_tensor
from study.answers.penalties import dropout_with_l2, l1_zeros
from study.answers.ranges import widens
from study.answers.rates import smaller_rate, survives
from study.answers.strengths import choose_strength, loss_or_accuracy
from study.answers.thresholds import how_often, which_threshold
from study.figures.style import Tables

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
