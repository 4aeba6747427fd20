"""A regime in two sentences, what raised test accuracy the most and what lower gaps cost; a sweep in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.methods.labels import NONE
from study.report.format import Effect, counted, in_words, with_interval
from study.report.regimes import RegimeFindings
from study.results.cells import failed

FAMILIES = {"clip": "clip", "regularization": "regularizer"}


def headline(found: RegimeFindings) -> str:
    """Return the largest gain of each family, and what lower gaps cost."""
    if found.runs.empty:
        return "nothing is trained yet."
    return " ".join(filter(None, [_gains(found), _rescues(found), _gaps(found)]))


def along(sweep: Mapping[str, RegimeFindings]) -> str:
    """Return in how many settings of a sweep each family raised test accuracy, the most by how much, and lowered it.

    sweep: what was found in each setting, by its name in words.
    """
    families = (_along(sweep, family, noun) for family, noun in FAMILIES.items())
    return f"{'; '.join(filter(None, families)) or 'nothing is compared with the baseline'}."


def _along(sweep: Mapping[str, RegimeFindings], family: str, noun: str) -> str:
    """A clip raised test accuracy in 2 of 4 settings, the most by 36.6 points [..] (..); one lowered it in 2."""
    tested = [(where, e) for where, found in sweep.items() for e in found.effects(family, "test_accuracy")]
    decided = [(where, e) for where, e in tested if e.decided]
    raised = [(where, e) for where, e in decided if e.estimate > 0]
    lowered = {where for where, e in decided if e.estimate < 0}
    settings = counted(len({where for where, _ in tested}), "setting")
    also = f"; one lowered it in {len(lowered)}" if lowered else ""
    if not tested:
        return ""
    if not raised:
        return f"no {noun} raised test accuracy by a decided amount in any of {settings}{also}"
    where, best = max(raised, key=lambda one: one[1].estimate)
    count = len({where for where, _ in raised})
    most = f"{'the most ' if count > 1 else ''}by {_unsigned(best)} ({best.words} in {where})"
    return f"a {noun} raised test accuracy in {count} of {settings}, {most}{also}"


def _gains(found: RegimeFindings) -> str:
    """Clip to norm 0.1 raised test accuracy by 2.0 points [1.5, 2.5]; no regularizer raised .. ."""
    told: dict[str, list[str]] = {}  # what is said, of whom
    for family, noun in FAMILIES.items():
        if tested := found.effects(family, "test_accuracy"):
            subject, predicate = _gain(tested, noun)
            told.setdefault(predicate, []).append(subject)
    parts = [f"{' and '.join(subjects)} {predicate}" for predicate, subjects in told.items()]
    return f"{'; '.join(parts) or 'nothing is compared with the baseline'}."


def _gain(tested: Sequence[Effect], noun: str) -> tuple[str, str]:
    """Return who raised test accuracy and by how much, or why nobody did."""
    if raised := [e for e in tested if e.decided and e.estimate > 0]:
        best, others = raised[0], len(raised) - 1
        among = f", the most of {others + 1} {noun}s that did" if others else ""
        comma = "," if "," in best.words else ""
        return f"{best.words}{comma}", f"raised test accuracy by {_unsigned(best)}{among}"
    compared = [e for e in tested if e.defined]
    if any(e.decidable for e in compared):
        return f"no {noun}", "raised test accuracy by a decided amount"
    if compared:
        return f"{noun}s", f"cannot be judged with {_pairs(max(compared, key=lambda e: e.n))}"
    return f"{noun}s", "cannot be compared, since the runs failed"


def _pairs(effect: Effect) -> str:
    """`4 of 10 seeds, the runs of the others being lost`."""
    if not effect.n_undefined:
        return counted(effect.n, "seed")
    return f"{effect.n} of {counted(effect.n + effect.n_undefined, 'seed')}, the runs of the others being lost"


def _rescues(found: RegimeFindings) -> str:
    """Without clip and regularizer 10 of 10 runs failed; with clip to norm 1 none did. Empty where most are well."""
    runs = found.runs.assign(failed=failed(found.runs))
    cells = runs.groupby(["clip", "regularization"], sort=False)["failed"].agg(["sum", "size"])
    if (NONE, NONE) not in cells.index:
        return ""
    failing, count = (int(cells[column][NONE, NONE]) for column in ("sum", "size"))
    whole = list(cells.index[cells["sum"] == 0])
    clips = [clip for clip, other in whole if other == NONE]
    regularizers = [other for clip, other in whole if clip == NONE]
    if failing < 0.5 * count or not (saved := [*clips, *regularizers]):
        return ""
    kinds = zip(FAMILIES.values(), (clips, regularizers), strict=True)
    several = " and ".join(counted(len(labels), noun) for noun, labels in kinds if labels)
    with_what = in_words(saved[0]) if len(saved) == 1 else several
    return f"Without clip and regularizer {failing} of {counted(count, 'run')} failed; with {with_what} none did."


def _unsigned(effect: Effect) -> str:
    """`6.8 points [6.3, 7.2]`."""
    value, low, high = (effect.scale * one for one in (effect.estimate, effect.low, effect.high))
    return with_interval(value, low, high, once=f" {effect.unit}")


def _gaps(found: RegimeFindings) -> str:
    """Say with how many methods the gap fell without a decided loss of test accuracy, and with how many at its cost."""
    kept, paid = [], []
    for family, noun in FAMILIES.items():
        fallen = [test for gap, test in found.both(family) if gap.decided and gap.estimate < 0]
        lost = sum(test.decided and test.estimate < 0 for test in fallen)
        kept += [counted(len(fallen) - lost, noun)] if len(fallen) > lost else []
        paid += [counted(lost, noun)] if lost else []
    parts = [f"with {' and '.join(kept)} without a decided loss of test accuracy"] if kept else []
    parts += [f"with {' and '.join(paid)} at the cost of test accuracy"] if paid else []
    return f"The accuracy gap fell {', and '.join(parts)}." if parts else ""
