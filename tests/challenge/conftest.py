"""A small frozen benchmark with its published tables, and a copy of one of its methods as if it were a stranger's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from study.challenge.command import Rank, command_of
from study.challenge.entry import Entry
from study.challenge.outcome import entry_of
from study.challenge.plan import Plan, trials_path
from study.jobs.trials import train_trials
from study.jobs.worker import Order, train_one
from study.methods.base import Method
from tests.challenge.published import COPY, publish


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory, with a frozen study, its tables, terms and a file `mine.py`; registries are kept."""
    before, folder = Path.cwd(), tmp_path_factory.mktemp("challenge")
    members = {family: dict(family.members) for family in Method.__subclasses__()}
    os.chdir(folder)
    publish(folder)
    (folder / "mine.py").write_text(COPY)
    yield folder
    os.chdir(before)
    for family, known in members.items():
        family.members = known


@pytest.fixture(scope="package")
def rank(folder: Path) -> Rank:
    """The method of `mine.py` with all that ranks it trained."""
    found = command_of({"method": "mine.py", "terms": "terms.yaml"})
    assert isinstance(found, Rank)
    train(found.plan)
    return found


@pytest.fixture(scope="package")
def entry(rank: Rank) -> Entry:
    return entry_of(rank)


def train(plan: Plan) -> None:
    """All trainings of a plan, in this process."""
    for one in plan.tried.values():
        train_trials("small", one, one.data.folder, trials_path(plan.folder, one))
    for each in plan.trainings:
        assert train_one(Order(**plan.order(each))) == 0


@pytest.fixture
def published_trials(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "published/trials.csv")


@pytest.fixture
def terms(folder: Path) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((folder / "terms.yaml").read_text())
    return found
