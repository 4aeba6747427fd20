"""Regimes in words, as lists and tables of a report name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.config.fields import combined_label
from study.config.regime import Regime
from study.config.study import Study
from study.methods.base import compact
from study.methods.labels import NONE, method_of
from study.methods.phrases import key_name, names_of, phrase, short_name
from study.report.markdown import escaped
from study.results.terms import regime_phrases


def regime_words(study: Study) -> Mapping[str, str]:
    """Return each regime, sweep and tuned setting of a study in words, as Markdown: "*map, learning rate 3*"."""
    return {name: italic(words) for name, words in regime_phrases(study.regimes).items()}


def names_in_words(study: Study) -> Mapping[str, str]:
    """Return what is read for each regime, method and labelled cell of a study, as Markdown."""
    labels = [label for one in study.regimes.values() for label in (*one.clip_labels, *one.regularization_labels)]
    methods = {name: escaped(words) for name, words in names_of(labels).items()}
    return {**methods, **regime_words(study)}


def along_words(study: Study) -> Mapping[str, list[str]]:
    """Return what was tuned along with strengths, at each regime's value of it: "learning rate 3"; empty elsewhere."""
    return {
        name: [
            f"{key_name(key)} {compact(value)}"
            for key, value in regime.at.items()
            if regime.tuning and key in regime.tuning.along
        ]
        for name, regime in study.regimes.items()
    }


def italic(words: str) -> str:
    """Return words in italics, as Markdown."""
    return f"*{escaped(words)}*"


def clips_in(regime: Regime) -> str:
    """Return the clips of a regime in words, as Markdown; a phrase has commas of its own."""
    return _listed("clip", [clip.label for clip in regime.clips], regime)


def regularizers_in(regime: Regime) -> str:
    """Return the regularizers of a regime in words, as Markdown."""
    return _listed("regularization", [combined_label(one) for one in regime.regularizations], regime)


def by_trials(regime: Regime) -> bool:
    """Return whether trials choose the learning rate and the strengths of a regime."""
    return bool(regime.tuning and regime.tuning.trials)


def _listed(kind: str, labels: Sequence[str], regime: Regime) -> str:
    """Labels in words, without strengths where trials choose these."""
    if by_trials(regime):
        return "; ".join(escaped(phrase(kind, NONE) if one == NONE else short_name(method_of(one))) for one in labels)
    return "; ".join(escaped(phrase(kind, label)) for label in labels)
