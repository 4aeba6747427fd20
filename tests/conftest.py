"""What most tests of the core start from: the shipped digits, one thread, examples without a time limit."""

import gc
import math
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

from study.data import Digits, load
from study.methods import plugins
from study.methods.base import Method
from tests.checkout import finished, finished_once, fresh

__all__ = ["finished", "finished_once", "fresh"]  # one finished study for the tests of the workflow and of faults

settings.register_profile("core", deadline=None)  # the first example of a test pays for imports and tracing
settings.load_profile("core")
torch.set_num_threads(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--methods", action="append", default=[], metavar="FILE", help="a file of methods to test too")
    parser.addoption("--tries", type=int, default=1, metavar="N", help="how often faults are tried at random moments")
    parser.addoption("--fault-table", metavar="FILE", help="where to write what the tests of faults saw")


def pytest_configure(config: pytest.Config) -> None:
    try:
        plugins.load(config.getoption("--methods"))
    except plugins.PluginError as error:
        raise pytest.UsageError(f"The '--methods' option {error}.") from None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("workflow") is None)  # the longest first


def pytest_collection_finish() -> None:
    # statsmodels collects garbage at each adjustment, which among all the libraries loaded here takes most of a second.
    gc.freeze()


@pytest.fixture(scope="session")
def digits() -> Digits:
    return load("mnist-sample", Path())


@pytest.fixture
def registries_as_before() -> Iterator[None]:
    """Methods that the test registers are gone after it."""
    before = {family: dict(family.members) for family in Method.__subclasses__()}
    yield
    for family, members in before.items():
        family.members = members


@pytest.fixture
def global_randomness_untouched() -> Iterator[None]:
    """The states of the global random streams, brought to an unlikely place, must be there still after the test."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(918273645)
        np.random.seed(192837465)  # noqa: NPY002
        random.seed(564738291)
        before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
        yield
        assert torch.equal(before[0], torch.get_rng_state())
        assert before[1:] == (np.random.get_state()[1].tolist(), random.getstate())  # noqa: NPY002


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures which tests recorded as "simulated", in the order of the file, from whichever process ran them."""
    figures = sorted(
        (*report.location[:2], *value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if report.when == "call"
        for name, value in report.user_properties
        if name == "simulated"
    )
    if figures:
        terminalreporter.section("coverage and error rates, simulated")
        terminalreporter.write_line(f"{'what':<64} {'nominal':>8} {'seen':>7} {'3 sigma':>8} {'simulations':>12}")
    for _, _, what, nominal, seen, n in figures:
        error = 3 * math.sqrt(seen * (1 - seen) / n)
        terminalreporter.write_line(f"{what:<64} {nominal:>8.4f} {seen:>7.4f} {error:>8.4f} {n:>12,}")
