"""Values that the source of a report places, by the names that it has for them; none is made in the source."""

from __future__ import annotations

import importlib.metadata
import inspect
import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from study.analysis.conventions import ALPHA
from study.analysis.power import resolution
from study.analysis.statistics import smallest_sign_flip_p
from study.config.fields import combined_label
from study.config.regime import Regime
from study.config.study import Study
from study.methods.base import compact
from study.methods.labels import NONE
from study.methods.phrases import pattern
from study.models import Model
from study.report import format, ledger, own, tuning
from study.report.contents import Contents
from study.report.hypotheses import hypotheses_told, hypothesis_rows
from study.report.markdown import escaped
from study.report.missing import missing_rows, planned_runs
from study.report.numbered_figures import Figures
from study.report.pipe_table import pipe_table
from study.report.places import by_trials, clips_in, names_in_words, regime_words, regularizers_in
from study.report.power import resolution_rows, resolution_text, undecidable_text
from study.report.questions import answers
from study.report.questions.base import count
from study.report.ranking import ranking_rows
from study.report.regimes import RegimeFindings, weights_rows
from study.report.status import history_rows, protocol_rows, status_text
from study.report.summary import summary_lines
from study.report.trials import trials_told
from study.report.tuned_gains import gains_rows
from study.results.cells import failed
from study.results.provenance import Account
from study.results.scores import SCORED_AT
from study.results.store import Tables

CHANGED = (
    "After the first results had been seen, three general rules changed. A contrast of a cell with itself decides only"
    " claims of no loss. A contrast of two gaps below zero decides nothing. The seeds that would decide allow for how"
    " coarse the test is with few seeds."
)
PACKAGES = ("torch", "numpy", "scikit-learn", "scipy", "statsmodels", "pandas", "seaborn", "snakemake")


def printed_rows(study: Study, tables: Tables) -> dict[str, list[Any]]:
    """Return the rows that each section prints from tables, by section; empty where there are none."""
    words = regime_words(study)
    single = {name: regime for name, regime in study.regimes.items() if not regime.part_of}
    return {
        "seeds": resolution_rows(resolution(tables["comparisons"]), _guessed(study)),
        "claims": ledger.claims_rows(tables["claims"]) if "claims" in tables else [],
        "hypotheses": hypothesis_rows(tables["hypotheses"], words) if "hypotheses" in tables else [],
        "strengths": tuning.tuning_rows(study, tables["tuning"], tables["tuned"]) if "tuning" in tables else [],
        "across": tuning.across_rows(tables["across"], words) if "across" in tables else [],
        "gains": gains_rows(tables["tuned"], tables["comparisons"], words) if "tuned" in tables else [],
        "answers": answers(tables) if "answers" in tables else [],
        "ranking": ranking_rows(tables["ranking"], words),
        "regimes": [(name, regime, RegimeFindings(name, tables).section()) for name, regime in single.items()],
        "weights": weights_rows(tables["runs"], {name: words[name] for name in single}),
    }


def contents_of(
    printed: Mapping[str, Collection[Any]], study: Study, tables: Tables, drawn: Collection[str]
) -> Contents:
    """Return the sections of a report, given what they print and the figures that there are."""
    there = {name: bool(rows) for name, rows in printed.items()}
    if not failed(tables["runs"]).any():
        there["divergence"] = False
    if "leaderboard" in tables:  # which says the same of all methods at once
        there |= {"overview": False, "ranking": False}
    swept = "leaderboard" not in tables and all(regime.part_of for regime in study.regimes.values())
    return Contents.of(there, drawn, study.figures or (), swept)


def values(study: Study, tables: Tables, figures: Figures, lock: str) -> dict[str, Any]:
    """Return all other values by name, and the functions that make text of one.

    lock: the text of the frozen protocol of a confirmatory study.
    """
    return {
        **_of_study(study),
        **_of_protocol(study, tables, lock),
        **_of_runs(study, tables),
        **_of_comparisons(study, tables),
        **_of_optional_tables(study, tables, figures),
        **_functions(tables),
        **_of_machine(),
    }


def _of_study(study: Study) -> dict[str, Any]:
    """What the configuration says."""
    return {
        "study": study,
        "words": regime_words(study),
        "sweeps": _sweeps(study),
        "point": next((name for name, regime in study.regimes.items() if regime.part_of), ""),
        "guessed": _guessed(study),
        "paired": any(_crosses(regime) for regime in study.regimes.values()),
        "crossed": [name for name, regime in study.regimes.items() if regime.grid == "crossed"],
        "methods": _methods(study),
        "plans": tuning.plan_rows(study),
        "planned": planned_runs(study),
        "scored_at": SCORED_AT[study.scored_epoch],
        "command": command(study),
        "reference": f"{'paper' if study.name == 'default' else f'results/{study.name}/paper'}/reference/runs.parquet",
    }


def _guessed(study: Study) -> bool:
    """Return whether some nets classify, so that there are labels, a level of chance and cross-entropies."""
    return any(not regime.workload.scores_of_its_own() for regime in study.regimes.values())


def _crosses(regime: Regime) -> bool:
    """Return whether a clip is trained with a regularizer there."""
    return any(clip.label != NONE and combined_label(several) != NONE for clip, several in regime.cells)


def _of_protocol(study: Study, tables: Tables, lock: str) -> dict[str, Any]:
    """What was frozen, and what was changed later."""
    return {
        "status": status_text(study, lock),
        "protocols": protocol_rows(lock),
        "history": history_rows(study, _verdicts(tables["claims"])) if "claims" in tables else [],
        "changed": CHANGED,
    }


def _of_runs(study: Study, tables: Tables) -> dict[str, Any]:
    """The runs that there are, those that are missing, and how they ended."""
    runs, origin = tables["runs"], Account.of(tables["provenance"])
    return {
        "runs": runs,
        "missing": missing_rows(study, tables),
        "tuning_runs": origin.runs - len(runs),
        "origin": origin,
    }


def _of_comparisons(study: Study, tables: Tables) -> dict[str, Any]:
    """What was compared, what so many seeds can decide, and what came of it in short."""
    comparisons, ranking = tables["comparisons"], tables["ranking"]
    least = float(smallest_sign_flip_p(len(study.seeds)))
    largest = int(comparisons.groupby(["regime", "family", "metric"])["p"].count().max()) if len(comparisons) else 0
    return {
        "summary": summary_lines(study, tables),
        "compared": not comparisons.empty,
        "largest_family": largest,
        "resolution_text": resolution_text(resolution(comparisons)),
        "undecidable": undecidable_text(comparisons, regime_words(study)),
        "smallest_p": format.p_text(least),
        "strengths_ranked": bool((ranking["strengths"] > 1).any()),
        "ranking_can_decide": bool((ranking["p_adjusted"] < ALPHA).any()),
    }


def _of_optional_tables(study: Study, tables: Tables, figures: Figures) -> dict[str, Any]:
    """What is said of tables that only some studies have."""
    words = regime_words(study)
    return {
        "contrasts": ledger.contrast_rows(tables["claims"], figures.link, names_in_words(study))
        if "claims" in tables
        else [],
        "hypotheses": hypotheses_told(tables["hypotheses"]) if "hypotheses" in tables else "",
        "trials": trials_told(tables["trials"], words) if "trials" in tables else {},
    }


def _functions(tables: Tables) -> dict[str, Any]:
    """Functions that make text of a value."""
    return {
        "table": pipe_table,
        "text": escaped,
        "count": count,
        "findings": format,
        "by_trials": by_trials,
        "clips_in": clips_in,
        "regularizers_in": regularizers_in,
        "clips_before": own.clips_before,
        "model_text": _model_text,
        "own_metrics": lambda name, regime: own.own_metrics(name, regime, tables["summary"]),
        "privacy": lambda name: own.privacy(name, tables["runs"]),
    }


def _of_machine() -> dict[str, str]:
    """By what the report is written."""
    return {
        "versions": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _verdicts(claims: pd.DataFrame) -> dict[str, str]:
    """The verdict of each claim by its name."""
    return dict(zip(claims["claim"], claims["verdict"], strict=True))


def command(study: Study) -> str:
    """Return the command that trains and renders this study again, with as many seeds as it has."""
    seeds = list(study.seeds)
    given = len(seeds) if seeds == list(range(len(seeds))) else f"'{seeds}'".replace(" ", "")
    file = "study" if study.name == "default" else study.name
    return f".venv/bin/snakemake --cores 2 --configfile config/{file}.yaml --config seeds={given}"


@dataclass(frozen=True)
class Sweep:
    """The regimes that one entry of the configuration stands for, and what it varies."""

    name: str
    regime: Regime
    axes: dict[str, str]
    count: int


def _sweeps(study: Study) -> list[Sweep]:
    members: dict[str, list[Regime]] = {}
    for regime in study.regimes.values():
        if regime.part_of:
            members.setdefault(regime.part_of, []).append(regime)
    return [Sweep(name, several[0], _axes(several), len(several)) for name, several in members.items()]


def _axes(members: list[Regime]) -> dict[str, str]:
    """The swept keys with their values, as text."""
    points = pd.DataFrame([regime.at for regime in members]).astype(str)
    return {str(axis): ", ".join(points[axis].unique()) for axis in points}


@dataclass(frozen=True)
class Summary:
    """A method of the study in a line: how a report tells it, and what its docstring says first."""

    name: str
    words: str
    summary: str


def _methods(study: Study) -> list[Summary]:
    regimes = study.regimes.values()
    clips = [clip for regime in regimes for clip in regime.clips]
    regularizers = [one for regime in regimes for several in regime.regularizations for one in several]
    used = {method.name: method for method in [*clips, *regularizers] if method.name != "none"}
    lines = {
        name: (inspect.getdoc(type(method)) or "no description.").split("\n\n")[0] for name, method in used.items()
    }
    clip_names = {clip.name for clip in clips}
    words = {name: pattern("clip" if name in clip_names else "regularization", name) for name in used}
    return [Summary(name, escaped(words[name]), _formula(" ".join(line.split()))) for name, line in lines.items()]


def _model_text(model: Model) -> str:
    """A model with all its parameters, defaults too: `mlp` (hidden 128, activation relu, init pytorch)."""
    written = model.model_dump()  # without a later parameter at its default
    given = [(key, getattr(model, key)) for key in type(model).model_fields if key in written and key != "name"]
    return f"`{model.name}` ({', '.join(f'{key} {compact(value)}' for key, value in given)})"


MATHS = {"||": "‖", "_p": "ₚ", "_k": "ₖ", "_i": "ᵢ", "_0": "₀", "_1": "₁", "_2": "₂", "^2": "²", "`": ""}
"""Signs of a docstring's formulas that need no escape in Markdown, which a reader of its source would see."""


def _formula(text: str) -> str:
    """A line of a docstring, with its formulas in signs of their own."""
    for plain, sign in MATHS.items():
        text = text.replace(plain, sign)
    return escaped(text.replace("|", "∣"))
