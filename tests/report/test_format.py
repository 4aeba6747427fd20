"""What the report says of the numbers: nothing more than they carry."""

import math

import pytest

from study.report.format import Effect, decided_sentences, interval_of, number, p_text, percent


def effect(label: str, estimate: float, low: float, high: float, p: float) -> Effect:
    return Effect(label, "test_accuracy", estimate, low, high, p, n=10, n_undefined=0, superiority=1.0)


def test_numbers_are_written_for_people() -> None:
    assert [number(x) for x in (-12.34, 0.123, 0.0123, -0.00012, 1e-17, math.nan)] == [
        "−12.3",
        "0.12",
        "0.012",
        "−0.0001",
        "0.000",
        "undefined",
    ]
    assert number(1.5, sign=True) == "+1.5"
    assert number(0.0, sign=True) == "0", "exactly none, as of a method that never acted"
    assert [p_text(p) for p in (0.0004, 0.012, 1.0, math.nan)] == ["< .001", ".012", "1.000", "undefined"]
    assert [percent(share) for share in (0.9657, -0.001, math.nan)] == ["96.6 %", "−0.1 %", "undefined"]


@pytest.mark.parametrize(
    ("low", "high", "p", "decided"),
    [
        (0.01, 0.03, 0.01, True),
        (-0.01, 0.03, 0.01, False),
        (0.01, 0.03, 0.06, False),
        (math.nan, math.nan, math.nan, False),
    ],
)
def test_decided_needs_the_interval_and_the_test(low: float, high: float, p: float, decided: bool) -> None:
    assert effect("value(0.1)", 0.02, low, high, p).decided is decided


def test_rises_and_falls_are_told_apart_and_what_is_undecided_is_left_to_the_table() -> None:
    found = [
        effect("value(1)", 0.05, 0.04, 0.06, 0.01),
        effect("l2(0.1)", -0.05, -0.06, -0.04, 0.01),
        effect("open(1)", 0.01, -0.01, 0.02, 0.4),
        effect("idle(1)", 0.0, 0.0, 0.0, 1.0),
    ]
    assert list(decided_sentences(found, "test_accuracy")) == [
        "The test accuracy rose with clip values at ±1 (+5.0 points).",
        "The test accuracy fell with L2, lambda 0.1 (−5.0 points).",
    ]


def test_an_interval_that_is_not_there_is_left_out() -> None:
    row = {"estimate": 0.25, "low": math.nan, "high": math.nan}
    assert "undefined" not in interval_of(row, scale=100, signed=True)
