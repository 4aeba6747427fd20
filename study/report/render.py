"""The report: one source, filled with computed values, rendered as Markdown, HTML and PDF."""

from __future__ import annotations

import importlib.metadata
import inspect
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jinja2
import pandas as pd

from study.analysis.conventions import ALPHA
from study.analysis.power import resolution
from study.analysis.statistics import smallest_sign_flip_p
from study.config.regime import Regime
from study.config.study import Study
from study.methods.base import compact
from study.methods.phrases import told_of
from study.models import Model
from study.report import format, ledger, own, tuning
from study.report.contents import Contents
from study.report.convert import cited, to_html, to_pdf, without_header
from study.report.fonts import unprintable, warning
from study.report.hypotheses import hypotheses_told, hypothesis_rows
from study.report.markdown import escaped, unbroken
from study.report.missing import missing_rows, planned_runs
from study.report.pipe_table import pipe_table
from study.report.places import clips_in, regime_words, regularizers_in
from study.report.power import resolution_rows, resolution_text, undecidable_text
from study.report.questions import answers
from study.report.questions.base import count
from study.report.ranking import ranking_rows
from study.report.regimes import RegimeFindings, weights_rows
from study.report.status import history_rows, protocol_rows, status_text
from study.report.summary import summary_lines
from study.report.trials import trials_told
from study.results.cells import failed
from study.results.provenance import Account
from study.results.scores import SCORED_AT
from study.results.store import Tables, atomically
from study.results.terms import of_workloads, reworded, samples_of

Form = Literal["md", "html", "pdf"]
CHANGED = (
    "Changed after the first results had been seen: a contrast of a cell with itself no longer decides anything, but"
    " for claims of no loss alone, nor does one of two gaps that are both below zero; and the seeds that would decide"
    " count how coarse the test is with few of them."
)
PACKAGES = ("torch", "numpy", "scikit-learn", "scipy", "statsmodels", "pandas", "seaborn", "snakemake")


@dataclass(frozen=True)
class Figures:
    """The figures of a report in the words of one output form, numbered in the order of its contents.

    In Markdown a caption is text below the picture; in HTML and PDF pandoc makes it a caption.
    """

    form: Form
    contents: Contents
    captions: Mapping[str, str]

    def of(self, section: str) -> str:
        """All figures of a section, with their numbers and captions."""
        return "\n\n".join(self._figure(name) for name in self.contents.sections[section])

    def number(self, name: str) -> int:
        """Its number, from 1."""
        return self.contents.figures.index(name) + 1

    def _figure(self, name: str) -> str:
        title, caption = f"Figure {self.number(name)}.", self.captions[name].strip()
        if self.form == "md":
            return f'<a id="figure-{name}"></a>\n\n![{title}](figures/{name}.png)\n\n**{title}** {caption}'
        suffix = "png" if self.form == "html" else "pdf"
        return f"![**{title}** {escaped(caption)}](figures/{name}.{suffix}){{#figure-{name}}}"

    def first(self, names: Sequence[str]) -> str:
        """A link to the first of some figures that is shown; nothing where none is."""
        shown = [name for name in names if name in self.contents.figures]
        return f"[Figure {self.number(shown[0])}](#figure-{shown[0]})" if shown else ""

    def link(self, name: str) -> str:
        """A link that reads as the number alone; nothing where the figure is not shown."""
        return f"[{self.number(name)}](#figure-{name})" if name in self.contents.figures else ""


MATHS = {"||": "‖", "_p": "ₚ", "_k": "ₖ", "_i": "ᵢ", "_0": "₀", "_1": "₁", "_2": "₂", "^2": "²", "`": ""}
"""Signs of a docstring's formulas that need no escape in Markdown, which a reader of its source would see."""


def _formula(text: str) -> str:
    """A line of a docstring, with its formulas in signs of their own."""
    for plain, sign in MATHS.items():
        text = text.replace(plain, sign)
    return escaped(text.replace("|", "∣"))


def _verdicts(claims: pd.DataFrame) -> dict[str, str]:
    """The verdict of each claim by its name."""
    return dict(zip(claims["claim"], claims["verdict"], strict=True))


def fill(source: Path, form: Form, study: Study, tables: Tables, captions: Mapping[str, str], lock: str = "") -> str:
    """The Markdown of the report for one output form."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(source.parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    runs, comparisons, least = tables["runs"], tables["comparisons"], float(smallest_sign_flip_p(len(study.seeds)))
    words = regime_words(study)
    single = {name: regime for name, regime in study.regimes.items() if not regime.part_of}
    sizes = sorted({int(k) for k in comparisons.groupby(["regime", "family", "metric"])["p"].count() if k})
    origin, resolved = Account.of(tables["provenance"]), resolution(comparisons)
    printed = {
        "seeds": resolution_rows(resolved),
        "claims": ledger.claims_rows(tables["claims"]) if "claims" in tables else [],
        "hypotheses": hypothesis_rows(tables["hypotheses"], words) if "hypotheses" in tables else [],
        "strengths": tuning.tuning_rows(tables["tuning"], tables["tuned"]) if "tuning" in tables else [],
        "across": tuning.across_rows(tables["across"]) if "across" in tables else [],
        "answers": answers(tables) if "answers" in tables else [],
        "ranking": ranking_rows(tables["ranking"], words),
        "regimes": [(name, regime, RegimeFindings(name, tables).section()) for name, regime in single.items()],
        "weights": weights_rows(runs, {name: words[name] for name in single}),
    }
    there = {name: bool(rows) for name, rows in printed.items()}
    if not failed(runs).any():
        there["divergence"] = False
    if "leaderboard" in tables:  # which says the same of all methods at once
        there |= {"overview": False, "ranking": False}
    contents = Contents.of(there, captions, study.figures or ())
    figures = Figures(form, contents, captions)
    text = environment.get_template(source.name).render(
        study=study,
        form=form,
        contents=contents,
        figures=figures,
        printed=printed,
        table=pipe_table,
        text=escaped,
        unprintable=boxes(study) if form == "pdf" else "",
        sweeps=_sweeps(study),
        point=next((name for name, regime in study.regimes.items() if regime.part_of), ""),
        contrasts=ledger.contrast_rows(tables["claims"], figures.link) if "claims" in tables else [],
        hypotheses=hypotheses_told(tables["hypotheses"]) if "hypotheses" in tables else "",
        plans=tuning.plan_rows(study),
        changed=CHANGED,
        status=status_text(study, lock),
        trials=trials_told(tables["trials"], words) if "trials" in tables else {},
        protocols=protocol_rows(lock),
        history=history_rows(study, _verdicts(tables["claims"])) if "claims" in tables else [],
        command=command(study),
        summary=summary_lines(study, tables),
        resolution_text=resolution_text(resolved),
        undecidable=undecidable_text(comparisons, words),
        compared=not comparisons.empty,
        words=words,
        clips_in=clips_in,
        regularizers_in=regularizers_in,
        count=count,
        model_text=_model_text,
        own_metrics=lambda name, regime: own.own_metrics(name, regime, tables["summary"]),
        clips_before=own.clips_before,
        privacy=lambda name: own.privacy(name, runs),
        findings=format,
        runs=runs,
        scored_at=SCORED_AT[study.scored_epoch],
        tuning_runs=origin.runs - len(runs),
        missing=missing_rows(study, tables),
        planned=planned_runs(study),
        origin=origin,
        reference=f"{'paper' if study.name == 'default' else f'results/{study.name}/paper'}/reference/runs.parquet",
        crossed=[name for name, regime in study.regimes.items() if regime.grid == "crossed"],
        strengths_ranked=bool((tables["ranking"]["strengths"] > 1).any()),
        diverged=int(failed(runs).sum()),
        lost=int(runs["test_accuracy"].isna().sum()),
        smallest_p=format.p_text(least),
        smallest=lambda k: format.p_text(min(1.0, k * least)),
        family_sizes=sizes,
        ranking_can_decide=bool((tables["ranking"]["p_adjusted"] < ALPHA).any()),
        methods=_methods(study),
        versions=", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
    )
    text = reworded(text, of_workloads(regime.workload for regime in study.regimes.values()))
    return told_of(text, samples_of(study.regimes.values()))


def boxes(study: Study) -> str:
    """Return a warning about characters of a study's own words that its PDF shows as boxes; empty if there are none."""
    return warning(unprintable(_words(study)))


def _words(study: Study) -> str:
    """All that a user wrote and the report repeats."""
    return " ".join([study.description, *(regime.description for regime in study.regimes.values())])


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
    """A method of the study in a line: what its docstring says first."""

    name: str
    summary: str


def _methods(study: Study) -> list[Summary]:
    regimes = study.regimes.values()
    clips = [clip for regime in regimes for clip in regime.clips]
    regularizers = [one for regime in regimes for several in regime.regularizations for one in several]
    used = {method.name: method for method in [*clips, *regularizers] if method.name != "none"}
    lines = {
        name: (inspect.getdoc(type(method)) or "no description.").split("\n\n")[0] for name, method in used.items()
    }
    return [Summary(name, _formula(" ".join(line.split()))) for name, line in lines.items()]


def _model_text(model: Model) -> str:
    """A model with all its parameters, defaults too: `mlp` (hidden 128, activation relu, init pytorch)."""
    written = model.model_dump()  # without a later parameter at its default
    given = [(key, getattr(model, key)) for key in type(model).model_fields if key in written and key != "name"]
    return f"`{model.name}` ({', '.join(f'{key} {compact(value)}' for key, value in given)})"


def render(
    source: Path, study: Study, tables: Tables, captions: Mapping[str, str], folder: Path, lock: str = ""
) -> None:
    """Write report.md, .html and .pdf into `folder`, where figures/ is; bibliography and styles are beside `source`.

    lock: the text of the frozen protocol of a confirmatory study.
    """
    beside = source.parent
    text = {form: fill(source, form, study, tables, captions, lock) for form in ("md", "html", "pdf")}
    page = to_html(unbroken(text["html"]), folder, beside / "references.bib", beside / "report.css")
    page_md = cited(without_header(text["md"]), beside / "references.bib")
    pdf = to_pdf(unbroken(text["pdf"]), folder, beside / "references.bib", beside / "report.typ")
    atomically(folder / "report.md", lambda file: file.write_text(page_md, encoding="utf-8"))
    atomically(folder / "report.html", lambda file: file.write_text(page, encoding="utf-8"))
    atomically(folder / "report.pdf", lambda file: file.write_bytes(pdf))
