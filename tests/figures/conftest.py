"""Studies to draw, each drawn once for all tests."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from study.figures import FIGURES
from study.figures._style import Style, style_for

from .geometry import Layout, measure
from .synthetic import CLIPS, DEFAULT, REGULARIZATIONS, Grid, all_diverged, tables, wide
from .synthetic_study import swept_tables
from .synthetic_trials import trial_tables

Tables = Mapping[str, pd.DataFrame]

UNSTABLE = {"unstable": (CLIPS, REGULARIZATIONS)}
STUDIES: dict[str, Callable[[], Tables]] = {
    "default": lambda: tables(Grid(DEFAULT, seeds=5, windows=8, part_of="trainings")),
    "one seed": lambda: tables(Grid(UNSTABLE, seeds=1, windows=8)),
    "two variants": lambda: tables(Grid({"smoke": (CLIPS[:2], REGULARIZATIONS[:2])}, seeds=3, windows=8)),
    "baseline alone": lambda: tables(Grid({"smoke": (("none",), ("none",))}, seeds=3, windows=8)),
    "all diverged": lambda: all_diverged(Grid(UNSTABLE, seeds=3, windows=4)),
    "12 x 12": lambda: tables(replace(wide(12, 12, regime="unstable"), part_of="many")),
    "no step measured": lambda: without_steps(
        tables(Grid({"smoke": (CLIPS[:3], REGULARIZATIONS[:2])}, seeds=2, windows=1))
    ),
    "swept": swept_tables,
    "trials": trial_tables,
    "adversarial": lambda: with_samples(tables(Grid({"play": (CLIPS, REGULARIZATIONS)}, seeds=3, windows=8))),
    "federated": lambda: with_clients(tables(Grid({"steps": (CLIPS[:3], REGULARIZATIONS[:2])}, seeds=3, windows=8))),
}

OF_TRIALS = {"gains", "leaderboard", "budgets", "robustness"}  # tables that only a study tuned by trials has
SWEPT = ("sweeps", "tuning_curves", "firing", "profiles")
DRAWN = [
    (name, figure)
    for name in STUDIES
    for figure in FIGURES
    if set(FIGURES[figure].needs) & OF_TRIALS or figure == "lr_map" or name != "trials"
    if not set(FIGURES[figure].needs) & OF_TRIALS or name == "trials"
    if figure != "lr_map" or name == "trials"
    if figure in SWEPT or name != "swept"  # whose other tables are not made
    if figure == "clients" or name != "federated"  # which differs from "default" in nothing else
    if (figure == "samples") == (name == "adversarial")
]


def with_samples(made: Tables) -> Tables:
    """Return the study with a table of digits, which here are noise."""
    keys, rng = made["runs"][["study", "regime", "clip", "regularization", "seed"]], np.random.default_rng(1)
    each = keys.merge(pd.DataFrame({"sample": range(12)}), how="cross")
    return {**made, "samples": each.assign(pixels=[rng.bytes(784) for _ in range(len(each))])}


def with_clients(made: Tables) -> Tables:
    """Return the study with what federated training notes of each round, nothing before the first."""
    epochs, rng = made["epochs"], np.random.default_rng(1)
    noted = {name: rng.uniform(0.1, 0.9, len(epochs)) for name in ("update_norm", "client_cosine", "update_clipped")}
    after = {name: np.where(epochs["epoch"] > 0, values, np.nan) for name, values in noted.items()}
    return {**made, "epochs": epochs.assign(**after)}


def without_steps(made: Tables) -> Tables:
    """The study with `every_step` off: windows and tensors have no rows, the windows no statistics either."""
    bare = ["study", "regime", "clip", "regularization", "seed", "step", "last_step"]
    return {**made, "steps": made["steps"].loc[[], bare], "tensors": made["tensors"].iloc[:0]}


@cache
def study(name: str) -> Tables:
    return STUDIES[name]()


@cache
def style_of(name: str) -> Style:
    runs = study(name)["runs"]
    return style_for(runs["clip"], runs["regularization"])


@cache
def drawn(name: str, figure: str) -> Figure:
    """The figure from its own tables only, as the workflow gives them."""
    needed = {table: study(name)[table] for table in FIGURES[figure].needs}
    return FIGURES[figure].draw(needed, style_of(name))


@cache
def measured(name: str, figure: str) -> Layout:
    return measure(drawn(name, figure))


@pytest.fixture
def default() -> Tables:
    return study("default")


@pytest.fixture
def style() -> Style:
    return style_of("default")


@pytest.fixture
def draw() -> Callable[[str], Figure]:
    """Draws a figure of the default study; it is shared, so leave it as it is."""
    return lambda figure: drawn("default", figure)
