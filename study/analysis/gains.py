"""Gains over the baseline of each method at the strength its trials chose, decided by one margin per metric."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from study.analysis.comparisons import estimates, fails, row_generator
from study.analysis.conventions import ALPHA
from study.analysis.equivalence import sign_flip_one_sided
from study.analysis.statistics import Floats, holm
from study.config.study import Study
from study.methods.labels import NONE

Verdict = Literal["supported", "harm", "no gain found", "undecided", "not tested"]
METRICS = (
    "best_test_accuracy", "best_test_loss", "best_gap_accuracy", "best_gap_loss",
    "test_accuracy", "test_loss", "gap_accuracy", "gap_loss",
)  # fmt: skip
"""What is scored: every method, the baseline included, at its best validation epoch and at the last."""

GAINS = (
    "study", "regime", "kind", "clip_method", "regularization_method", "clip", "regularization", "metric", "primary",
    "margin", "n", "n_undefined", "mean", "baseline_mean", "gain", "sd", "low", "high", "p_gain", "p_harm", "p_less",
    "p_gain_adjusted", "p_harm_adjusted", "p_less_adjusted", "verdict", "copy_of",
)  # fmt: skip
"""The columns of `gains`: a row for each method and metric of a workload.

gain: the mean over seeds of how much better the method is than the baseline, so less where less is better, with its
95 % BCa interval low, high; primary: whether the metric is the one that was declared to decide. p_gain: of "the gain is
at most the margin", p_harm: of "the loss is at most the margin", p_less: of "the gain is at least the margin", each by
a one-sided sign-flip test and adjusted by Holm's method over the methods of a workload, kind and metric. copy_of: the
cell that has the very same runs; a copy is no member of the family, and takes the verdict of the original.
"""
FAILED = "failed"  # the share of runs that diverge or end at chance
BASELINE = "the baseline"
KINDS: Mapping[tuple[bool, bool], str] = {
    (True, False): "clip",
    (False, True): "regularization",
    (True, True): "pair",
}


def margin_of(metric: str, study: Study) -> float:
    """Return the smallest difference that matters, the same for a metric at the best epoch and at the last."""
    return float(getattr(study.margins, metric.removeprefix("best_")))


def better(metric: str) -> float:
    """Return 1 if greater is better, -1 if smaller is."""
    return 1.0 if metric.endswith("test_accuracy") else -1.0


def decide(low: float, high: float, margin: float, p_gain: float, p_harm: float, p_less: float) -> Verdict:
    """Return the verdict by the place of a gain's interval relative to the margin, if a test agrees.

    supported: above the margin; harm: below minus the margin; no gain found: below the margin; else undecided. The
    first two are decided alike, so that a method and its opposite have the same chance.
    """
    if low > margin and p_gain < ALPHA:
        return "supported"
    if high < -margin and p_harm < ALPHA:
        return "harm"
    return "no gain found" if high < margin and p_less < ALPHA else "undecided"


def gains(runs: pd.DataFrame, study: Study, seed: int, metrics: Sequence[str] = METRICS) -> pd.DataFrame:
    """Compare every method of every workload with its baseline, columns `GAINS`; `seed` makes draws repeatable."""
    rows = [
        row
        for regime, part in runs.groupby("regime", sort=False)
        for row in _of_workload(part, str(regime), study, seed, metrics)
    ]
    return _decided(pd.DataFrame(rows, columns=list(GAINS)))


def _of_workload(
    runs: pd.DataFrame, regime: str, study: Study, seed: int, metrics: Sequence[str]
) -> Iterator[dict[str, object]]:
    cells = {
        (str(clip), str(regularization)): part.set_index("seed").sort_index()
        for (clip, regularization), part in runs.groupby(["clip", "regularization"], sort=False)
    }
    baseline = cells.get((NONE, NONE))
    if baseline is None:
        return
    copies = _copies(cells, metrics)
    for (clip, regularization), own in cells.items():
        if (clip, regularization) == (NONE, NONE):
            continue
        first = own.iloc[0]
        for metric in metrics:
            yield {
                "study": study.name,
                "regime": regime,
                "kind": KINDS[clip != NONE, regularization != NONE],
                "clip_method": first["clip_method"],
                "regularization_method": first["regularization_method"],
                "clip": clip,
                "regularization": regularization,
                "metric": metric,
                "primary": metric == study.primary,
                "margin": margin_of(metric, study),
                "mean": float(own[metric].mean()),
                "baseline_mean": float(baseline[metric].mean()),
                "copy_of": copies.get((clip, regularization), ""),
                **gain_between(
                    own, baseline, metric, margin_of(metric, study), ("gain", regime, clip, regularization), seed
                ),
            }


def gain_between(
    own: pd.DataFrame, baseline: pd.DataFrame, metric: str, margin: float, names: tuple[str, ...], seed: int
) -> dict[str, object]:
    """Return a gain with its interval and p values, from the runs of two cells indexed by seed.

    names: those of the random stream that draws its resamples. If both cells fail, only the share of failed runs is
    compared.
    """
    both = own.index.intersection(baseline.index).sort_values()
    sign = better(metric)
    terms = np.stack([sign * own.loc[both, metric], -sign * baseline.loc[both, metric]]).astype(np.float64)
    rng = row_generator(seed, *names, metric)
    found = estimates(terms, rng, metric != FAILED and fails(own) and fails(baseline))
    differences = terms[:, np.isfinite(terms).all(axis=0)].sum(axis=0)
    tested = differences.size > 0 and np.isfinite(float(str(found["estimate"])))
    return {
        **{key: found[key] for key in ("n", "n_undefined", "sd", "low", "high")},
        "gain": found["estimate"],
        **(_tests(differences, margin, rng) if tested else dict.fromkeys(("p_gain", "p_harm", "p_less"), np.nan)),
    }


def _tests(differences: Floats, margin: float, rng: np.random.Generator) -> dict[str, float]:
    sides = {"p_gain": (margin, "greater"), "p_harm": (-margin, "less"), "p_less": (margin, "less")}
    return {key: sign_flip_one_sided(differences, bound, side, rng)[0] for key, (bound, side) in sides.items()}


def _copies(cells: Mapping[tuple[str, str], pd.DataFrame], metrics: Sequence[str]) -> dict[tuple[str, str], str]:
    """Return cells whose runs equal those of an earlier cell (a clip that never fires), with that cell's labels."""
    seen: dict[str, str] = {}
    found: dict[tuple[str, str], str] = {}
    for cell, runs in sorted(cells.items(), key=lambda item: item[0] != (NONE, NONE)):
        key = runs[list(metrics)].astype(np.float64).to_csv()
        if key in seen:
            found[cell] = seen[key]
        seen.setdefault(key, " + ".join(label for label in cell if label != NONE) or BASELINE)
    return found


def _decided(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with p values adjusted within families, and their verdicts."""
    member = table["copy_of"] == ""
    families = ["regime", "kind", "metric"]
    for key in ("p_gain", "p_harm", "p_less"):
        own = table[key].where(member)
        adjusted = own.groupby([table[name] for name in families], sort=False).transform(lambda p: holm(p.to_numpy()))
        table[f"{key}_adjusted"] = adjusted.astype(float)
    table["verdict"] = [verdict_of(row) for row in table.to_dict("records")]
    originals = {(r["regime"], r["metric"], _cell(r)): r["verdict"] for r in table[member].to_dict("records")}
    copied = [
        originals.get((row["regime"], row["metric"], row["copy_of"]), "no gain found")
        for row in table[~member].to_dict("records")
    ]
    table.loc[~member, "verdict"] = copied
    return table


def verdict_of(row: Mapping[Hashable, Any]) -> Verdict:
    """Return the verdict of a row by its interval, its margin and its adjusted p values."""
    if not np.isfinite(row["gain"]):
        return "not tested"
    p = [row[f"{key}_adjusted"] for key in ("p_gain", "p_harm", "p_less")]
    return decide(row["low"], row["high"], row["margin"], *p)


def _cell(row: Mapping[Hashable, Any]) -> str:
    labels = (str(row[key]) for key in ("clip", "regularization"))
    return " + ".join(label for label in labels if label != NONE)


# ------------------------------------------------------------------ the leaderboard

LEADERBOARD = (
    "study", "place", "clip_method", "regularization_method", "metric", "workloads", "mean_rank", "low", "high",
    "supported", "harm", "no gain found", "undecided", "not tested", "gain",
)  # fmt: skip
"""The columns of `leaderboard`: a row for each method, the baseline among them, in the order of its mean rank.

mean_rank: over the workloads that have the method, of its place by the mean score of the primary metric, from 0, the
best there, to 1, the last, so that workloads with few methods and with many count alike; low, high: 95 % percentile
interval over resampled seeds. Then how many workloads have which verdict, and the mean gain over them.
"""
RESAMPLES = 1_000


@dataclass(frozen=True)
class Scores:
    """Scores [M, S] of M methods with S seeds in a workload, greater is better; a failed run has -inf."""

    methods: list[tuple[str, str]]
    table: Floats

    @classmethod
    def of(cls, runs: pd.DataFrame, metric: str) -> Scores:
        """Return the scores of one workload."""
        keys = ["clip_method", "regularization_method", "seed"]
        named = runs.astype(dict.fromkeys(keys[:2], str))
        table = named.pivot_table(index=keys[:2], columns="seed", values=metric, sort=False, dropna=False)
        table = table.loc[named.drop_duplicates(keys[:2]).set_index(keys[:2]).index]  # of all pairs those there are
        values = better(metric) * table.to_numpy(np.float64)
        return cls([(a, b) for a, b in table.index], np.where(np.isfinite(values), values, -np.inf))

    def redrawn(self, rng: np.random.Generator) -> Scores:
        """Return the same methods with seeds drawn with replacement."""
        seeds = self.table.shape[1]
        return Scores(self.methods, self.table[:, rng.integers(0, seeds, seeds)])

    def ranks(self) -> dict[tuple[str, str], float]:
        """Return the rank of each method by its mean over seeds, from 0 for the best to 1; equal methods share one."""
        ranks = (rankdata(-self.table.mean(axis=1)) - 1) / max(len(self.methods) - 1, 1)
        return dict(zip(self.methods, map(float, ranks), strict=True))


def leaderboard(runs: pd.DataFrame, found: pd.DataFrame, study: Study, seed: int) -> pd.DataFrame:
    """Return a study's methods by mean rank over its workloads; columns `LEADERBOARD`."""
    scores = [Scores.of(part, study.primary) for _, part in runs.groupby("regime", sort=False)]
    middle = _mean_ranks([one.ranks() for one in scores])
    rng = row_generator(seed, "leaderboard", study.name)
    again = [_mean_ranks([one.redrawn(rng).ranks() for one in scores]) for _ in range(RESAMPLES)]
    primary = found[found["primary"]]
    rows: list[dict[str, object]] = []
    for method in sorted(middle, key=lambda one: middle[one]):
        own = primary[(primary["clip_method"] == method[0]) & (primary["regularization_method"] == method[1])]
        drawn = [one[method] for one in again if method in one]
        rows.append(
            {
                "study": study.name,
                "place": len(rows) + 1,
                "clip_method": method[0],
                "regularization_method": method[1],
                "metric": study.primary,
                "workloads": sum(method in one.methods for one in scores),
                "mean_rank": middle[method],
                "low": float(np.quantile(drawn, 0.025)),
                "high": float(np.quantile(drawn, 0.975)),
                **{one: int((own["verdict"] == one).sum()) for one in LEADERBOARD[9:14]},
                "gain": 0.0 if method == (NONE, NONE) else float(own["gain"].mean()),
            }
        )
    return pd.DataFrame(rows, columns=list(LEADERBOARD))


def _mean_ranks(each: list[dict[tuple[str, str], float]]) -> dict[tuple[str, str], float]:
    methods = dict.fromkeys(method for ranks in each for method in ranks)
    return {one: float(np.mean([ranks[one] for ranks in each if one in ranks])) for one in methods}
