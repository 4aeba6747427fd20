"""Selection of strengths: what each method takes, its regret on the test set, and tuned methods compared."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from study.analysis.aggregates import Outperformance, bouthillier
from study.analysis.comparisons import estimates, fails, row_generator
from study.analysis.statistics import Floats, holm
from study.config.regime import Regime
from study.config.study import Study
from study.config.tuning import Tuning
from study.methods.labels import Cell, method_of, strength_of
from study.results.cells import failed, select

TUNING = (
    "study", "setting", "kind", "method", "regime", "label", "position", "n", "diverged", "validation_loss",
    "validation_se", "validation_accuracy", "train_loss", "test_n", "test_loss", "test_accuracy", "gap_accuracy",
    "rule", "chosen", "chosen_by_accuracy", "chosen_by_training", "best_on_test", "best_on_test_loss", "regret",
    "regret_loss", "edge", "strength",
)  # fmt: skip
"""The columns of `tuning`: a row for each candidate of a method: at each regime 'none', then the grid in its order.

strength: that of the label, NaN for 'none'.
"""

TUNED = (
    "study", "setting", "kind", "method", "regime", "label", "baseline_regime", "metric", "n", "n_undefined", "mean",
    "baseline_mean", "estimate", "sd", "low", "high", "p", "p_adjusted", "superiority", "superiority_low",
    "superiority_high", "outperforms", "regret", "method_of_test",
)  # fmt: skip
"""The columns of `tuned`: a row for each method at its chosen strength and metric, against 'none' tuned likewise."""

METRICS = ("test_accuracy", "gap_accuracy", "test_loss", "gap_loss", "diverged")
KINDS = ("clip", "regularization")


@dataclass(frozen=True, slots=True)
class Setting:
    """Setting in which strengths are chosen: one regime, or those of a sweep whose points are chosen too.

    grids: for "clip" and "regularization" the strength of each label, in order.
    """

    name: str
    regimes: tuple[str, ...]
    tuning: Tuning
    along: tuple[Mapping[str, object], ...]
    grids: Mapping[str, Mapping[str, float]]


def settings(study: Study) -> list[Setting]:
    """Return the tuned settings of a study, in order."""
    return [_setting(name, members) for name, members in study.tuned_settings.items()]


def _setting(name: str, members: Mapping[str, Regime]) -> Setting:
    regimes = list(members.values())
    tuning = regimes[0].tuning
    assert tuning is not None  # such are the members
    points = [dict(regime.at) for regime in regimes]
    along = tuple({key: point[key] for key in tuning.along} for point in points)
    methods = {"clip": [[clip] for clip in regimes[0].clips], "regularization": regimes[0].regularizations}
    labels = {"clip": regimes[0].clip_labels, "regularization": regimes[0].regularization_labels}
    grids = {
        kind: {label: strength_of(several[0]) for label, several in zip(labels[kind], methods[kind], strict=True)}
        for kind in KINDS
    }
    return Setting(name, tuple(members), tuning, along, grids)


def choose(tuning_runs: pd.DataFrame, runs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return every candidate of every method with its tuning losses, test scores and choice; columns `TUNING`.

    `validation_loss` is the mean over tuning seeds and folds (infinite if any run has none) with its standard error
    `validation_se`; test scores are means over the evaluation seeds. `chosen` follows the rule of the setting on
    validation losses alone; `chosen_by_accuracy` is the largest mean validation accuracy of the same runs, the first of
    equal ones; `chosen_by_training` is the smallest training loss. `best_on_test` is the best mean test accuracy of
    those with the most defined runs, `regret` the distance from it, undefined for those with fewer; `best_on_test_loss`
    and `regret_loss` are the same by the smallest mean test loss. `edge` says whether the chosen strength is the first,
    the last or the only one of its grid, or the chosen point along a key; "" also if none was chosen.
    """
    rows = [
        {"study": study.name, "setting": setting.name, "kind": kind, "rule": setting.tuning.rule, **row}
        for setting in settings(study)
        for kind in KINDS
        for method in dict.fromkeys(map(method_of, setting.grids[kind]))
        for row in _chosen(_candidates(setting, kind, method, tuning_runs, runs), setting, kind)
    ]
    return pd.DataFrame(rows, columns=list(TUNING))


def _candidates(
    setting: Setting, kind: str, method: str, tuning_runs: pd.DataFrame, runs: pd.DataFrame
) -> pd.DataFrame:
    """Return the strengths of a method and 'none', at every regime of the setting."""
    labels = ["none", *_strengths(setting, kind, method)]
    rows = []
    for regime in setting.regimes:
        for label in labels:
            tried, tested = (select(table, Cell(regime, **{kind: label})) for table in (tuning_runs, runs))
            own = {"method": method, "regime": regime, "label": label, "strength": setting.grids[kind][label]}
            rows.append({**own, **_tried(tried), **_tested(tested)})
    return pd.DataFrame(rows).assign(position=range(len(rows)))


def _strengths(setting: Setting, kind: str, method: str) -> list[str]:
    return [label for label in setting.grids[kind] if method_of(label) == method != "none"]


def _tried(runs: pd.DataFrame) -> dict[str, float]:
    losses = runs["validation_loss"].to_numpy(float)
    finite = np.isfinite(losses).all() and losses.size > 0
    train = runs["train_loss"].to_numpy(float)
    accuracies = runs["validation_accuracy"].to_numpy(float)
    return {
        "n": losses.size,
        "diverged": int(failed(runs).sum()),
        "validation_loss": float(losses.mean()) if finite else np.inf,
        "validation_se": float(losses.std(ddof=1) / np.sqrt(losses.size)) if finite and losses.size > 1 else np.nan,
        "validation_accuracy": float(accuracies.mean()) if accuracies.size else np.nan,
        "train_loss": float(train.mean()) if train.size and np.isfinite(train).all() else np.inf,
    }


def _tested(runs: pd.DataFrame) -> dict[str, float]:
    means = {column: float(runs[column].mean()) for column in ("test_loss", "test_accuracy", "gap_accuracy")}
    return {"test_n": int(runs["test_accuracy"].notna().sum()), **means}


def _chosen(candidates: pd.DataFrame, setting: Setting, kind: str) -> list[dict[str, object]]:
    losses, errors = (candidates[column].to_numpy(float) for column in ("validation_loss", "validation_se"))
    chosen = CHOOSERS[setting.tuning.rule](losses, errors, list(candidates["regime"]))
    whole = candidates["test_n"] == candidates["test_n"].max()
    accuracy, loss = (candidates[column].where(whole) for column in ("test_accuracy", "test_loss"))
    best, least = accuracy.max(), loss.min()
    table = candidates.assign(
        chosen=candidates.index == chosen,
        chosen_by_accuracy=candidates.index == int(candidates["validation_accuracy"].fillna(-np.inf).argmax()),
        chosen_by_training=candidates.index == int(candidates["train_loss"].argmin()),
        best_on_test=accuracy == best,
        best_on_test_loss=loss == least,
        regret=best - accuracy,
        regret_loss=loss - least,
        edge=np.where(candidates.index == chosen, _edge(candidates.iloc[chosen], setting, kind), ""),
    )
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def minimum(losses: Floats, errors: Floats, regimes: Sequence[str]) -> int:
    """Return the first candidate with the smallest mean loss."""
    return int(losses.argmin())


def one_standard_error(losses: Floats, errors: Floats, regimes: Sequence[str]) -> int:
    """Return the last, hence strongest, candidate whose mean loss is within one standard error of the smallest.

    Only candidates in the smallest's regime count: a key tuned along, such as a learning rate, has no order of
    strength.
    """
    least = minimum(losses, errors, regimes)
    bound = losses[least] + np.nan_to_num(errors[least])
    same = np.array([regime == regimes[least] for regime in regimes])
    return int(max(np.flatnonzero(same & (losses <= bound) & np.isfinite(losses)), default=least))


CHOOSERS: dict[str, Callable[[Floats, Floats, Sequence[str]], int]] = {
    "minimum": minimum,
    "one_standard_error": one_standard_error,
}


def _edge(chosen: pd.Series, setting: Setting, kind: str) -> str:
    """Return where the choice lies at an end of the tried values, so that a wider grid might hold a better one."""
    ends = [_end("strength", _strengths(setting, kind, chosen["method"]), chosen["label"])]
    at = setting.along[setting.regimes.index(str(chosen["regime"]))]
    ends += [_end(key, list(dict.fromkeys(point[key] for point in setting.along)), at[key]) for key in at]
    return "; ".join(end for end in ends if end)


def _end(what: str, values: Sequence[object], value: object) -> str:
    if not values or value not in (values[0], values[-1]):
        return ""
    if len(values) == 1:
        return f"{what}: no grid"
    return f"{what}: {'first' if value == values[0] else 'last'} of {len(values)}"


def compare_tuned(tuning: pd.DataFrame, runs: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Compare each tuned method with the tuned baseline, paired by evaluation seed, one row a metric; columns `TUNED`.

    Estimates, intervals and tests are those of `compare`; p_adjusted is Holm's over the methods of one setting, kind
    and metric. A method for which 'none' was chosen has differences of 0. superiority_low and superiority_high are the
    interval of P(A > B); outperforms says by Bouthillier et al.'s rule whether the method is "better" or "worse" than
    the baseline, where greater accuracy and smaller other metrics are better.
    """
    table = runs.assign(diverged=failed(runs).astype(float))
    rows = [row for _, part in tuning.groupby(["setting", "kind"], sort=False) for row in _compared(part, table, seed)]
    frame = pd.DataFrame(rows, columns=list(TUNED))
    families = frame.groupby(["setting", "kind", "metric"], sort=False)["p"]
    return frame.assign(p_adjusted=families.transform(lambda p: holm(p.to_numpy(float))))


def _compared(tuning: pd.DataFrame, runs: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    chosen = tuning[tuning["chosen"]]
    baseline = chosen[chosen["method"] == "none"].iloc[0]
    for _, row in chosen[chosen["method"] != "none"].iterrows():
        both_fail = all(fails(select(runs, candidate_cell(one))) for one in (row, baseline))
        for metric in METRICS:
            own, base = (select(runs, candidate_cell(one)).set_index("seed")[metric] for one in (row, baseline))
            both = own.index.intersection(base.index).sort_values()
            terms = np.stack([own.loc[both].to_numpy(float), -base.loc[both].to_numpy(float)])
            rng = row_generator(seed, "tuned", row["setting"], row["kind"], row["method"], metric)
            nothing = both_fail and metric != "diverged"
            found = estimates(terms, rng, nothing)
            wins, outperforms = _wins(terms[:, :0] if nothing else terms, metric, rng)
            yield {
                **{key: row[key] for key in ("study", "setting", "kind", "method", "regime", "label", "regret")},
                "baseline_regime": baseline["regime"],
                "metric": metric,
                "mean": float(own.mean()),
                "baseline_mean": float(base.mean()),
                **{key: value for key, value in found.items() if key != "method"},
                "superiority_low": wins.interval.low,
                "superiority_high": wins.interval.high,
                "outperforms": outperforms,
                "method_of_test": found["method"],
            }


def _wins(terms: Floats, metric: str, rng: np.random.Generator) -> tuple[Outperformance, str]:
    """Return how often the method has the greater number, and whether it outperforms the baseline or the reverse."""
    own, none = terms[0], -terms[1]
    defined = np.isfinite(own) & np.isfinite(none)
    up, down = bouthillier(own[defined], none[defined], rng), bouthillier(none[defined], own[defined], rng)
    good, bad = (up, down) if metric == "test_accuracy" else (down, up)
    return up, good.verdict if bad.verdict != "better" else "worse"


def candidate_cell(candidate: Mapping[Hashable, Any] | pd.Series) -> Cell:
    """Return the cell of a row of `tuning`: its label alone in its regime."""
    return Cell(str(candidate["regime"]), **{str(candidate["kind"]): str(candidate["label"])})
