"""The study in a few lines: which claims hold, what methods gain at tuned strength, what lower gaps cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

import pandas as pd

from study.analysis.conventions import ALPHA
from study.analysis.questions.numbers import Number
from study.analysis.questions.tuned import BY_ACCURACY, BY_LOSS, RATE_GIVEN, RATE_TUNED, part_of
from study.config.study import Study
from study.methods.labels import NONE
from study.report.format import MOST_NAMED
from study.report.headline import along, headline
from study.report.hypotheses import hypothesis_lines
from study.report.places import regime_words
from study.report.questions.base import KINDS, Told, by_item, count, span
from study.report.regimes import RegimeFindings
from study.report.tuned_gains import CELL, accuracy, stopped_early
from study.results.cells import failed
from study.results.store import Tables

# A run that has a best epoch later than its start has the accuracy of that epoch.
NO_ACCURACY = {"last_epoch": "at the end", "best_epoch": "after any epoch"}

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
        lines += [line for kind in KINDS for line in _gains(tuned[~tuned["setting"].isin(rates)], kind, noisy)]
        if study.scored_epoch == "last_epoch":
            lines += stopped_early(tuned[~tuned["setting"].isin(rates)], tables["comparisons"])
        lines += [*_with_rates(tuned[tuned["setting"].isin(rates)], rates, words)]
        lines += [*_by_accuracy(Told(tables))]
        lines += [*_costs(tables["comparisons"])]
    elif "hypotheses" in tables:
        lines += hypothesis_lines(tables["hypotheses"])
    else:
        lines += _by_place(study, tables, words)
    return [*lines, *_failed(tables["runs"], study, words)]


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
    if changed := int(claims["changed"].fillna("").astype(bool).sum()):
        yield (
            f"The rules of {count(changed, 'claim')} were changed after results of the full study had been seen, as"
            " told with each claim; `docs/studies/README.md` tells of earlier changes."
        )


def _rates(tuning: pd.DataFrame) -> list[str]:
    """The settings in which more than the strength was chosen."""
    points = tuning.groupby("setting", sort=False)["regime"].nunique()
    return [str(setting) for setting in points.index[points > 1]]


def _gains(tuned: pd.DataFrame, kind: str, noisy: list[str]) -> Iterator[str]:
    """In how many settings a method of the kind gained, lost or was not wanted, and how much was gained."""
    own = accuracy(tuned, kind)
    if own.empty:
        return
    of_setting = own.assign(unwanted=own["label"] == NONE).groupby("setting", sort=False)
    gained, lost, unwanted = of_setting["gains"].any(), of_setting["loses"].any(), of_setting["unwanted"].all()
    labels = (("some wrong", gained.index.isin(noisy)), ("right", ~gained.index.isin(noisy)))
    raised = [f"in {_share(gained[at])} with {which} labels" for which, at in labels if at.any()]
    most = own[own["gains"]].groupby("setting")["estimate"].max()
    by = f", by {span([100 * most.min(), 100 * most.max()])} points at best" if len(most) else ""
    not_chosen = f" In {int(unwanted.sum())}, tuning chose no {KINDS[kind]}." if unwanted.any() else ""
    yield (
        f"**Tuned {KINDS[kind]}s, at the given learning rate**, raised test accuracy {' and '.join(raised)}{by}; they"
        f" lowered it in {int(lost.sum()) or 'none'}.{not_chosen}"
    )


def _share(settings: pd.Series) -> str:
    """`3 of 6 settings`."""
    return f"{int(settings.sum())} of {count(len(settings), 'setting')}"


def _with_rates(tuned: pd.DataFrame, rates: list[str], words: Mapping[str, str]) -> Iterator[str]:
    """In how many settings whose learning rate was tuned too, for the baseline as well, a method gained or lost."""
    parts = []
    for kind in KINDS:
        own = accuracy(tuned, kind) if len(tuned) else tuned
        if len(own):
            of_setting = own.groupby("setting", sort=False)
            gained, lost = of_setting["gains"].any(), of_setting["loses"].any()
            worse = int(lost.sum()) or "none"
            parts.append(f"a {KINDS[kind]} raised test accuracy in {_share(gained)} and lowered it in {worse}")
    if parts:
        where = " and ".join(words[name] for name in rates)
        yield f"**With the learning rate tuned too**, for the baseline as well ({where}), {'; '.join(parts)}."


def _by_accuracy(told: Told) -> Iterator[str]:
    """What is gained where strengths and rates, the baseline's too, are chosen by validation accuracy instead."""
    picks, by_loss = (list(by_item(told.of("tuned", by=by)).values()) for by in (BY_ACCURACY, BY_LOSS))
    if picks and _cells(picks) == _cells(by_loss):
        yield "**Tuning used validation loss**; validation accuracy would have chosen the same."
        return
    by_rate = [
        f"test accuracy was raised by {' and by '.join(parts)}{when}"
        for rate, when in ((RATE_GIVEN, ""), (RATE_TUNED, " with the learning rate chosen too"))
        if (
            parts := [
                f"a {KINDS[kind]} in {_better(own)}" for kind in KINDS if (own := _of(picks, part_of(kind, rate)))
            ]
        )
    ]
    lowered = sum(gain.verdict == "worse" for gain, _ in picks)
    if by_rate:
        yield (
            "**Tuning used validation loss.** If validation accuracy chooses instead, for the baseline too,"
            f" {'; '.join(by_rate)}. It was lowered in {lowered or 'none'}. A case is a method in a setting; these p"
            " values are not adjusted."
        )


def _of(picks: list[list[Number]], part: str) -> list[Number]:
    return [gain for gain, _ in picks if gain.part == part]


def _better(found: list[Number]) -> str:
    """`5 of 9 cases`."""
    return f"{sum(one.verdict == 'better' for one in found)} of {count(len(found), 'case')}"


def _cells(picks: list[list[Number]]) -> list[tuple[object, ...]]:
    """What was chosen, for each method and for none."""
    return [(one.setting, one.method, one.own, one.baseline) for one, _ in picks]


def _costs(comparisons: pd.DataFrame) -> Iterator[str]:
    """How many methods lowered the gap at any strength, and how many of them paid for it with test accuracy."""
    alone = comparisons[comparisons["family"].isin(["clip", "regularization"])]
    fallen = (alone["p_adjusted"] < ALPHA) & (alone["high"] < 0)
    lower = {metric: set(map(tuple, alone[fallen & (alone["metric"] == metric)][CELL].to_numpy()))
             for metric in ("gap_accuracy", "test_accuracy")}  # fmt: skip
    if lowered := lower["gap_accuracy"]:
        paid = len(lowered & lower["test_accuracy"])
        yield (
            f"**What a lower gap costs.** In {count(len(lowered), 'case')} a clip or a regularizer, at some strength,"
            f" lowered the accuracy gap of a regime. In {paid} of them it lowered test accuracy too: a small gap alone"
            " is no recommendation."
        )


def _failed(runs: pd.DataFrame, study: Study, words: Mapping[str, str]) -> Iterator[str]:
    """How many runs failed and where, and how many collapsed, of workloads that know of that."""
    unwell = runs[failed(runs)]
    whole = f"{len(runs):,} runs"
    if unwell.empty:
        yield f"None of the {whole} failed."
    else:
        without = without_accuracy(unwell, study)
        yield f"**Failed runs.** {len(unwell):,} of {whole} failed{without}: {_where(unwell, study, words)}."
    if "collapsed" in runs and (gone := runs[runs["collapsed"] > 0]).size:
        yield f"**Collapsed runs** (see `docs/tables.md`). {len(gone):,} of {whole}: {_where(gone, study, words)}."


def _where(runs: pd.DataFrame, study: Study, words: Mapping[str, str]) -> str:
    """In which regimes or sweeps some runs are, those with the most first."""
    counts = runs["regime"].map(lambda regime: study.regimes[str(regime)].part_of or str(regime)).value_counts()
    rest = f" and {len(counts) - MOST_NAMED} more" if len(counts) > MOST_NAMED else ""
    return ", ".join(f"{words[str(name)]} ({count})" for name, count in counts.head(MOST_NAMED).items()) + rest


def without_accuracy(runs: pd.DataFrame, study: Study) -> str:
    """Return how many of them have no finite accuracy at the scored epoch, as an aside; empty where none."""
    lost = int(runs["test_accuracy"].isna().sum())
    return f", {lost} of them without a finite accuracy {NO_ACCURACY[study.scored_epoch]}" if lost else ""
