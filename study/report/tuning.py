"""Tuning in rows that a report can print: how strengths were chosen, which, and what they brought."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from study.analysis.comparisons import BOTH_FAIL
from study.config.regime import Regime
from study.config.study import Study
from study.methods.labels import NONE, method_of
from study.methods.phrases import key_name
from study.report.format import clip_words, ends_told, interval_of, method_named, number, p_text, regularizer_words
from study.report.places import along_words, regime_words

Row = dict[str, object]
LESS = "gain in test accuracy (points)"
IN_WORDS = {"clip": clip_words, "regularization": regularizer_words}


def plan_rows(study: Study) -> list[Row]:
    """For each way of choosing strengths the settings that were tuned so, and how many candidates methods had there."""
    words = regime_words(study)
    plans: dict[tuple[object, ...], list[str]] = {}
    for name, regimes in study.tuned_settings.items():
        plans.setdefault(_plan(next(iter(regimes.values())), len(regimes)), []).append(words[name])
    keys = ("chosen on", "seeds", "rule", "together with", "candidates of a clip", "of a regularizer")
    return [{"settings": "; ".join(names), **dict(zip(keys, plan, strict=True))} for plan, names in plans.items()]


def _plan(regime: Regime, points: int) -> tuple[object, ...]:
    tuning = regime.tuning
    assert tuning is not None  # such are tuned settings
    part = f"{tuning.folds}-fold cross-validation" if tuning.folds else "hold-out validation"
    along = f"{', '.join(map(key_name, tuning.along))} ({points} values)" if tuning.along else ""
    counts = (_candidates(labels, points) for labels in (regime.clip_labels, regime.regularization_labels))
    by = "" if tuning.metric == "validation_loss" else f", by {tuning.metric.replace('_', ' ')}"
    return part + by, len(tuning.seeds), f"`{tuning.rule}`", along, *counts


def _candidates(labels: list[str], points: int) -> str:
    """Strengths of each method, and the baseline; each at every point along."""
    methods = {method_of(label) for label in labels if label != NONE}
    strengths = (len(labels) - 1) // len(methods) if methods else 0
    times = f", each at {points}" if points > 1 else ""
    return f"{strengths} and the baseline{times}" if methods else ""


def tuning_rows(study: Study, tuning: pd.DataFrame, tuned: pd.DataFrame) -> list[tuple[str, list[Row], list[Row]]]:
    """For each tuned setting two rows for each method: what was chosen and what that cost, and what it brought."""
    words, along = regime_words(study), along_words(study)
    return [
        (
            words[str(setting)],
            [_choice_row(part, along) for _, part in of_setting.groupby(["kind", "method"], sort=False)],
            [_worth_row(part, tuned) for _, part in of_setting.groupby(["kind", "method"], sort=False)],
        )
        for setting, of_setting in tuning[tuning["method"] != NONE].groupby("setting", sort=False)
    ]


def _choice_row(candidates: pd.DataFrame, along: Mapping[str, list[str]]) -> Row:
    chosen = candidates[candidates["chosen"]].iloc[0]
    training = candidates[candidates["chosen_by_training"]].iloc[0]
    best = candidates[candidates["best_on_test"]]
    return {
        "method": f"`{chosen['method']}`",
        "chosen": _named(chosen, along),
        "edge": edge_words(chosen["edge"]) if isinstance(chosen["edge"], str) else "",
        "by training loss": _named(training, along),
        "best on test": "undefined" if best.empty else _named(best.iloc[0], along),
        "regret (points; nats)": f"{number(100 * chosen['regret'])}; {number(chosen['regret_loss'])}",
    }


def edge_words(edge: str) -> str:
    """Return at which ends of its grids a choice lies, in words: "strength: last of 2; learning rate: first of 3"."""
    return ends_told(edge, key_name)


def _worth_row(candidates: pd.DataFrame, tuned: pd.DataFrame) -> Row:
    chosen = candidates[candidates["chosen"]].iloc[0]
    same = (tuned["setting"] == chosen["setting"]) & (tuned["kind"] == chosen["kind"])
    effect = tuned[same & (tuned["method"] == chosen["method"]) & (tuned["metric"] == "test_accuracy")].iloc[0]
    method = {"tuned, against the baseline": method_named(str(chosen["method"]))}
    if chosen["label"] == NONE:
        return {**method, LESS: "not chosen", "p": "", "P(> baseline)": ""}
    return {**method, LESS: _points(effect), "p": p_text(effect["p_adjusted"]), "P(> baseline)": _wins(effect)}


def across_rows(across: pd.DataFrame, words: Mapping[str, str]) -> list[Row]:
    """A row for each method and group of settings: its robust mean gain, and where it outperforms the baseline.

    words: each setting in words.
    """
    return [
        {
            "over": f"{row['settings']} settings ({'; '.join(words[name] for name in str(row['regime']).split('; '))})",
            "method": method_named(str(row["method"])),
            "interquartile mean gain (points)": _points(row.rename({"iqm": "estimate"})),
            "not chosen in": f"{row['none_chosen']} of {row['settings']}",
            "better in": f"{row['better']} of {row['settings']}",
            "worse in": f"{row['worse']} of {row['settings']}",
        }
        for _, row in across.iterrows()
    ]


def _named(candidate: pd.Series, along: Mapping[str, list[str]]) -> str:
    """`clip to norm 0.1, learning rate 0.3`: a method with what was tuned along with its strength."""
    label = IN_WORDS[str(candidate["kind"])](str(candidate["label"]))
    return ", ".join([label, *along[str(candidate["regime"])]])


def _wins(effect: pd.Series) -> str:
    """`.90 [.70, 1.0], better`: how often it wins over seeds, and the rule's word where it has one."""
    if not math.isfinite(effect["superiority"]):
        return ""
    if not math.isfinite(effect["superiority_low"]):
        return number(effect["superiority"])
    low, high = (f"{effect[key]:.2f}" for key in ("superiority_low", "superiority_high"))
    word = f", {effect['outperforms']}" if effect["outperforms"] in ("better", "worse") else ""
    return f"{effect['superiority']:.2f} [{low}, {high}]{word}"


def _points(row: pd.Series) -> str:
    if row.get("method_of_test") == BOTH_FAIL:
        return "both fail"
    return interval_of(row, scale=100, signed=True)
