"""Tuned methods over several settings: each one's gains over the baseline, as a profile and as a robust mean."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from study.analysis.aggregates import interquartile_mean, iqm_interval, performance_profile, profile_band
from study.analysis.comparisons import row_generator
from study.analysis.statistics import Floats

PROFILES = ("study", "regime", "kind", "method", "gain", "share", "low", "high")
"""A row for each group of settings, method and gain: the share of runs that gain more, with its 95 % band."""

ACROSS = (
    "study", "regime", "kind", "method", "settings", "none_chosen", "seeds", "lost", "iqm", "low", "high", "better",
    "worse",
)  # fmt: skip
"""A row for each group of settings and method: the interquartile mean of the gains with its 95 % interval."""

GAINS = 101  # points of a profile
COLUMN = "test_accuracy"
OTHER = {"clip": "regularization", "regularization": "clip"}


@dataclass(frozen=True, eq=False)
class Group:
    """Methods of a kind tuned in the same settings, with their gains over the baseline [settings, seeds]."""

    study: str
    kind: str
    settings: tuple[str, ...]
    gains: Mapping[str, Floats]
    lost: Mapping[str, int]

    @property
    def name(self) -> str:
        """The settings, for the column `regime`."""
        return "; ".join(self.settings)


def groups(tuning: pd.DataFrame, runs: pd.DataFrame) -> Iterator[Group]:
    """Return, for each kind, the methods that share two or more tuned settings, on the settings that they share.

    A method most of whose settings no other shares also forms a group of its own, on all of them. A gain is the test
    accuracy of a tuned method less that of the tuned baseline, seed by seed; a run without accuracy counts as 0 %. A
    setting whose runs are missing, as in a partial report, does not count.
    """
    chosen = tuning[tuning["chosen"].astype(bool)]
    there = set(map(tuple, runs[["regime", "clip", "regularization"]].drop_duplicates().to_numpy()))
    for kind, every in chosen.groupby("kind", sort=False):
        part = every[[_cell(row) in there for row in every.to_dict("records")]]
        settings_of_none = part.loc[part["method"] == "none", "setting"]
        shared = part[(part["method"] != "none") & part["setting"].isin(settings_of_none)]
        tried = shared.groupby("method", sort=False)["setting"]
        own = {str(method): tuple(map(str, settings)) for method, settings in tried}
        for settings in dict.fromkeys(sorted(own.values(), key=len)):
            methods = [method for method, tuned in own.items() if set(settings) <= set(tuned)]
            others = [tuned for method, tuned in own.items() if method not in methods]
            if len(settings) > 1 and (len(methods) > 1 or _apart(settings, others)):
                yield _group(str(kind), settings, methods, part, runs)


def _cell(choice: Mapping[Hashable, Any]) -> tuple[object, object, object]:
    """Return the regime and the labels of clip and regularizer that evaluate a choice."""
    labels = {choice["kind"]: choice["label"]}
    return choice["regime"], labels.get("clip", "none"), labels.get("regularization", "none")


def _apart(settings: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> bool:
    """Return whether every other method has fewer than half of these settings."""
    return all(2 * len({*settings} & {*other}) < len(settings) for other in others)


def _group(
    kind: str, settings: tuple[str, ...], methods: Sequence[str], chosen: pd.DataFrame, runs: pd.DataFrame
) -> Group:
    scores = {method: [_scores(chosen, runs, kind, setting, method) for setting in settings]
              for method in ("none", *methods)}  # fmt: skip
    none = np.stack([one.fillna(0.0).to_numpy(float) for one in scores["none"]])
    gains = {method: np.stack([one.fillna(0.0).to_numpy(float) for one in scores[method]]) - none for method in methods}
    lost = {method: int(sum(one.isna().sum() for one in scores[method])) for method in methods}
    return Group(str(runs["study"].iloc[0]), kind, settings, gains, lost)


def _scores(chosen: pd.DataFrame, runs: pd.DataFrame, kind: str, setting: str, method: str) -> pd.Series[float]:
    row = chosen[(chosen["setting"] == setting) & (chosen["method"] == method)].iloc[0]
    cell = (runs["regime"] == row["regime"]) & (runs[kind] == row["label"]) & (runs[OTHER[kind]] == "none")
    return runs[cell].set_index("seed")[COLUMN].astype(float).sort_index()


def profiles(found: Sequence[Group], seed: int) -> pd.DataFrame:
    """Return performance profiles of the groups, columns `PROFILES`, with equal gains for the methods of a group."""
    rows = [
        {"study": group.study, "regime": group.name, "kind": group.kind, "method": method,
         "gain": gain, "share": share, "low": low, "high": high}
        for group in found
        for gains in [_thresholds(group)]
        for method, scores in group.gains.items()
        for band in [profile_band(scores, gains, row_generator(seed, "profile", group.name, method))]
        for gain, share, low, high in zip(gains, performance_profile(scores, gains), *band, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(PROFILES))


def _thresholds(group: Group) -> Floats:
    every = np.concatenate([scores.ravel() for scores in group.gains.values()])
    low, high = min(float(every.min()), 0.0), max(float(every.max()), 0.0)
    return np.linspace(low - 0.01 * (high - low), high, GAINS)


def across(found: Sequence[Group], tuned: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return what each method gains over the settings of its group, columns `ACROSS`.

    better, worse: settings in which it outperforms the baseline, or the reverse, by Bouthillier et al.'s rule.
    none_chosen: settings in which tuning chose none for the method, so that its gains are 0. lost: runs without an
    accuracy.
    """
    accuracy = tuned[tuned["metric"] == COLUMN]
    rows = []
    for group in found:
        for method, scores in group.gains.items():
            interval = iqm_interval(scores, row_generator(seed, "across", group.name, method))
            own = accuracy[(accuracy["kind"] == group.kind) & (accuracy["method"] == method)]
            own = own[own["setting"].isin(group.settings)]
            rows.append(
                {
                    **{"study": group.study, "regime": group.name, "kind": group.kind, "method": method},
                    **{"settings": scores.shape[0], "none_chosen": int((own["label"] == "none").sum())},
                    **{"seeds": scores.shape[1], "lost": group.lost[method]},
                    **{"iqm": interquartile_mean(scores), "low": interval.low, "high": interval.high},
                    **{one: int((own["outperforms"] == one).sum()) for one in ("better", "worse")},
                }
            )
    return pd.DataFrame(rows, columns=list(ACROSS))
