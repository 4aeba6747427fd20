"""The catalogue: every registered method is on the page, the committed page is the one of the code."""

import pytest
from PIL import Image

from study.catalogue import page
from study.catalogue.examples import example
from study.catalogue.facts import facts
from study.clipping import Clipping
from study.methods.base import Method
from study.regularization import Regularization

FOLDER = page.ROOT / "docs"
MEND = f"docs/ is not what the code says: run `{page.COMMAND}` and commit docs/"
METHODS = [method for family, *_ in page.FAMILIES for method in page.registered(family, shipped=True)]


@pytest.fixture(scope="module")
def committed() -> str:
    return (FOLDER / "catalogue.md").read_text(encoding="utf-8")


def section(text: str, method: type[Method]) -> str:
    """The part of the page between a method's anchor and the next heading."""
    name = page.anchor(facts(method))
    assert text.count(f'<a id="{name}"></a>') == 1, f"{name}: {MEND}"
    _, _, rest = text.partition(f'<a id="{name}"></a>')
    return rest.partition('<a id="')[0]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: page.anchor(facts(method)))
def test_every_method_is_on_the_page_with_its_parameters(committed: str, method: type[Method]) -> None:
    said, shown = facts(method), section(committed, method)
    assert f"### `{said.name}`" in shown
    rows = [line.split("|")[1].strip() for line in shown.splitlines() if line.startswith("| `")]
    assert rows == [f"`{p.name}`" for p in said.parameters], MEND
    for p in said.parameters:
        assert p.default == "must be given" or f"| `{p.default}`" in shown, MEND


def test_the_page_is_the_one_of_the_code(committed: str) -> None:
    assert committed == page.to_markdown(page.source("md", shipped=True)), MEND


def test_every_method_of_the_two_families_has_a_small_picture_and_no_other_is_there(committed: str) -> None:
    expected = {page.anchor(facts(m)) for m in METHODS if issubclass(m, Clipping | Regularization)}
    there = {path.stem: path for path in (FOLDER / "catalogue").glob("*.png")}
    assert there.keys() == expected, MEND
    for name, path in there.items():
        assert f"(catalogue/{name}.png)" in committed
        assert path.stat().st_size < 60_000
        with Image.open(path) as picture:
            assert picture.size == (1300, 424)


def test_links_within_the_page_lead_somewhere(committed: str) -> None:
    anchors = {part.partition('"')[0] for part in committed.split('id="')[1:]}
    links = {part.partition(")")[0] for part in committed.split("](#")[1:]}
    assert links
    assert links <= anchors


def test_the_page_for_a_browser_needs_no_other_file() -> None:
    text = (FOLDER / "catalogue.html").read_text(encoding="utf-8")
    for method in METHODS:
        assert f'id="{page.anchor(facts(method))}"' in text, MEND
    assert "catalogue/" not in text.replace(page.COMMAND, "")
    assert text.count('src="data:image/png;base64') == len(list((FOLDER / "catalogue").glob("*.png")))


def test_a_citation_that_is_shown_is_in_the_bibliography(committed: str) -> None:
    assert "???" not in committed
    assert "citeproc-not-found" not in committed


@pytest.mark.parametrize("method", METHODS, ids=lambda method: page.anchor(facts(method)))
def test_every_method_has_an_example(method: type[Method]) -> None:
    assert isinstance(example(method), method)


@pytest.mark.parametrize(("given", "is_shown"), [("a*b_c", r"a\*b\_c"), ("`a_b` c_d", r"`a_b` c\_d"), ("``x``", "`x`")])
def test_words_of_a_docstring_are_shown_as_they_are(given: str, is_shown: str) -> None:
    assert page.text(given) == is_shown
