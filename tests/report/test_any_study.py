"""Any study that passes the check gets its report: it comes out, its links lead somewhere, no sentence is empty."""

import re
import shutil
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from study.analysis import comparisons, ranking, selection
from study.config.read import parse
from study.figures import FIGURES
from study.report import TABLES as PAPER_TABLES
from study.report.contents import SECTIONS
from study.report.render import fill, render
from study.report.tables import TABLES as MADE
from study.results.store import TABLES
from tests.report.random_studies import DEFAULTS, Made, studies, tables

pytestmark = pytest.mark.slow

PAPER = Path(__file__).parents[2] / "paper"
HOLES = re.compile(
    r"\bnan\b|[|:(,=] ?None\b(?! of)|undefined, undefined|\(\)|[:,;] \.(?!\d)|: ,|\s\.\s|\s,|\.\.\s|\*\*\s*\*\*"
    r"|(?<!`)``(?!`)|\b0 of 0\b|\{\{|\}\}"
)
QUICK = settings(deadline=None, phases=(Phase.explicit, Phase.generate), derandomize=True)  # shrinking takes minutes


@pytest.fixture(scope="module", autouse=True)
def quick_intervals() -> object:
    """Few resamples: the numbers are made up."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (comparisons, ranking, selection):
            if hasattr(module, "bca_interval"):
                patch.setattr(module, "bca_interval", partial(module.bca_interval, resamples=99))
        yield


def drawn(made: Made) -> set[str]:
    """The figures that the workflow draws."""
    tuned = {"tuning", "profiles", "across"} if made.study.tuned_settings else set()
    there = {*TABLES, "comparisons", "ranking", "claims", "regimes", *tuned}
    able = [one for one in FIGURES if not made.study.lacks(one) and there.issuperset(FIGURES[one].needs)]
    return {one for one in able if made.study.shows(one)}


def own_words(text: str) -> str:
    """The report's text without what the user wrote."""
    return re.sub("«[^»]*»", "Words.", text)


def filled(made: Made, form: str) -> str:
    captions = {name: f"Caption of {name}." for name in drawn(made)}
    return fill(PAPER / "report.md.j2", form, made.study, tables(made), captions)  # type: ignore[arg-type]


ALONE = parse({"name": "random", "seeds": 1, "defaults": DEFAULTS, "statistics": {"probes": 0}, "regimes": {"a": {}}})
"""A study of one variant, which has nothing to compare."""


@given(studies())
@example(Made(ALONE, frozenset(), frozenset(), frozenset(), 0))
@example(Made(ALONE, frozenset(), frozenset({0}), frozenset(), 0))
@settings(QUICK, max_examples=25)
def test_every_study_has_a_report_whose_links_resolve_and_whose_sentences_are_whole(made: Made) -> None:
    text = filled(made, "html")
    anchors = re.findall(r"\{#(figure-\w+)\}", text)
    assert len(anchors) == len(set(anchors)), "a figure is shown once"
    links = set(re.findall(r"\]\(#([\w-]+)\)", text))
    headings = {
        re.sub(r"[^\w-]", "", one.lower().replace(" ", "-")) for one in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    assert links <= set(anchors) | headings, links - set(anchors) - headings
    numbers = [int(n) for n in re.findall(r"!\[\*\*Figure (\d+)\.", text)]
    assert numbers == list(range(1, len(numbers) + 1)), "figures are numbered as they come"
    if made.study.figures:
        assert {f"figure-{one}" for one in made.study.figures} == set(anchors), "what is asked for is shown"
    plain = re.sub(r"\\(.)", r"\1", text)
    for line in own_words(plain).splitlines():
        assert not (hole := HOLES.search(line)), f"{hole[0] if hole else ''!r} in: {line}"
    empty = re.findall(r"^#+ .*\n+(?=#|\Z)", plain.replace("# References", ""), re.MULTILINE)
    assert {one.strip() for one in empty} <= {"# Findings", "# Appendix: all results"}, "no empty section"


@given(made=studies())
@example(made=Made(ALONE, frozenset(), frozenset(), frozenset(), 0))
@settings(QUICK, max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_comes_out_in_every_form(made: Made, tmp_path: Path) -> None:
    for name in drawn(made):
        for form in ("png", "pdf", "svg"):
            (tmp_path / "figures").mkdir(exist_ok=True)
            shutil.copy(PAPER / f"figures/ranking.{form}", tmp_path / f"figures/{name}.{form}")
    captions = {name: f"Caption of {name}." for name in drawn(made)}
    render(PAPER / "report.md.j2", made.study, tables(made), captions, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "# References" in (tmp_path / "report.md").read_text()


def test_every_figure_has_its_section() -> None:
    placed = [figure for figures in SECTIONS.values() for figure in figures]
    assert sorted(placed) == sorted(FIGURES)


def test_what_is_found_along_sweeps_stands_with_the_findings_where_all_regimes_are_swept() -> None:
    regime = {
        "clips": ["none", {"name": "value", "bound": 0.1}],
        "sweep": {"optimizer.lr": [0.1, 1.0]},
        "grid": "alone",
    }
    study = parse({"name": "random", "seeds": 2, "defaults": DEFAULTS, "regimes": {"rates": regime}})
    text = filled(Made(study, frozenset(), frozenset(), frozenset(), 0), "html")
    assert text.index("# Findings") < text.index("{#figure-sweeps}") < text.index("# Limits")
    assert "In *rates*, " in text


def test_the_tables_that_are_planned_are_those_that_can_be_made() -> None:
    assert tuple(MADE) == PAPER_TABLES
