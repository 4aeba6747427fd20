"""Trainings in packs: fixed by the grid, of a minute at most, and stamped where all their tables are there."""

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from cases import variant
from hypothesis import given
from hypothesis import strategies as st

from study.config.cost import SECONDS_OF_PACK
from study.config.variants import Block
from study.jobs import packs
from study.jobs.packs import LEAST, Pack, Task, most_seconds, packed, settle

DATA = ("mnist-sample", "mnist")


def task(number: int, epochs: int = 2, data: str = DATA[0], root: Path = Path("runs")) -> Task:
    given = variant(epochs=epochs, data={"name": data, "train_size": 300, "validation_size": 100})
    return Task(given, Block((number,)), root / str(number), root / f"{number}.log")


TASKS = st.lists(st.tuples(st.integers(1, 2000), st.sampled_from(DATA)), min_size=1, max_size=60).map(
    lambda each: [task(i, epochs, data) for i, (epochs, data) in enumerate(each)]
)


@given(TASKS)
def test_every_training_is_in_one_pack_in_the_order_of_the_grid(tasks: list[Task]) -> None:
    assert [one for pack in packed(tasks).values() for one in pack.tasks] == tasks


@given(TASKS)
def test_a_pack_has_one_data_set_and_a_minute_of_work_or_one_training(tasks: list[Task]) -> None:
    most = most_seconds(tasks)
    for pack in packed(tasks).values():
        assert len({one.variant.data.name for one in pack.tasks}) == 1
        assert len(pack.tasks) == 1 or pack.seconds <= most


@given(TASKS)
def test_neighbours_are_apart_only_where_together_they_would_be_too_much(tasks: list[Task]) -> None:
    most = most_seconds(tasks)
    several = list(packed(tasks).values())
    for left, right in pairwise(several):
        first = right.tasks[0]
        other = first.variant.data.name != left.tasks[0].variant.data.name
        assert other or Pack((*left.tasks, first)).seconds > most


def test_short_trainings_share_a_process_and_a_study_keeps_sixteen_cores_busy_where_that_is_worth_it() -> None:
    together = max(n for n in range(1, 100) if Pack((task(0),) * n).seconds <= LEAST)
    assert [len(pack.tasks) for pack in packed([task(i) for i in range(2 * together)]).values()] == [together] * 2
    middling = [task(i, epochs=2000) for i in range(16)]
    assert LEAST < middling[0].seconds < SECONDS_OF_PACK
    assert len(packed(middling)) == 16
    assert max(len(pack.tasks) for pack in packed([task(i) for i in range(1000)]).values()) >= 50


@pytest.fixture
def stamped(tmp_path: Path) -> tuple[packs.Pack, Path]:
    """A pack of three trainings whose tables are there, and where its stamp goes."""
    pack = packs.Pack(tuple(task(i, root=tmp_path / "runs") for i in range(3)))
    for one in pack.tasks:
        one.folder.mkdir(parents=True)
        for path in one.tables.values():
            path.write_text("a table")
    return pack, tmp_path / "packs" / pack.name


def test_a_stamp_is_as_old_as_the_newest_table(stamped: tuple[packs.Pack, Path]) -> None:
    pack, stamp = stamped
    newest = pack.tasks[1].tables["steps"]
    os.utime(newest, ns=(2**61, 2**61))
    settle({stamp: pack})
    assert stamp.stat().st_mtime_ns == newest.stat().st_mtime_ns


def test_a_missing_table_takes_the_stamp_with_it_and_nothing_else(stamped: tuple[packs.Pack, Path]) -> None:
    pack, stamp = stamped
    settle({stamp: pack})
    pack.tasks[2].tables["epochs"].unlink()
    settle({stamp: pack})
    assert not stamp.exists()
    assert pack.missing == (pack.tasks[2],)
    assert all(path.exists() for one in pack.tasks[:2] for path in one.tables.values())


def test_what_is_forced_loses_its_tables(stamped: tuple[packs.Pack, Path]) -> None:
    pack, _ = stamped
    packs.drop(pack)
    assert pack.missing == pack.tasks


def test_other_trainings_are_another_pack() -> None:
    pack = packs.Pack((task(1), task(2)))
    assert pack.name != packs.Pack((task(1),)).name
    assert pack.name != packs.Pack((task(1), replace(task(2), folder=Path("other")))).name
