"""What the picture shows is what the rows say."""

import math
from pathlib import Path

import pytest

from study.figures._style import style_for
from study.published.picture import draw, in_margins
from study.published.results import judged, runs_of
from tests.published.test_results import truths, written


def test_each_result_is_drawn_in_margins(tmp_path: Path) -> None:
    given = truths()
    found = judged(given, runs_of(given, written(tmp_path, {"a": [30, 31, 32], "b": [8, 8.2, 8.1]})))
    (axes,) = draw(given, found, style_for([], [])).axes
    points = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "o"]
    exact, count = found.to_dict("records")
    assert points == [
        [[pytest.approx(exact["difference"] / 0.02), 0]],
        [[pytest.approx(math.log(count["difference"]) / math.log(1.5)), 1]],
    ]
    low, high = axes.get_xlim()
    assert all(low < x < high for line in axes.lines[1:] for x in line.get_xdata())
    assert {text.get_text() for text in axes.texts} == {"equivalent", "different"}


def test_a_factor_of_the_margin_is_one_margin() -> None:
    accuracy, rounds = truths().all
    assert in_margins(rounds, [1 / 1.5, 1.0, 1.5]) == pytest.approx((-1, 0, 1))
    assert in_margins(accuracy, [-0.02, 0.0, 0.04]) == pytest.approx((-1, 0, 2))


def test_nothing_run_draws_an_empty_picture(tmp_path: Path) -> None:
    given = truths()
    (axes,) = draw(given, judged(given, runs_of(given, tmp_path)), style_for([], [])).axes
    assert not axes.texts
