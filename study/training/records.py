"""Records of runs, and their tidy tables, by one column contract that is checked when a table is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from study.config.variants import RunSpec, Variant
from study.methods.labels import columns_of
from study.results.store import KEYS
from study.training.evaluation import Score
from study.training.spikes import spike_score

Floats = NDArray[np.floating]
OF_WRONG_LABELS = ("train_right_loss", "train_right_accuracy", "memorised")  # undefined where none is wrong
EPOCH_SCORES = tuple(f"{part}_{what}" for part in ("train", "validation", "test") for what in ("loss", "accuracy"))


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run: `ok`, or `diverged` with its cause and, if a step shows it, the step (from 0)."""

    status: Literal["ok", "diverged"]
    cause: str = ""
    step: int | None = None

    @classmethod
    def judge(cls, accuracy: float, finite: bool, steps: Floats, columns: Sequence[str], chance: float) -> Outcome:
        """Return the outcome of a run from its final training accuracy, its parameters and its steps [S, C]."""
        broken, failed = not finite or accuracy != accuracy, accuracy <= chance
        bad = np.flatnonzero(steps[:, columns.index("finite")] == 0)
        if broken and not bad.size:
            return cls("diverged", "non-finite parameters")
        if bad.size and (broken or failed):  # also where a clip made zeros of a gradient whose norm is beyond float32
            loss = steps[bad[0], columns.index("loss")]
            return cls("diverged", f"non-finite {'gradient' if np.isfinite(loss) else 'loss'}", int(bad[0]))
        if failed:
            return cls("diverged", "chance level")
        return cls("ok")


@dataclass(frozen=True)
class Histogram:
    """Shares of |w| in bins between `edges` [n + 1], log-spaced, extremes in the end bins, and what they leave out."""

    edges: Floats
    shares: Floats
    zero: float
    small: float
    largest: float
    norm: float
    count: int


EDGES = np.logspace(-8, 2, 101)


def magnitudes(weights: Tensor) -> Histogram:
    """The distribution of |w| of one tensor."""
    w = weights.detach().abs().flatten().double().cpu().numpy()
    counts, _ = np.histogram(np.clip(w[w > 0], EDGES[0], EDGES[-1]), EDGES)
    return Histogram(
        edges=EDGES,
        shares=counts / w.size,
        zero=float((w == 0).mean()),
        small=float((w < 1e-3).mean()),
        largest=float(w.max()),
        norm=float(np.sqrt(np.square(w).sum())),
        count=w.size,
    )


@dataclass(frozen=True, eq=False)
class RunRecord:
    """Record of one run: its identity, outcome and measurements. `fold`: the fold left out in cross-validation.

    final, best: scores of `train`, `validation`, `test` at the last epoch and at the best validation epoch; epochs:
    arrays [E + 1]; steps: arrays [S]; tensors: by parameter, norms before and after the clip [S, 2]; samples: grey
    levels [N, P] of digits that the model makes, if it makes any.
    """

    variant: Variant
    seed: int
    fold: int | None
    outcome: Outcome
    final: Mapping[str, Score]
    best: Mapping[str, Score]
    best_epoch: int
    epochs: Mapping[str, Floats]
    steps: Mapping[str, Floats]
    tensors: Mapping[str, Floats]
    weights: Mapping[str, Histogram]
    steps_taken: int
    wall_seconds: float
    samples: Tensor | None = None


def keys(study: str, record: RunRecord) -> dict[str, str | int]:
    """Return the key columns of a record."""
    variant = record.variant
    return dict(
        zip(KEYS, (study, variant.regime, variant.clip_label, variant.regularization_label, record.seed), strict=True)
    )


def run_row(study: str, record: RunRecord) -> dict[str, object]:
    """Return the row of `runs` for a record."""
    weights = list(record.weights.values())
    share = np.array([h.count for h in weights], float) / sum(h.count for h in weights)
    fired, before = record.steps["fired"], record.steps["norm_before"]
    return {
        **keys(study, record),
        **columns_of("clip", [record.variant.clip]),
        **columns_of("regularization", record.variant.regularization),
        "fold": record.fold,
        "digest": RunSpec(record.variant, record.seed, record.fold).digest,
        "status": record.outcome.status,
        "cause": record.outcome.cause,
        "diverged_step": record.outcome.step,
        "best_epoch": record.best_epoch,
        **_scores(record.final, ""),
        **_scores(record.best, "best_"),
        "clip_rate": float(fired.mean()) if fired.size else np.nan,
        "spike_score": spike_score(record.steps["loss"]),
        "norm_max": float(before.max()) if before.size else np.nan,
        "norm_median": float(np.median(before)) if before.size else np.nan,
        "weight_norm": float(np.sqrt(sum(h.norm**2 for h in weights))),
        "weight_max": max(h.largest for h in weights),
        "weight_zero": float(share @ [h.zero for h in weights]),
        "weight_small": float(share @ [h.small for h in weights]),
        "steps": record.steps_taken,
        "epochs": len(next(iter(record.epochs.values()))) - 1,
        "wall_seconds": record.wall_seconds,
        **record.variant.workload.outcomes(record.epochs),
        **_own_scores(record),
    }


def _scores(parts: Mapping[str, Score], prefix: str) -> dict[str, float]:
    """Losses, accuracies and the gaps, train - test in accuracy and test - train in cross-entropy.

    Where training labels are wrong, the same of those that are right, and the share of the wrong that the model gives.
    """
    columns = {f"{prefix}{name}_{what}": getattr(s, what) for name, s in parts.items() for what in ("loss", "accuracy")}
    train, test = parts["train"], parts["test"]
    return columns | {
        f"{prefix}gap_accuracy": train.accuracy - test.accuracy,
        f"{prefix}gap_loss": test.loss - train.loss,
        f"{prefix}train_right_loss": train.right_loss,
        f"{prefix}train_right_accuracy": train.right_accuracy,
        f"{prefix}memorised": train.memorised,
        f"{prefix}gap_right_accuracy": train.right_accuracy - test.accuracy,
        f"{prefix}gap_right_loss": test.loss - train.right_loss,
    }


def _own_scores(record: RunRecord) -> dict[str, float]:
    """The user's metrics, NaN where outputs are not finite."""
    return {
        f"{prefix}{part}_{metric.name}": dict(score.own).get(metric.name, np.nan)
        for prefix, parts in (("", record.final), ("best_", record.best))
        for metric in record.variant.metrics
        for part, score in parts.items()
    }


def epoch_rows(study: str, record: RunRecord) -> pd.DataFrame:
    """Return the rows of `epochs` for a record."""
    table = pd.DataFrame(dict(record.epochs))
    table.insert(0, "epoch", np.arange(len(table)))
    return _keyed(study, record, table)


def windows(steps: int, count: int) -> NDArray[np.int64]:
    """Return the first steps of up to `count` windows of nearly equal length, [W]."""
    return np.unique(np.linspace(0, steps, min(count, steps), endpoint=False).astype(np.int64))


def thinned(columns: Mapping[str, Floats], count: int) -> pd.DataFrame:
    """Return mean, minimum and maximum of each column in each window, so that no extreme is lost.

    Non-finite values stay visible: the mean of a window that holds one is non-finite too.
    """
    steps = len(next(iter(columns.values())))
    first = windows(steps, count)
    length = np.diff([*first, steps])
    table: dict[str, NDArray[Any]] = {"step": first, "last_step": first + length - 1}
    with np.errstate(all="ignore"):
        for name, values in columns.items():
            table[name] = (np.add.reduceat(values.astype(np.float64), first) / length).astype(np.float32)
            table[f"{name}_min"] = np.minimum.reduceat(values, first)
            table[f"{name}_max"] = np.maximum.reduceat(values, first)
    return pd.DataFrame(table)


def step_rows(study: str, record: RunRecord) -> pd.DataFrame:
    """Return the rows of `steps` for a record."""
    return _keyed(study, record, thinned(record.steps, record.variant.statistics.windows))


def tensor_rows(study: str, record: RunRecord) -> pd.DataFrame:
    """Return the rows of `tensors` for a record."""
    parts = []
    for key, norms in record.tensors.items():
        columns = {"norm_before": norms[:, 0], "norm_after": norms[:, 1]}
        part = thinned(columns, record.variant.statistics.windows)
        part.insert(2, "tensor", key)
        parts.append(part)
    return _keyed(study, record, pd.concat(parts, ignore_index=True))


def weight_rows(study: str, record: RunRecord) -> pd.DataFrame:
    """Return the rows of `weights` for a record."""
    parts = [
        pd.DataFrame(
            {
                "tensor": key,
                "low": [0.0, *h.edges[:-1]],
                "high": [0.0, *h.edges[1:]],
                "share": [h.zero, *h.shares],
            }
        )
        for key, h in record.weights.items()
    ]
    return _keyed(study, record, pd.concat(parts, ignore_index=True))


def sample_rows(study: str, record: RunRecord) -> pd.DataFrame:
    """Return the rows of `samples` for a record."""
    assert record.samples is not None  # the workload has a table of them
    levels = [one.numpy().tobytes() for one in record.samples.cpu()]
    return _keyed(study, record, pd.DataFrame({"sample": np.arange(len(levels)), "pixels": levels}))


def _keyed(study: str, record: RunRecord, table: pd.DataFrame) -> pd.DataFrame:
    for position, (key, value) in enumerate(keys(study, record).items()):
        table.insert(position, key, value)
    return table


def tidy(study: str, records: Iterable[RunRecord]) -> dict[str, pd.DataFrame]:
    """Return the five tables of some runs: runs, epochs, steps, tensors, weights; and those of their workload."""
    records = list(records)
    runs = pd.DataFrame([run_row(study, r) for r in records]).astype({"diverged_step": "Int64", "fold": "Int64"})
    parts = {"epochs": epoch_rows, "steps": step_rows, "tensors": tensor_rows, "weights": weight_rows}
    parts |= {"samples": sample_rows} if any("samples" in r.variant.workload.tables for r in records) else {}
    return {"runs": runs} | {
        name: pd.concat([rows(study, r) for r in records], ignore_index=True) for name, rows in parts.items()
    }
