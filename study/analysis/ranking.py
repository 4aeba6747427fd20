"""Ranking of the methods of each regime, each at the strength that validates best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from study.analysis.comparisons import fails, row_generator
from study.analysis.statistics import Floats, bca_interval, holm, sign_flip_p, superiority
from study.methods.labels import method_of
from study.results.cells import failed

METRIC, CHOSEN_BY = "test_accuracy", "validation_accuracy"
RESAMPLES = 9_999

RANKING = (
    "study",
    "regime",
    "kind",
    "place",
    "method",
    "label",
    "strengths",
    "runs",
    "diverged",
    "n",
    "n_undefined",
    "mean",
    "gap_accuracy",
    "estimate",
    "low",
    "high",
    "p",
    "p_adjusted",
    "superiority",
    "rank",
    "rank_low",
    "rank_high",
    "p_best",
    "p_best_adjusted",
)
"""The columns of a ranking; `kind` is "clip" or "regularization", `place` counts from 1 by mean rank."""


def rank(runs: pd.DataFrame, seed: int, baseline: str = "none") -> pd.DataFrame:
    """Rank the clips alone and the regularizations alone, with the `baseline`, one row a method, columns `RANKING`.

    A method is represented by the strength with the best mean validation accuracy; the test set selects nothing. Within
    each seed the methods are ranked by test accuracy, 1 the best, ties averaged; runs without a finite accuracy share
    the last places. `rank` is the mean over seeds, with the 95 % percentile interval of a bootstrap of whole seeds.
    `estimate` is the mean difference to the baseline paired by seed with its BCa interval, p the sign-flip test,
    adjusted by Holm over the methods of one regime and kind; `p_best` tests the difference to the first-ranked method
    likewise. If two methods both fail, their difference is NaN.
    """
    rows = [
        {"study": study, "regime": regime, "kind": kind, **row}
        for (study, regime), group in runs.groupby(["study", "regime"], sort=False)
        for kind, other in (("clip", "regularization"), ("regularization", "clip"))
        for row in _rank(group[group[other] == baseline], kind, str(regime), seed, baseline)
    ]
    return pd.DataFrame(rows, columns=list(RANKING))


def _rank(runs: pd.DataFrame, kind: str, regime: str, seed: int, baseline: str) -> Iterator[dict[str, object]]:
    chosen = _chosen(runs, kind)
    if baseline not in chosen or len(chosen) < 2:
        return
    columns = {label: runs[runs[kind] == label].set_index("seed")[METRIC] for label in chosen.values()}
    scores = pd.DataFrame(columns).sort_index().to_numpy(np.float64)  # [seeds, methods]
    ranks = seed_ranks(scores)
    low, high = _rank_intervals(ranks, row_generator(seed, regime, kind, "rank"))
    order = np.argsort(ranks.mean(0), kind="stable")
    failing = [fails(runs[runs[kind] == label]) for label in chosen.values()]
    against = _differences(scores, failing, list(chosen).index(baseline), [seed, regime, kind, baseline])
    best = _differences(scores, failing, int(order[0]), [seed, regime, kind, "best"])
    methods = list(chosen.items())
    for place, column in zip(count(1), order, strict=False):
        method, label = methods[column]
        own = runs[runs[kind] == label]
        defined = scores[np.isfinite(scores[:, column]), column]
        yield {
            "place": place,
            "method": method,
            "label": label,
            "strengths": int(runs.loc[runs[kind].map(method_of) == method, kind].nunique()),
            "runs": len(own),
            "diverged": int(failed(own).sum()),
            "mean": float(defined.mean()) if defined.size else np.nan,
            "gap_accuracy": float(own["gap_accuracy"].mean()),
            **against[column],
            "rank": float(ranks[:, column].mean()),
            "rank_low": float(low[column]),
            "rank_high": float(high[column]),
            "p_best": best[column]["p"],
            "p_best_adjusted": best[column]["p_adjusted"],
        }


def _chosen(runs: pd.DataFrame, kind: str) -> dict[str, str]:
    """Return the label of each method that validates best; a run without a finite accuracy counts as 0 here."""
    means = runs.assign(score=runs[CHOSEN_BY].fillna(0.0)).groupby(kind, sort=False)["score"].mean()
    chosen: dict[str, str] = {}
    for label, mean in means.items():
        held = chosen.get(method_of(str(label)))
        if held is None or mean > means[held]:
            chosen[method_of(str(label))] = str(label)
    return chosen


def seed_ranks(scores: Floats) -> Floats:
    """Rank scores [seeds, methods] within each seed, [seeds, methods]: 1 the highest, ties averaged, NaN last."""
    ranks: Floats = rankdata(-np.where(np.isfinite(scores), scores, -np.inf), axis=1)
    return ranks


def _rank_intervals(ranks: Floats, rng: np.random.Generator) -> Floats:
    """Return the 2.5 % and 97.5 % quantiles [2, methods] of the mean rank over resampled whole seeds."""
    n = len(ranks)
    times = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)  # how often each seed is drawn
    intervals: Floats = np.quantile(times @ ranks / n, [0.025, 0.975], axis=0)
    return intervals


def _differences(
    scores: Floats, failing: Sequence[bool], reference: int, names: list[int | str]
) -> list[dict[str, object]]:
    """Return each column less the reference, seed by seed; NaN for the reference itself and between two that fail."""
    seed, *rest = names
    rows = [
        _no_difference(scores[:, i], 0.0 if i == reference else np.nan)
        if i == reference or (failing[i] and failing[reference])
        else _difference(scores[:, i] - scores[:, reference], int(seed), [*map(str, rest), str(i)])
        for i in range(scores.shape[1])
    ]
    adjusted = holm([row["p"] for row in rows])
    return [{**row, "p_adjusted": float(p)} for row, p in zip(rows, adjusted, strict=True)]


def _difference(values: Floats, seed: int, names: list[str]) -> dict[str, float]:
    defined = values[np.isfinite(values)]
    interval = bca_interval(defined)
    return {
        "n": defined.size,
        "n_undefined": values.size - defined.size,
        "estimate": float(defined.mean()) if defined.size else np.nan,
        "low": interval.low,
        "high": interval.high,
        "p": sign_flip_p(defined, row_generator(seed, *names))[0],
        "superiority": superiority(defined, np.zeros_like(defined)),
    }


def _no_difference(values: Floats, estimate: float) -> dict[str, float]:
    finite = int(np.isfinite(values).sum())
    blank = dict.fromkeys(("low", "high", "p", "superiority"), np.nan)
    return {"n": finite, "n_undefined": values.size - finite, "estimate": estimate, **blank}
