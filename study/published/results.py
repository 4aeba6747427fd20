"""Runs again of published results, from the tables of their studies to one row a result."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from study.published.dirac_gan import lemmas
from study.published.equivalence import Floats, Summary, compare, interval, power
from study.published.rounds import rounds_to
from study.published.truths import Rounds, Truth, Truths
from study.results import store

RUNS = ("study", "regime", "clip", "seed", "kind", "target", "value", "limit")
"""A row for each run: its test accuracy after the last epoch, or the rounds to a target out of `limit` rounds, infinite
where they were not enough."""

ROWS = (
    "result", "kind", "published", "published_sd", "published_runs", "regime", "seeds", "ours", "low", "high",
    "difference", "difference_low", "difference_high", "margin", "p", "power", "verdict",
)  # fmt: skip
"""A row for each published result. ours, low, high: mean of the runs and its 95 % interval; difference: from the
published mean, with its 90 % interval, which lies within the margin if the verdict is "equivalent". Rounds are compared
by their logarithms: their means are geometric, their differences factors."""

EIGENVALUES = ("case", "lemma", "loss", "real", "imaginary", "closed_real", "closed_imaginary", "error", "verdict")
"""A row for each closed form: the engine's eigenvalue with the larger imaginary part, or real part, and the error of
the worse of both."""

KEYS = ["study", "regime", "clip", "seed"]


def runs_of(truths: Truths, results: Path) -> pd.DataFrame:
    """Return all runs of the studies that were trained, by the tables in `results`; columns `RUNS`.

    Raises TableError for a table that is damaged, or none of a study's.
    """
    parts = []
    for study in dict.fromkeys(truth.study for truth in truths.all):
        if (results / study / "runs.parquet").is_file():
            try:
                parts += list(_runs(study, truths, results / study))
            except KeyError as error:
                must = f"The tables in '{results / study}' must be as a study wrote them."
                raise store.TableError(f"{must} Got one without the column {error} instead.") from error
    found = pd.concat(parts) if parts else pd.DataFrame(columns=list(RUNS))
    return found.sort_values(["kind", *KEYS], ignore_index=True)[list(RUNS)]


def _runs(study: str, truths: Truths, folder: Path) -> Iterator[pd.DataFrame]:
    of_study = [truth for truth in truths.all if truth.study == study]
    if any(truth.kind == "accuracy" for truth in of_study):
        runs = store.read(folder / "runs.parquet")
        values = runs.rename(columns={"test_accuracy": "value"}).assign(kind="accuracy", target=np.nan)
        yield values.assign(limit=runs["epochs"])[list(RUNS)]
    for target in dict.fromkeys(truth.target for truth in of_study if isinstance(truth, Rounds)):
        epochs = store.read(folder / "epochs.parquet")
        rows = [
            {**dict(zip(KEYS, key, strict=True)), "value": _reached(target, own), "limit": int(own["epoch"].max())}
            for key, own in epochs.groupby(KEYS, sort=False)
        ]
        yield pd.DataFrame(rows).assign(kind="rounds", target=target)[list(RUNS)]


def _reached(target: float, epochs: pd.DataFrame) -> float:
    return rounds_to(target, epochs["epoch"].to_numpy(), epochs["test_accuracy"].to_numpy())


def judged(truths: Truths, runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each published result of which there are runs; columns `ROWS`."""
    rows = [row for truth in truths.all if (row := _row(truth, runs)) is not None]
    return pd.DataFrame(rows, columns=list(ROWS))


def own_runs(truth: Truth, runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that answer a result, of all its regimes."""
    mine = (runs["study"] == truth.study) & (runs["clip"] == truth.clip) & (runs["kind"] == truth.kind)
    if isinstance(truth, Rounds):
        mine &= runs["target"] == truth.target
    return runs[mine & runs["regime"].isin(truth.regimes)]


def _row(truth: Truth, runs: pd.DataFrame) -> dict[str, object] | None:
    found = own_runs(truth, runs)
    if found.empty:
        return None
    regime, values = _best(truth, found)
    published = truth.published.summary
    start: dict[str, object] = {
        "result": truth.name,
        "kind": truth.kind,
        "published": published.mean,
        "published_sd": math.nan if published.sd is None else published.sd,
        "published_runs": published.runs,
        "regime": regime,
        "seeds": len(values),
        "margin": truth.margin,
    }
    if not np.isfinite(values).all():
        limit = int(found[found["regime"] == regime]["limit"].max())
        beyond = not np.isfinite(values).any() and limit >= published.mean * truth.margin
        return {**start, "verdict": "different" if beyond else "cannot tell"}
    return {**start, **_compared(truth, values)}


def _best(truth: Truth, found: pd.DataFrame) -> tuple[str, Floats]:
    """Return the regime with the best mean, and its values; the first of equal ones in the truth's order."""
    each = {
        name: found[found["regime"] == name]["value"].to_numpy(float)
        for name in truth.regimes
        if name in set(found["regime"])
    }
    sign = 1 if isinstance(truth, Rounds) else -1
    best = min(each, key=lambda name: sign * float(_scaled(truth, each[name]).mean()))
    return best, each[best]


def _scaled(truth: Truth, values: Floats) -> Floats:
    """Return values on the scale on which means are compared."""
    return np.log(values) if isinstance(truth, Rounds) else values


def unscaled(truth: Truth, value: float) -> float:
    """Return a mean, or an end of its interval, in the unit of print; an accuracy within what one can be."""
    return math.exp(value) if isinstance(truth, Rounds) else min(max(value, 0.0), 1.0)


def _compared(truth: Truth, values: Floats) -> dict[str, object]:
    back = math.exp if isinstance(truth, Rounds) else float
    published = truth.published.summary
    if isinstance(truth, Rounds):
        published = Summary(math.log(published.mean))
    ours = Summary.of(_scaled(truth, values))
    found = compare(ours, published, truth.width)
    low, high = interval(ours)
    expected = published.sd if published.sd is not None else ours.sd
    return {
        "ours": unscaled(truth, ours.mean),
        "low": unscaled(truth, low),
        "high": unscaled(truth, high),
        "difference": back(found.difference),
        "difference_low": back(found.low),
        "difference_high": back(found.high),
        "p": found.p,
        "power": power(ours.runs, expected or 0.0, published, truth.width),
        "verdict": found.verdict,
    }


def eigenvalues(truths: Truths) -> pd.DataFrame:
    """Return a row for each closed form of the Dirac-GAN, measured now; columns `EIGENVALUES`."""
    rows = []
    for lemma in lemmas():
        measured, closed = lemma.measured()
        error = max(abs(one - other) for one, other in zip(measured, closed, strict=True))
        verdict = "equivalent" if error < truths.eigenvalues.margin else "different"
        parts = (measured[1].real, measured[1].imag, closed[1].real, closed[1].imag)
        rows.append((lemma.name, lemma.lemma, lemma.loss, *parts, error, verdict))
    return pd.DataFrame(rows, columns=list(EIGENVALUES))
