"""Records and their tables: no extreme is lost, gaps are defined once, columns are those agreed on."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from cases import variant
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from study.config.variants import RunSpec
from study.data import Digits
from study.training import engine
from study.training.evaluation import Score
from study.training.recorder import EPOCH_COLUMNS, STEP_COLUMNS
from study.training.records import RunRecord, magnitudes, run_row, thinned, tidy, windows

KEYS = ["study", "regime", "clip", "regularization", "seed"]
SCORES = [f"{part}_{what}" for part in ("train", "validation", "test") for what in ("loss", "accuracy")]
GAPS = ["gap_accuracy", "gap_loss"]
APART = ["train_right_loss", "train_right_accuracy", "memorised"]
GAPS_APART = ["gap_right_accuracy", "gap_right_loss"]
PROBES = [
    "sample_norm_q10",
    "sample_norm_q50",
    "sample_norm_q90",
    "noise_scale",
    "signal_to_noise",
    "first_to_last",
    "hessian_top",
]
STATISTICS = [
    "loss",
    "norm_before",
    "norm_after",
    "coefficient",
    "fired",
    "changed",
    "cosine",
    "update_ratio",
    "finite",
]


def spread_of(names: list[str]) -> list[str]:
    return [f"{name}{end}" for name in names for end in ("", "_min", "_max")]


# The agreed columns; other code and other people's notebooks rely on them.
CONTRACT = {
    "runs": [*KEYS, "fold", "digest", "status", "cause", "diverged_step", "best_epoch"]
    + [f"{at}{name}" for at in ("", "best_") for name in (*SCORES, *GAPS, *APART, *GAPS_APART)]
    + [
        "clip_rate",
        "spike_score",
        "norm_max",
        "norm_median",
        "weight_norm",
        "weight_max",
        "weight_zero",
        "weight_small",
    ]
    + ["steps", "epochs", "wall_seconds"]
    + ["clip_method", "clip_strength", "regularization_method", "regularization_strength"],
    "epochs": [*KEYS, "epoch", *SCORES, *PROBES, "dead_units", *APART],
    "steps": [*KEYS, "step", "last_step", *spread_of(STATISTICS)],
    "tensors": [*KEYS, "step", "last_step", "tensor", *spread_of(["norm_before", "norm_after"])],
    "weights": [*KEYS, "tensor", "low", "high", "share"],
}
TENSORS = [f"layers.{layer}.{part}" for layer in range(3) for part in ("weight", "bias")]


@pytest.fixture(scope="module")
def records(digits: Digits) -> list[RunRecord]:
    """Two runs of a variant, probed at the first and the last of three epochs, in four windows."""
    v = variant(epochs=3, statistics={"windows": 4, "probes": 2, "probe_samples": 8})
    return engine.train(v, [7, 2], digits)


@pytest.fixture(scope="module")
def tables(records: list[RunRecord]) -> dict[str, pd.DataFrame]:
    return tidy("example", records)


@pytest.mark.parametrize("name", CONTRACT)
def test_columns_are_those_agreed_on(tables: dict[str, pd.DataFrame], name: str) -> None:
    assert list(tables) == list(CONTRACT)
    assert sorted(tables[name]) == sorted(CONTRACT[name])
    assert list(tables[name])[: len(KEYS)] == KEYS
    assert set(tables[name]["study"]) == {"example"}
    assert set(tables[name]["clip"]) == {"global_norm(0.5)"}
    assert set(tables[name]["regularization"]) == {"none"}
    assert list(tables[name]["seed"].unique()) == [7, 2]


@pytest.mark.parametrize("name", CONTRACT)
def test_columns_are_there_without_statistics_of_steps_too(digits: Digits, name: str) -> None:
    v = variant(statistics={"every_step": False, "probes": 0})
    table = tidy("example", engine.train(v, [0], digits))[name]
    assert sorted(table) == sorted(CONTRACT[name])
    assert (len(table) == 0) == (name in ("steps", "tensors"))


def test_types_of_runs(tables: dict[str, pd.DataFrame]) -> None:
    runs = tables["runs"]
    assert runs["diverged_step"].dtype == "Int64"
    assert runs["diverged_step"].isna().all()
    for column in ("seed", "best_epoch", "steps", "epochs"):
        assert pd.api.types.is_integer_dtype(runs[column])
    for column in (*SCORES, *GAPS, "clip_rate", "norm_max", "weight_norm", "wall_seconds"):
        assert pd.api.types.is_float_dtype(runs[column])


def test_one_row_a_run_epoch_window_tensor_and_bin(tables: dict[str, pd.DataFrame]) -> None:
    per_run = {name: table.groupby("seed").size().tolist() for name, table in tables.items()}
    assert per_run == {
        "runs": [1, 1],
        "epochs": [4, 4],
        "steps": [4, 4],
        "tensors": [4 * len(TENSORS)] * 2,
        "weights": [3 * 101] * 2,
    }
    assert tables["epochs"]["epoch"].tolist() == [0, 1, 2, 3] * 2
    assert tables["steps"]["step"].tolist() == [0, 3, 7, 11] * 2
    assert tables["steps"]["last_step"].tolist() == [2, 6, 10, 14] * 2
    assert list(tables["tensors"]["tensor"].unique()) == TENSORS
    assert list(tables["weights"]["tensor"].unique()) == [key for key in TENSORS if key.endswith("weight")]


def test_probes_are_nan_where_none_was_made(tables: dict[str, pd.DataFrame]) -> None:
    epochs = tables["epochs"]
    probed = epochs["epoch"].isin([0, 3])
    assert epochs.loc[probed, [*PROBES, "test_loss"]].notna().all(axis=None)
    assert epochs.loc[~probed, [*PROBES, "dead_units", "test_loss", "test_accuracy"]].isna().all(axis=None)
    assert epochs[SCORES[:4]].notna().all(axis=None)


def test_a_run_sums_up_its_steps_and_epochs(records: list[RunRecord], tables: dict[str, pd.DataFrame]) -> None:
    for record, row in zip(records, tables["runs"].to_dict("records"), strict=True):
        assert row["digest"] == RunSpec(record.variant, record.seed).digest
        assert (row["steps"], row["epochs"], row["status"], row["cause"]) == (15, 3, "ok", "")
        assert row["clip_rate"] == np.mean(record.steps["norm_before"] > 0.5)
        assert row["norm_max"] == record.steps["norm_before"].max()
        assert row["norm_median"] == np.median(record.steps["norm_before"])
        validation = record.epochs["validation_loss"][1:]
        assert row["best_epoch"] == 1 + int(np.argmin(validation))
        assert row["best_validation_loss"] == validation.min()
        assert row["validation_loss"] == validation[-1]
        assert row["test_loss"] == record.epochs["test_loss"][-1]


def score_table(train: tuple[float, float], test: tuple[float, float]) -> dict[str, Score]:
    return {"train": Score(*train), "validation": Score(9.0, 0.9), "test": Score(*test)}


def test_gaps(records: list[RunRecord]) -> None:
    """Positive where the net does better on what it was trained on."""
    fields = {name: getattr(records[0], name) for name in RunRecord.__dataclass_fields__}
    fields |= {"final": score_table((0.25, 0.75), (1.0, 0.5)), "best": score_table((0.5, 0.5), (0.25, 0.75))}
    row = run_row("example", RunRecord(**fields))
    assert (row["gap_accuracy"], row["gap_loss"]) == (0.25, 0.75)
    assert (row["best_gap_accuracy"], row["best_gap_loss"]) == (-0.25, -0.25)
    assert (row["train_loss"], row["train_accuracy"], row["best_test_accuracy"]) == (0.25, 0.75, 0.75)


def test_gaps_where_labels_are_wrong(digits: Digits) -> None:
    """A net that learns the right labels first: what it makes of both parts adds up to its training accuracy."""
    noisy = {"data": {"name": "mnist-sample", "train_size": 500, "validation_size": 100, "label_noise": 0.2}}
    tables = tidy("example", engine.train(variant(epochs=3, statistics={"curve_samples": 500}, **noisy), [7], digits))
    row, last = tables["runs"].iloc[0], tables["epochs"].iloc[-1]
    assert 0.8 * row["train_right_accuracy"] + 0.2 * row["memorised"] == pytest.approx(row["train_accuracy"])
    assert row["gap_right_accuracy"] == row["train_right_accuracy"] - row["test_accuracy"]
    assert row["gap_right_loss"] == row["test_loss"] - row["train_right_loss"]
    assert row["memorised"] < 0.3 < row["train_right_accuracy"]
    assert last[APART].tolist() == row[APART].tolist(), "the curve is of all digits here"


@given(steps=st.integers(0, 500), count=st.integers(1, 300))
def test_windows_partition_the_steps(steps: int, count: int) -> None:
    table = thinned({"x": np.zeros(steps, np.float32)}, count)
    covered = [s for first, last in zip(table["step"], table["last_step"], strict=True) for s in range(first, last + 1)]
    assert covered == list(range(steps))
    assert len(table) == len(windows(steps, count)) == min(count, steps)
    lengths = table["last_step"] - table["step"] + 1
    assert steps == 0 or lengths.max() - lengths.min() <= 1


@given(
    values=arrays.arrays(np.float32, st.integers(1, 60), elements=st.floats(-1e6, 1e6, width=32)),
    count=st.integers(1, 70),
)
def test_thinning_keeps_extremes_and_means(values: np.ndarray, count: int) -> None:
    table = thinned({"x": values}, count)
    assert table["x_min"].min() == values.min()
    assert table["x_max"].max() == values.max()
    for row in table.itertuples():
        inside = values[row.step : row.last_step + 1].astype(float)
        assert (row.x_min, row.x_max) == (inside.min(), inside.max())
        assert row.x == pytest.approx(inside.mean(), rel=1e-6, abs=1e-6)


@given(
    values=arrays.arrays(np.float32, st.integers(2, 40), elements=st.floats(-10, 10, width=32)),
    bad=st.sampled_from([math.nan, math.inf, -math.inf]),
    at=st.integers(0, 10**6),
    count=st.integers(1, 10),
)
def test_thinning_keeps_what_is_not_finite_visible(values: np.ndarray, bad: float, at: int, count: int) -> None:
    at %= len(values)
    values[at] = bad
    row = thinned({"x": values}, count).query("step <= @at <= last_step").iloc[0]
    assert not math.isfinite(row["x"])
    assert not math.isfinite(row["x_max"] if bad == math.inf else row["x_min"])


@given(
    numbers=st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=40),
    zeros=st.integers(0, 10),
)
def test_histogram_of_weights(numbers: list[float], zeros: int) -> None:
    w = torch.tensor([*numbers, *[0.0] * zeros])
    h, plain = magnitudes(w), [abs(x) for x in w.tolist()]
    assert h.zero + h.shares.sum() == pytest.approx(1)
    assert h.zero == plain.count(0) / len(plain)
    assert h.small == sum(x < 1e-3 for x in plain) / len(plain)
    assert h.largest == max(plain)
    assert h.norm == pytest.approx(math.hypot(*plain), rel=1e-6)
    assert h.count == len(plain)
    for low, high, share in list(zip(h.edges, h.edges[1:], h.shares, strict=False))[1:-1]:
        assert share == sum(low <= x < high for x in plain) / len(plain)


def test_weights_far_out_are_counted_in_the_end_bins() -> None:
    h = magnitudes(torch.tensor([1e-30, 1e20, 0.0, 1.0]))
    assert (h.shares[0], h.shares[-1], h.zero) == (0.25, 0.25, 0.25)


def test_weights_of_a_run(tables: dict[str, pd.DataFrame]) -> None:
    weights = tables["weights"]
    assert weights.groupby(["seed", "tensor"])["share"].sum().to_numpy() == pytest.approx(1)
    zero = weights.query("high == 0")
    assert (zero["low"] == 0).all()
    assert len(zero) == 2 * 3
    bins = weights.query("high > 0")
    assert (bins["high"] / bins["low"]).to_numpy() == pytest.approx(10**0.1)


def test_sums_over_weight_tensors(records: list[RunRecord]) -> None:
    fields = {name: getattr(records[0], name) for name in RunRecord.__dataclass_fields__}
    fields["weights"] = {
        "a": magnitudes(torch.tensor([[3.0, 0.0]])),
        "b": magnitudes(torch.tensor([[4.0, 5e-4, 0, 0]])),
    }
    row = run_row("example", RunRecord(**fields))
    assert row["weight_norm"] == pytest.approx(5)
    assert (row["weight_max"], row["weight_zero"], row["weight_small"]) == (4, 3 / 6, 4 / 6)


def test_the_columns_of_the_journal_are_named_once() -> None:
    assert sorted(STEP_COLUMNS) == sorted(STATISTICS)
    assert sorted(EPOCH_COLUMNS) == sorted([*SCORES, *PROBES, "dead_units", *APART])
