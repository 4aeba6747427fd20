"""A report in its forms: what Markdown's readers see of its citations, and where a PDF breaks its pages."""

import ast
import html
import json
import re
from pathlib import Path

import pypandoc
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from study.figures._layout import name_rows
from study.report.convert import cited, cut_places, to_typst
from study.report.markdown import escaped

PAPER = Path(__file__).parents[2] / "paper"
BIBLIOGRAPHY = PAPER / "references.bib"
PAGE = "`#context [#metadata(here().page()) <place>]`{=typst}"


@pytest.mark.parametrize("announced", [f"- {PAGE}one\n- two", f"| a | b |\n|:--|:--|\n| {PAGE}1 | 2 |"])
def test_what_a_colon_announces_begins_on_its_page(announced: str, tmp_path: Path) -> None:
    pages = list[tuple[int, ...]]()
    for millimetres in range(205, 236, 3):  # from where both fit on the first page to where both go on
        text = f"Before.\n\n`#v({millimetres}mm)`{{=typst}}\n\n{PAGE}Thus, in **two words:**\n\n{announced}\n"
        (tmp_path / "a.typ").write_text(to_typst(text, tmp_path, BIBLIOGRAPHY, PAPER / "report.typ"))
        found = json.loads(typst.query(str(tmp_path / "a.typ"), "<place>", field="value"))
        pages.append(tuple(found))
    assert set(pages) == {(1, 1), (2, 2)}


def test_markdown_has_its_citations_in_words_and_the_works_at_its_end() -> None:
    text = cited("Penalties [@krogh1991; @zou2005], and once more [@krogh1991].\n\n# References\n", BIBLIOGRAPHY)
    words, works = text.split("# References")
    assert words.strip() == (
        "Penalties (Krogh and Hertz 1991; Zou and Hastie 2005), and once more (Krogh and Hertz 1991)."
    )
    assert [line[:8] for line in works.strip().splitlines()] == ["- Krogh,", "- Zou, H"]
    assert cited("None.", BIBLIOGRAPHY) == "None."


def shown(markdown: str) -> str:
    """What a reader of the page sees, without typographic quotes and dashes; fails where there is any markup."""
    page = pypandoc.convert_text(markdown, "html", format="markdown-smart", extra_args=["--wrap=none"]).strip()
    found = re.fullmatch(r"<p>(.*)</p>", page, re.DOTALL)
    assert found, page
    assert "<" not in found[1], page
    return html.unescape(found[1])


@pytest.mark.parametrize(
    "text",
    [
        'Größe 😀 数 @smith2020 #1 $x_1$ *a*_b_ <b>x</b> [l](u) | ` C:\\new <script>alert(1)</script> 100% ~ ^ & "q"',
        "a|b @x #lbl $ <i> _u_ ```",
        "1. first",
        "- point",
        "# heading",
        "(a) letter",
        "At $c_{max}$ & &lt; {#id} ![p](q) [@key]",
        "one\n\n# two",
        "a. letter",
        "::: div",
        "---",
    ],
)
def test_words_of_a_user_are_shown_as_they_are(text: str) -> None:
    assert shown(escaped(text)) == " ".join(text.split())


@settings(derandomize=True, max_examples=15)
@given(st.text(st.sampled_from("*_`[]()<>{}@#$|\\~^&-+.:!=\"'/ 1aé数"), max_size=12))
def test_no_text_is_taken_for_markup(text: str) -> None:
    assert shown(f"Words: {escaped(text)}") == " ".join(f"Words: {text}".split())
    if text.strip():
        assert shown(escaped(text)) == " ".join(text.split())


def test_a_figure_is_cut_between_its_rows(tmp_path: Path) -> None:
    figure = Figure(figsize=(4, 2))
    axes = figure.add_subplot()
    name_rows(axes, ["one", "of two\nlines", "three"])
    figure.savefig(tmp_path / "rows.svg")
    blocks, rows = ast.literal_eval(cut_places(tmp_path / "rows.svg"))
    bottom = figure.bbox.height
    first, second, third = (1 - axes.transData.transform((0, y))[1] / bottom for y in axes.get_yticks())
    assert blocks == ()
    assert first < rows[0] < second < rows[1] < third
