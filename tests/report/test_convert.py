"""A report in its forms: what Markdown's readers see of its citations."""

from pathlib import Path

from study.report.convert import cited

BIBLIOGRAPHY = Path(__file__).parents[2] / "paper" / "references.bib"


def test_markdown_has_its_citations_in_words_and_the_works_at_its_end() -> None:
    text = cited("Penalties [@krogh1991; @zou2005], and once more [@krogh1991].\n\n# References\n", BIBLIOGRAPHY)
    words, works = text.split("# References")
    assert words.strip() == (
        "Penalties (Krogh and Hertz 1991; Zou and Hastie 2005), and once more (Krogh and Hertz 1991)."
    )
    assert [line[:8] for line in works.strip().splitlines()] == ["- Krogh,", "- Zou, H"]
    assert cited("None.", BIBLIOGRAPHY) == "None."
