"""A regime in a few sentences, what raised test accuracy the most and what lower gaps cost; a sweep in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from study.methods.labels import NONE, method_of
from study.methods.phrases import cell_phrase
from study.report.format import Effect, counted, in_words, number, with_interval
from study.report.markdown import escaped
from study.report.questions.base import capital
from study.report.regimes import RegimeFindings

FAMILIES = {"clip": "clip", "regularization": "regularizer"}


def headline(found: RegimeFindings) -> str:
    """Return the largest gain of each family, at the best epoch too, and what lower gaps cost."""
    if found.runs.empty:
        return "nothing is trained yet."
    if private := _private(found):
        return private
    return " ".join(filter(None, [_gains(found), _stopped_early(found), _rescues(found), _gaps(found)]))


def _private(found: RegimeFindings) -> str:
    """Return what the most accurate private variant reaches at its epsilon; empty where none is private.

    The baseline has neither a clip nor its noise, so that a difference would not be the clip's alone.
    """
    spent = found.runs.get("epsilon", pd.Series(dtype=float))
    private = found.runs[np.isfinite(spent.reindex(found.runs.index)) & found.runs["test_accuracy"].notna()]
    if private.empty:
        return ""
    cells = private.groupby(["clip", "regularization"], sort=False)[["test_accuracy", "epsilon"]].mean()
    best = cells["test_accuracy"].idxmax()
    words = escaped(cell_phrase(*best))
    who = f"the most accurate of {len(cells)} private variants, {words}," if len(cells) > 1 else words
    return (
        f"{who} reached {found.mean('test_accuracy', *best)} test accuracy at epsilon"
        f" {number(cells['epsilon'][best])}; the baseline, without clip and noise, reached"
        f" {found.mean('test_accuracy')}."
    )


def along(sweep: Mapping[str, RegimeFindings]) -> str:
    """Return in how many settings of a sweep each family raised test accuracy, the most by how much, and lowered it.

    sweep: what was found in each setting, by its name in words.
    """
    families = (_along(sweep, family, noun) for family, noun in FAMILIES.items())
    return f"{'; '.join(filter(None, families)) or 'nothing is compared with the baseline'}."


def _along(sweep: Mapping[str, RegimeFindings], family: str, noun: str) -> str:
    """A clip raised test accuracy in 2 of 4 settings (most with .. in ..: +36.6 points [..]); one lowered it in 2."""
    tested = [(where, e) for where, found in sweep.items() for e in found.effects(family, "test_accuracy")]
    decided = [(where, e) for where, e in tested if e.decided]
    raised = [(where, e) for where, e in decided if e.estimate > 0]
    lowered = {where for where, e in decided if e.estimate < 0}
    settings = counted(len({where for where, _ in tested}), "setting")
    also = f"; one lowered it in {len(lowered)}" if lowered else ""
    if not tested:
        return ""
    if not raised:
        return f"no {noun} raised test accuracy in any of {settings}{also}"
    where, best = max(raised, key=lambda one: one[1].estimate)
    count = len({where for where, _ in raised})
    most = f"{'most ' if count > 1 else ''}with {best.words} in {where}: {_signed(best)}"
    return f"a {noun} raised test accuracy in {count} of {settings} ({most}){also}"


def _gains(found: RegimeFindings) -> str:
    """Test accuracy rose with 2 of 5 clips (most with clip to norm 0.1: +2.0 points [1.5, 2.5]) and .. ."""
    tested = {noun: effects for family, noun in FAMILIES.items() if (effects := found.effects(family, "test_accuracy"))}
    judged = {noun: effects for noun, effects in tested.items() if any(e.decidable for e in effects if e.defined)}
    sentences = [f"test accuracy {_rise(judged)}."] if judged else []
    why: dict[str, list[str]] = {}
    for noun, effects in tested.items():
        if noun not in judged:
            why.setdefault(_unjudged(effects), []).append(f"{'the ' if effects[1:] else ''}{_whom(effects, noun)}")
    sentences += [f"{' and '.join(whom)} cannot be {reason}." for reason, whom in why.items()]
    first, *rest = sentences or ["nothing is compared with the baseline."]
    return " ".join([first, *map(capital, rest)])


def _rise(tested: Mapping[str, Sequence[Effect]]) -> str:
    """`rose with 2 of 5 clips (most with ..), but with none of 5 regularizers`, or `did not rise with any of ..`."""
    raised = {noun: [e for e in effects if e.decided and e.estimate > 0] for noun, effects in tested.items()}
    those = [_raised(raised[noun], effects, noun) for noun, effects in tested.items() if raised[noun]]
    others = {noun: effects for noun, effects in tested.items() if not raised[noun]}
    if not those:
        whom = (f"{'any of ' if own[1:] else ''}{_whom(own, noun)}" for noun, own in others.items())
        return f"did not rise with {' or '.join(whom)}"
    rest = [f"{'with none of' if own[1:] else 'not with'} {_whom(own, noun)}" for noun, own in others.items()]
    return f"rose {' and '.join(those)}{', but ' if rest else ''}{' and '.join(rest)}"


def _raised(raised: Sequence[Effect], tested: Sequence[Effect], noun: str) -> str:
    """`with 2 of 5 clips (most with clip to norm 0.1: +2.0 points [1.5, 2.5])`."""
    best, gain = raised[0].words, _signed(raised[0])
    if len(tested) == 1:
        return f"with {best} ({gain})"
    most = "most with " if len(raised) > 1 else ""
    return f"with {len(raised)} of {_whom(tested, noun)} ({most}{best}: {gain})"


def _unjudged(tested: Sequence[Effect]) -> str:
    """Say why nothing is known of a family."""
    compared = [e for e in tested if e.defined]
    if not compared:
        return "compared, since too few runs trained on both sides"
    most = max(compared, key=lambda e: e.n)
    if most.n_undefined:
        return f"judged: only {most.n} of {most.n + most.n_undefined} seeds have both runs"
    return f"judged by {counted(most.n, 'seed')}"


def _whom(tested: Sequence[Effect], noun: str) -> str:
    """Return how many are tested, or the name of the only one."""
    return _counted([e.label for e in tested], noun) if len(tested) > 1 else tested[0].words


def _counted(labels: Sequence[str], noun: str) -> str:
    """`5 clips`; `24 clip variants` where some are strengths of one method."""
    return counted(len(labels), _noun(labels, noun))


def _noun(labels: Sequence[str], noun: str) -> str:
    """Return the noun of some labels: variants where two are strengths of one method."""
    return noun if len(set(map(method_of, labels))) == len(labels) else f"{noun} variant"


def _stopped_early(found: RegimeFindings) -> str:
    """Say what of the gains is left with runs scored at their best epochs; empty where nothing rose."""
    tested: dict[str, Sequence[Effect]] = {}
    for family, noun in FAMILIES.items():
        last, best = (found.effects(family, metric) for metric in ("test_accuracy", "best_test_accuracy"))
        told_already = {e.label: e.estimate for e in last} == {e.label: e.estimate for e in best}
        if best and not told_already and any(e.decided and e.estimate > 0 for e in last):
            tested[noun] = best
    return f"With each run scored at the epoch of its smallest validation loss, it {_rise(tested)}." if tested else ""


def _rescues(found: RegimeFindings) -> str:
    """Without clip and regularizer 10 of 10 runs failed; with clip to norm 1 none did. Empty where most are well."""
    cells = found.failures
    if (NONE, NONE) not in cells.index:
        return ""
    failing, count = (int(cells[column][NONE, NONE]) for column in ("sum", "size"))
    whole = list(cells.index[cells["sum"] == 0])
    clips = [clip for clip, other in whole if other == NONE]
    regularizers = [other for clip, other in whole if clip == NONE]
    if failing < 0.5 * count or not (saved := [*clips, *regularizers]):
        return ""
    kinds = zip(FAMILIES.values(), (clips, regularizers), strict=True)
    several = " and ".join(_counted(labels, noun) for noun, labels in kinds if labels)
    with_what = in_words(saved[0]) if len(saved) == 1 else several
    return f"Without clip and regularizer {failing} of {counted(count, 'run')} failed; with {with_what} none did."


def _signed(effect: Effect) -> str:
    """`+6.8 points [6.3, 7.2]`."""
    value, low, high = (effect.scale * one for one in (effect.estimate, effect.low, effect.high))
    return with_interval(value, low, high, signed=True, once=f" {effect.unit}")


def _gaps(found: RegimeFindings) -> str:
    """Say with how many methods the gap fell without a decided loss of test accuracy, and with how many at its cost."""
    kept, paid = [], []
    for family, noun in FAMILIES.items():
        both = list(found.both(family))
        several = _noun([gap.label for gap, _ in both], noun)
        fallen = [test for gap, test in both if gap.decided and gap.estimate < 0]
        lost = sum(test.decided and test.estimate < 0 for test in fallen)
        kept += [counted(len(fallen) - lost, several)] if len(fallen) > lost else []
        paid += [counted(lost, several)] if lost else []
    parts = [f"with {' and '.join(kept)} without a decided loss of test accuracy"] if kept else []
    parts += [f"with {' and '.join(paid)} at the cost of test accuracy"] if paid else []
    return f"The accuracy gap fell {', and '.join(parts)}." if parts else ""
