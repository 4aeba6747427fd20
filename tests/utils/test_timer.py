"""A stopwatch counts each second once, and its line can be read again."""

import time

from hypothesis import given
from hypothesis import strategies as st

from study.utils.timer import Timer, parse


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_what_is_inside_a_part_is_not_its_own() -> None:
    watch, started = Timer(), time.process_time()
    with watch.part("outer"):
        busy(0.01)
        with watch.part("inner"):
            busy(0.03)
    with watch.part("outer"):
        busy(0.01)
    whole = time.process_time() - started
    assert list(watch.spent) == ["outer", "inner"]
    assert watch.spent["inner"] >= 0.03
    assert watch.spent["outer"] >= 0.02
    assert sum(watch.spent.values()) <= whole


def test_a_part_that_fails_is_counted_too() -> None:
    watch = Timer()
    try:
        with watch.part("failing"):
            busy(0.01)
            raise KeyError
    except KeyError:
        pass
    assert watch.spent["failing"] >= 0.01
    assert watch.inside == [sum(watch.spent.values())]


@given(st.dictionaries(st.sampled_from(["start-up", "data", "last scores, all"]), st.integers(0, 10**6), min_size=1))
def test_its_line_is_read_again(hundredths: dict[str, int]) -> None:
    spent = {name.replace(",", ""): count / 100 for name, count in hundredths.items()}
    assert parse(Timer(spent).line()) == spent


def test_other_lines_have_no_parts() -> None:
    assert parse("epoch 1 of 2: train loss 0.5") == {}
