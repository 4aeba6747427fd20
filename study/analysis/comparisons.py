"""Comparisons paired by seed, and summaries by variant, from the table of runs."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd

from study.analysis.statistics import Floats, bca_interval, holm, sign_flip_p, signed_sum, superiority
from study.results.cells import failed

Cell = tuple[str, str]
"""The labels of a variant: clip, regularization."""

WHERE_DEFINED = (
    "gap_right_accuracy", "gap_right_loss", "memorised", "spike_score", "steps_to_target", "seconds_to_target",
)  # fmt: skip
"""Compared where a regime has them: wrong labels, losses of every step, a target."""

METRICS = (
    "gap_accuracy",
    "gap_loss",
    "test_accuracy",
    "test_loss",
    "best_gap_accuracy",
    "best_gap_loss",
    "best_test_accuracy",
    "best_test_loss",
    *WHERE_DEFINED,
    "diverged",
)
"""What is compared: columns of runs, and "diverged": 1 for a run whose status is not "ok", else 0."""

COMPARISONS = (
    "study",
    "regime",
    "family",
    "metric",
    "clip",
    "regularization",
    "baseline",
    "n",
    "n_undefined",
    "estimate",
    "sd",
    "low",
    "high",
    "p",
    "p_adjusted",
    "superiority",
    "method",
)

SUMMARY = (
    "study",
    "regime",
    "clip",
    "regularization",
    "runs",
    "ok",
    "diverged",
    "failed",
    "metric",
    "n",
    "n_undefined",
    "mean",
    "low",
    "high",
    "method",
)

_KEYS = ["study", "regime", "clip", "regularization", "seed"]

BOTH_FAIL = "not compared: both sides fail"
"""The `method` of a row whose two sides are nets that learned nothing: their difference means nothing."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A variant compared with a signed sum of other cells: per seed, cell - sum of sign x reference."""

    family: str
    cell: Cell
    baseline: str
    reference: tuple[tuple[int, Cell], ...]


def compare(runs: pd.DataFrame, seed: int, metrics: Sequence[str] = METRICS, baseline: str = "none") -> pd.DataFrame:
    """Compare every variant with its baseline, one row per contrast and metric, with the columns `COMPARISONS`.

    A metric of `WHERE_DEFINED` has rows only in a regime where a run has a value.

    Per (study, regime) there are four families, with N the baseline label: "clip" (c, N) - (N, N); "regularization" (N,
    r) - (N, N); "combination" (c, r) - (N, N); and "interaction" (c, r) - [(c, N) + (N, r) - (N, N)], the distance from
    additivity. A contrast with a cell that was never run has no row.

    Differences are taken seed by seed over the seeds common to all its cells. A pair with a NaN or infinite metric is
    left out and counted in n_undefined. `estimate` is the mean difference in the metric's unit, sd the standard
    deviation, low and high the 95 % BCa interval, p the sign-flip test (for "diverged" outside interactions the exact
    McNemar test), p_adjusted after Holm within (study, regime, family, metric), superiority the share of pairs in which
    the variant has the greater number, ties half. `seed` makes random draws repeatable; only p_adjusted depends on the
    other rows. If the variant and all its references fail (`fails`), only "diverged" is compared: the method is
    `BOTH_FAIL`, the numbers are NaN.

    Raises ValueError for a missing column and for two runs of the same key.
    """
    table = _checked(runs, metrics)
    rows = [
        {"study": study, "regime": regime, **row}
        for (study, regime), group in table.groupby(["study", "regime"], sort=False)
        for row in _compare_regime(group, str(regime), seed, _defined(group, metrics), baseline)
    ]
    frame = pd.DataFrame(rows, columns=list(COMPARISONS))
    families = frame.groupby(["study", "regime", "family", "metric"], sort=False)
    return frame.assign(p_adjusted=families["p"].transform(lambda p: holm(p.to_numpy())))


def summarise(runs: pd.DataFrame, metrics: Sequence[str] = METRICS) -> pd.DataFrame:
    """Return means over seeds with 95 % BCa intervals, one row per variant and metric, columns `SUMMARY`.

    runs, ok, diverged and failed count the variant's runs by status; n and n_undefined those with and without a finite
    metric. The metric "diverged" is the share of runs whose status is not "ok".

    Raises ValueError for a missing column and for two runs of the same key.
    """
    table = _checked(runs, metrics)
    known = {regime: _defined(group, metrics) for regime, group in table.groupby(_KEYS[:2], sort=False)}
    rows = [
        {**dict(zip(_KEYS[:-1], key, strict=True)), **_outcomes(group), **row}
        for key, group in table.groupby(_KEYS[:-1], sort=False)
        for row in _summarise_variant(group.sort_values("seed"), known[key[:2]])
    ]
    return pd.DataFrame(rows, columns=list(SUMMARY))


def contrasts(cells: Collection[Cell], baseline: str = "none") -> Iterator[Contrast]:
    """Yield the contrasts that the present `cells` of a two-way grid allow, in the order of the cells."""
    origin = (baseline, baseline)
    if origin not in cells:
        return
    for cell in (cell for cell in cells if cell != origin):
        family = _family(cell, baseline)
        yield Contrast(family, cell, f"{baseline} + {baseline}", ((1, origin),))
        clip_only, regularization_only = (cell[0], baseline), (baseline, cell[1])
        if family == "combination" and clip_only in cells and regularization_only in cells:
            additive = ((1, clip_only), (1, regularization_only), (-1, origin))
            yield Contrast("interaction", cell, "additive", additive)


def row_generator(seed: int, *names: str) -> np.random.Generator:
    """Return the random stream of the row with these `names`, independent of the process and of other rows."""
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest)])


def _family(cell: Cell, baseline: str) -> str:
    clip, regularization = cell
    if regularization == baseline:
        return "clip"
    return "regularization" if clip == baseline else "combination"


def fails(runs: pd.DataFrame) -> bool:
    """Return whether more than half of a cell's `runs` diverged or ended at chance, so that no effect can be seen."""
    return bool(failed(runs).mean() > 0.5)


def _compare_regime(
    runs: pd.DataFrame, regime: str, seed: int, metrics: Sequence[str], baseline: str
) -> Iterator[dict[str, object]]:
    groups: dict[Cell, pd.DataFrame] = {
        (str(clip), str(regularization)): group
        for (clip, regularization), group in runs.groupby(["clip", "regularization"], sort=False)
    }
    cells = {cell: group.set_index("seed")[list(metrics)] for cell, group in groups.items()}
    failing = {cell for cell, group in groups.items() if fails(group)}
    for contrast in contrasts(cells.keys(), baseline):
        terms = _terms(contrast, cells)
        both_fail = failing.issuperset({contrast.cell, *(cell for _, cell in contrast.reference)})
        for metric, values in zip(metrics, np.moveaxis(terms, -1, 0), strict=True):
            rng = row_generator(seed, regime, contrast.family, metric, *contrast.cell)
            yield {
                "family": contrast.family,
                "metric": metric,
                "clip": contrast.cell[0],
                "regularization": contrast.cell[1],
                "baseline": contrast.baseline,
                **estimates(values, rng, both_fail and metric != "diverged"),
            }


def _defined(runs: pd.DataFrame, metrics: Sequence[str]) -> list[str]:
    """Return the metrics that are meaningful in a regime."""
    return [
        metric for metric in metrics if metric not in WHERE_DEFINED or (metric in runs and runs[metric].notna().any())
    ]


def _terms(contrast: Contrast, cells: Mapping[Cell, pd.DataFrame]) -> Floats:
    """Return the signed metrics of a contrast's cells at their common seeds, sorted: [cells, seeds, metrics]."""
    signed = ((1, contrast.cell), *((-sign, cell) for sign, cell in contrast.reference))
    seeds = reduce(pd.Index.intersection, (cells[cell].index for _, cell in signed)).sort_values()
    return np.stack([sign * cells[cell].loc[seeds].to_numpy(np.float64) for sign, cell in signed])


def estimates(terms: Floats, rng: np.random.Generator, both_fail: bool = False) -> dict[str, object]:
    """Return the columns of a row from the signed `terms` [cells, seeds] of one metric; only counts if both fail."""
    defined = np.isfinite(terms).all(axis=0)
    counts = {"n": int(defined.sum()), "n_undefined": int((~defined).sum())}
    if both_fail:
        blank = dict.fromkeys(("estimate", "sd", "low", "high", "p", "superiority"), np.nan)
        return {**counts, **blank, "method": BOTH_FAIL}
    differences = signed_sum(terms[:, defined])
    interval = bca_interval(differences)
    p, test = sign_flip_p(differences, rng)
    return {
        **counts,
        "estimate": _mean(differences),
        "sd": float(differences.std(ddof=1)) if differences.size > 1 else np.nan,
        "low": interval.low,
        "high": interval.high,
        "p": p,
        "superiority": superiority(differences, np.zeros_like(differences)),
        "method": f"{interval.method}; {test}",
    }


def _summarise_variant(runs: pd.DataFrame, metrics: Sequence[str]) -> Iterator[dict[str, object]]:
    for metric in metrics:
        values = runs[metric].to_numpy(np.float64)
        defined = values[np.isfinite(values)]
        interval = bca_interval(defined)
        yield {
            "metric": metric,
            "n": defined.size,
            "n_undefined": values.size - defined.size,
            "mean": _mean(defined),
            "low": interval.low,
            "high": interval.high,
            "method": interval.method,
        }


def _outcomes(runs: pd.DataFrame) -> dict[str, int]:
    counts = {status: int((runs["status"] == status).sum()) for status in ("ok", "diverged", "failed")}
    return {"runs": len(runs), **counts}


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else np.nan


def _checked(runs: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return the needed columns, with the 0/1 metric "diverged" made from the status."""
    named = [metric for metric in metrics if metric not in WHERE_DEFINED or metric in runs]
    needed = [*_KEYS, "status", *(metric for metric in named if metric != "diverged")]
    missing = [column for column in needed if column not in runs.columns]
    if missing:
        raise ValueError(
            f"The 'runs' table must have the columns {', '.join(needed)}. "
            f"Got a table without {', '.join(missing)} instead."
        )
    repeated = runs.loc[runs.duplicated(_KEYS), _KEYS]
    if len(repeated):
        key = ", ".join(f"{name} {value}" for name, value in repeated.iloc[0].items())
        raise ValueError(f"The 'runs' table must have one row per run. Got several for {key} instead.")
    return runs[needed].assign(diverged=failed(runs).astype(float))
