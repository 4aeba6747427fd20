"""The study in a few lines: which claims hold, what methods gain at tuned strength, what lower gaps cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import groupby

import pandas as pd

from study.analysis.comparisons import BOTH_FAIL
from study.analysis.conventions import ALPHA
from study.analysis.questions.differences import NOTHING
from study.analysis.questions.numbers import Number
from study.analysis.questions.tuned import BY_ACCURACY, BY_LOSS, RATE_GIVEN, RATE_TUNED, part_of
from study.config.study import Study
from study.methods.labels import NONE
from study.report.format import clear, in_words, method_named, number, with_interval
from study.report.headline import along, headline
from study.report.hypotheses import hypothesis_lines
from study.report.ledger import against
from study.report.places import regime_words
from study.report.questions.base import KINDS, Told, by_item, capital, count
from study.report.questions.differences import sized
from study.report.regimes import RegimeFindings
from study.results.cells import failed
from study.results.store import Tables

# A run that has a best epoch later than its start has the accuracy of that epoch.
NO_ACCURACY = {"last_epoch": "at the end", "best_epoch": "after any epoch"}

MARK = "†"
VERDICTS = ("supported", "contradicted", "undecided")


def summary_lines(study: Study, tables: Tables) -> list[str]:
    """A line each: the claims by verdict; what tuned clips and regularizers gain; costs; divergence.

    A study with hypotheses is told by these, one that tunes nothing by its regimes, one by one, and its sweeps.
    """
    tuned = tables["tuned"] if "tuned" in tables else pd.DataFrame()
    words = regime_words(study)
    lines = [*_claims(tables["claims"])] if "claims" in tables else []
    if len(tuned):
        rates = _rates(tables["tuning"])
        settings = study.tuned_settings.items()
        noisy = [name for name, own in settings if any(one.data.wrong_labels.train for one in own.values())]
        lines += [line for kind in KINDS for line in _gains(tuned[~tuned["setting"].isin(rates)], kind, noisy, words)]
        lines += [*_with_rates(tuned[tuned["setting"].isin(rates)], rates, words)]
        lines += [*_by_accuracy(Told(tables))]
        lines += [*_costs(tables["comparisons"])]
    elif "hypotheses" in tables:
        lines += hypothesis_lines(tables["hypotheses"])
    else:
        lines += _by_place(study, tables, words)
    return [*lines, _diverged(tables["runs"], study, words)]


def _by_place(study: Study, tables: Tables, words: Mapping[str, str]) -> Iterator[str]:
    """A line for each regime, and one for each sweep."""
    found = {name: RegimeFindings(name, tables) for name in study.regimes}
    for place, names in groupby(study.regimes, lambda name: study.regimes[name].part_of or name):
        own = {words[name]: found[name] for name in names}
        yield f"In {words[place]}, {along(own) if place not in study.regimes else headline(found[place])}"


def _claims(ledger: pd.DataFrame) -> Iterator[str]:
    claims = ledger.drop_duplicates("claim")
    if claims.empty:
        return
    counts = ", ".join(f"{int((claims['verdict'] == verdict).sum())} {verdict}" for verdict in VERDICTS)
    yield f"**Claims.** Of {count(len(claims), 'claim')}: {counts}, by the rules and for the settings named below."
    for verdict in VERDICTS:
        own = ledger[ledger["verdict"] == verdict].groupby("claim", sort=False)
        if len(own):
            texts = [_claim(part, verdict) for _, part in own]
            yield f"{verdict.capitalize()}: " + " ".join(f"({n}) {text}" for n, text in enumerate(texts, 1))
    if changed := int(claims["changed"].fillna("").astype(bool).sum()):
        yield (
            f"{MARK} The rules of {count(changed, 'claim')} were changed after the first results of the full study were"
            " seen; the changes are listed with each claim."
        )


def _claim(part: pd.DataFrame, verdict: str) -> str:
    """What is claimed, marked where its rule was changed, and how it was contradicted."""
    changed = part["changed"].iloc[0]
    mark = MARK if isinstance(changed, str) and changed else ""
    how = f" ({against(part)})" if verdict == "contradicted" else ""
    return f"{str(part['statement'].iloc[0]).removesuffix('.')}{mark}{how}."


def _rates(tuning: pd.DataFrame) -> list[str]:
    """The settings in which more than the strength was chosen."""
    points = tuning.groupby("setting", sort=False)["regime"].nunique()
    return [str(setting) for setting in points.index[points > 1]]


def _accuracy(tuned: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The gains in test accuracy of a kind, with the change of the gap beside, and what is decided of them."""
    keys = ["setting", "kind", "method"]
    gaps = tuned[tuned["metric"] == "gap_accuracy"].set_index(keys)
    both = (gaps["mean"] < 0) & (gaps["baseline_mean"] < 0)
    gaps = gaps.assign(below=both)  # of two gaps below zero the lower is no better
    own = tuned[(tuned["metric"] == "test_accuracy") & (tuned["kind"] == kind)]
    decided = clear(own["p_adjusted"], own["low"], own["high"])
    gaps = gaps.reindex(pd.MultiIndex.from_frame(own[keys]))
    gap, below = gaps["estimate"].to_numpy(float), gaps["below"].to_numpy(bool)
    return own.assign(
        gap=gap, below=below, gains=decided & (own["estimate"] > 0), loses=decided & (own["estimate"] < 0)
    )


def _gains(tuned: pd.DataFrame, kind: str, noisy: list[str], words: Mapping[str, str]) -> Iterator[str]:
    """In how many settings a method of the kind gained, lost or was not wanted, and the best of each setting."""
    own = _accuracy(tuned, kind)
    if own.empty:
        return
    of_setting = own.assign(unwanted=own["label"] == NONE).groupby("setting", sort=False)
    gained, lost = of_setting["gains"].any(), of_setting["loses"].any()
    counts = [f"{int(gained[at].sum())} of {int(at.sum())} setting{'s' if at.sum() > 1 else ''} with {labels} labels"
              for labels, at in (("some wrong", gained.index.isin(noisy)), ("right", ~gained.index.isin(noisy)))
              if at.any()]  # fmt: skip
    best = own[own["gains"]].sort_values("estimate", ascending=False).drop_duplicates("setting").sort_index()
    effects = "; ".join(_effect(row, words) for _, row in best.iterrows())
    yield (
        f"**A tuned {KINDS[kind]}, at the given learning rate**: at least one raised test accuracy over the baseline by"
        f" a decided amount in {' and '.join(counts)}, and lowered it in {int(lost.sum())};"
        f" in {int(of_setting['unwanted'].all().sum())}, tuning chose no {KINDS[kind]}."
    ) + (f" Largest gain in each setting: {effects}." if effects else "")


def _with_rates(tuned: pd.DataFrame, rates: list[str], words: Mapping[str, str]) -> Iterator[str]:
    """Every method where its learning rate was tuned too, as was that of the baseline."""
    rows = [row for kind in KINDS for _, row in _accuracy(tuned, kind).iterrows()] if len(tuned) else []
    effects = [_effect(row, words) for row in rows]
    if effects:
        where = "; ".join(words[name] for name in rates)
        yield f"**With the learning rate tuned too**, for the baseline as well (in {where}): {'; '.join(effects)}."


def _by_accuracy(told: Told) -> Iterator[str]:
    """What is gained where strengths and rates, the baseline's too, are chosen by validation accuracy instead."""
    picks, by_loss = (list(by_item(told.of("tuned", by=by)).values()) for by in (BY_ACCURACY, BY_LOSS))
    if picks and _cells(picks) == _cells(by_loss):
        yield "**Tuning used validation loss**; validation accuracy would have chosen the same."
        return
    rates = {part_of(kind, RATE_TUNED) for kind in KINDS}
    tuned = [_by_both(told, *both) for both in picks if both[0].part in rates]
    given = {kind: [gain for gain, _ in picks if gain.part == part_of(kind, RATE_GIVEN)] for kind in KINDS}
    parts = [_counted(KINDS[kind], own) for kind, own in given.items()]
    if said := [*filter(None, parts), *(["with the learning rate chosen too, " + "; ".join(tuned)] if tuned else [])]:
        yield (
            "**Tuning used validation loss. With validation accuracy instead**, for the baseline too and with"
            f" unadjusted p: {'. '.join([said[0], *map(capital, said[1:])])}."
        )


def _cells(picks: list[list[Number]]) -> list[tuple[object, ...]]:
    """What was chosen, for each method and for none."""
    return [(one.setting, one.method, one.own, one.baseline) for one, _ in picks]


def _by_both(told: Told, gain: Number, loss: Number) -> str:
    """Clip values at ±0.003 in *decades*: +0.26 points [0.12, 0.43], .., with a test loss worse by 0.16 nats."""
    where = told.place(gain.setting)
    if gain.verdict in NOTHING:
        return f"{method_named(gain.method)} in {where}: not chosen"
    small = ", less than matters" if gain.verdict == "same" else ""
    worse = f", with a test loss worse by {number(loss.estimate)} nats" if loss.verdict == "worse" else ""
    return f"{in_words(gain.label)} in {where}: {sized(gain)}{small}{worse}"


def _counted(kind: str, found: list[Number]) -> str:
    """Return `at the given learning rate, a clip raised test accuracy in 5 of 9 cases and lowered it in 0; ..`."""
    if not found:
        return ""
    counts = {word: sum(one.verdict == word for one in found) for word in ("better", "worse", "same cell")}
    return (
        f"at the given learning rate, a {kind} raised test accuracy in {counts['better']} of"
        f" {count(len(found), 'case')} and lowered it in {counts['worse']}; in {counts['same cell']} no {kind} was"
        " chosen"
    )


def _effect(row: pd.Series, words: Mapping[str, str]) -> str:
    """Clip values at ±0.001 in *memorize*: +5.8 points [5.4, 6.3], gap −25.6."""
    where = words[str(row["setting"])]
    if row["label"] == NONE:
        return f"{method_named(str(row['method']))} in {where}: not chosen"
    what = f"{in_words(str(row['label']))} in {where}"
    estimate, low, high, gap = (100 * float(row[key]) for key in ("estimate", "low", "high", "gap"))
    if not math.isfinite(estimate):
        failed = row.get("method_of_test") == BOTH_FAIL
        return f"{what}: {'not compared, since both fail' if failed else 'undefined'}"
    change = "both gaps below zero" if row["below"] else f"gap {number(gap, sign=True)}"
    open_ = "" if row["gains"] or row["loses"] else ", undecided"
    return f"{what}: {with_interval(estimate, low, high, signed=True, once=' points')}{open_}, {change}"


def _costs(comparisons: pd.DataFrame) -> Iterator[str]:
    """How many methods lowered the gap at any strength, and how many of them paid for it with test accuracy."""
    alone = comparisons[comparisons["family"].isin(["clip", "regularization"])]
    keys = ["regime", "family", "clip", "regularization"]
    fallen = (alone["p_adjusted"] < ALPHA) & (alone["high"] < 0)
    lower = {metric: set(map(tuple, alone[fallen & (alone["metric"] == metric)][keys].to_numpy()))
             for metric in ("gap_accuracy", "test_accuracy")}  # fmt: skip
    if lowered := lower["gap_accuracy"]:
        paid = len(lowered & lower["test_accuracy"])
        yield (
            f"**What a lower gap costs.** In {count(len(lowered), 'case')} a clip or a regularizer, at some strength,"
            f" lowered the accuracy gap of a regime. In {paid} of them it lowered test accuracy too: a small gap alone"
            " is no recommendation."
        )


def _diverged(runs: pd.DataFrame, study: Study, words: Mapping[str, str]) -> str:
    unwell = runs[failed(runs)]
    if unwell.empty:
        return f"No run of {len(runs):,} diverged or stayed at chance."
    lost = unwell["regime"].map(lambda regime: study.regimes[str(regime)].part_of or str(regime))
    where = ", ".join(f"{words[str(name)]} ({count})" for name, count in lost.value_counts().head(4).items())
    return (
        f"**Divergence.** {len(unwell)} of {len(runs):,} runs diverged or stayed at chance"
        f"{without_accuracy(unwell, study)}; by regime, most first: {where}."
    )


def without_accuracy(runs: pd.DataFrame, study: Study) -> str:
    """Return how many of them have no finite accuracy at the scored epoch, as an aside; empty where none."""
    lost = int(runs["test_accuracy"].isna().sum())
    return f", {lost} of them without a finite accuracy {NO_ACCURACY[study.scored_epoch]}" if lost else ""
