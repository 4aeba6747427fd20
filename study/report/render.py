"""The report: one source, filled with computed values, rendered as Markdown, HTML and PDF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import jinja2

from study.config.study import Study
from study.methods.phrases import told_of
from study.report.convert import cited, to_html, to_pdf, without_header
from study.report.fonts import unprintable, warning
from study.report.markdown import unbroken
from study.report.numbered_figures import Figures, Form
from study.report.values import contents_of, printed_rows, values
from study.results.store import Tables, atomically
from study.results.terms import of_workloads, reworded, samples_of


def fill(source: Path, form: Form, study: Study, tables: Tables, captions: Mapping[str, str], lock: str = "") -> str:
    """The Markdown of the report for one output form."""
    printed = printed_rows(study, tables)
    contents = contents_of(printed, study, tables, captions)
    figures = Figures(form, contents, captions)
    placed = values(study, tables, figures, lock) | {"printed": printed}
    placed |= {"form": form, "unprintable": boxes(study) if form == "pdf" else ""}
    text = _template(source).render(placed, contents=contents, figures=figures)
    text = reworded(text, of_workloads(regime.workload for regime in study.regimes.values()))
    return told_of(text, samples_of(study.regimes.values()))


def _template(source: Path) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(source.parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(source.name)


def boxes(study: Study) -> str:
    """Return a warning about characters of a study's own words that its PDF shows as boxes; empty if there are none."""
    return warning(unprintable(_words(study)))


def _words(study: Study) -> str:
    """All that a user wrote and the report repeats."""
    return " ".join([study.description, *(regime.description for regime in study.regimes.values())])


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
