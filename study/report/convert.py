"""A report's Markdown as other readers need it: citations in words, one HTML page, a PDF."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pypandoc
import typst

from study.report.fonts import SHIPPED
from study.report.markdown import escaped

CITATION = re.compile(r"\[@[^\]]+\]")


def cited(markdown: str, bibliography: Path) -> str:
    """Markdown with its citations in words, and the works that they name at its end, as readers without pandoc need."""
    citations = list(dict.fromkeys(CITATION.findall(markdown)))
    if not citations:
        return markdown
    text = pypandoc.convert_text(
        "\n\n".join(citations),
        "plain",
        format="markdown",
        extra_args=["--citeproc", f"--bibliography={bibliography}", "--wrap=none"],
    )
    words = [part.strip() for part in text.split("\n\n") if part.strip()]
    given = dict(zip(citations, words, strict=False))
    works = "\n".join(f"- {escaped(work)}" for work in words[len(citations) :])
    return f"{CITATION.sub(lambda found: given[found[0]], markdown).rstrip()}\n\n{works}\n"


def to_html(markdown: str, folder: Path, bibliography: Path, style: Path) -> str:
    """Return one self-contained page; pictures are read from `folder`, the script of the page lies beside its style."""
    page = str(
        pypandoc.convert_text(
            markdown,
            "html5",
            format="markdown",
            extra_args=[
                *("--standalone", "--embed-resources", "--mathml", "--toc", "--toc-depth=2", "--citeproc"),
                *(f"--resource-path={folder}", f"--bibliography={bibliography}", f"--css={style}"),
                *("--metadata", "link-citations=true"),
            ],
        )
    )
    script = style.with_suffix(".js").read_text(encoding="utf-8")
    before, end, after = page.rpartition("</body>")
    return f"{before}<script>\n{script}</script>\n{end}{after}"


def to_pdf(markdown: str, folder: Path, bibliography: Path, template: Path) -> bytes:
    """The PDF by typst; without a date in it, equal input gives equal bytes."""
    text = to_typst(markdown, folder, bibliography, template)
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".typ", encoding="utf-8") as source:
        source.write(text)
        source.flush()
        return bytes(typst.compile(source.name, root=str(folder), font_paths=[str(SHIPPED)]))


def to_typst(markdown: str, folder: Path, bibliography: Path, template: Path) -> str:
    """The source of the PDF; figures are read from `folder`."""
    figures = sorted((folder / "figures").glob("*.svg"))
    cuts = ", ".join(f'"figures/{svg.stem}.pdf": {cut_places(svg)}' for svg in figures)
    text = pypandoc.convert_text(
        markdown,
        "typst",
        format="markdown",
        extra_args=[
            *("--standalone", "--citeproc", f"--bibliography={bibliography}", f"--template={template}"),
            *("--variable", f"cuts:({cuts or ':'})"),
        ],
    )
    return _floating(text, folder)


FIGURE = re.compile(r'#figure\((?=(?:#?box\()?image\("(figures/[^"]+)\.pdf")')
PAGE = 1.25  # heights of a figure by its width that a page has room for, beside a caption


def _floating(text: str, folder: Path) -> str:
    """Figures before the appendix float to the foot of the next page with room for them, below the title.

    The text goes on meanwhile.
    """
    body, appendix, rest = text.partition("\n= Appendix")

    def placed(found: re.Match[str]) -> str:
        size = SIZE.search((folder / f"{found[1]}.svg").read_text(encoding="utf-8"))
        fits = size is not None and float(size[2]) <= PAGE * float(size[1])
        return f"{found[0]}placement: bottom, " if fits else found[0]

    return f"{FIGURE.sub(placed, body)}\n#place.flush()\n{appendix}{rest}"


SIZE = re.compile(r'viewBox="0 0 (\S+) (\S+)"')
HEADINGS = re.compile(r'id="block-\d+(?:-(\d+))?">.*?translate\(\S+ (\S+?)\)', re.DOTALL)
"""The lines that others take above each heading or row of panels, and its baseline in points from the top."""
ROWS = re.compile(r'id="row-[\d-]+">.*?translate\(\S+ (\S+?)\)', re.DOTALL)
"""Baseline of the first line of each row's name."""
ABOVE = 10.0  # points of a line above its baseline
ROW = 8.0  # points of the last line of a row's titles


def cut_places(svg: Path) -> str:
    """Return where a figure may be cut, between blocks and between rows, as shares of its height in typst's arrays."""
    text = svg.read_text(encoding="utf-8")
    size = SIZE.search(text)
    blocks = sorted({float(y) - (ROW + ABOVE * int(more) if more else ABOVE) for more, y in HEADINGS.findall(text)})
    rows = sorted({float(y) - ROW for y in ROWS.findall(text)})
    return f"({_shares(blocks[1:], size)}, {_shares(rows[1:], size)})"


def _shares(places: Sequence[float], size: re.Match[str] | None) -> str:
    return f"({''.join(f'{place / float(size[2]):.4f}, ' for place in places)})" if size else "()"


def without_header(markdown: str) -> str:
    """Markdown without pandoc's title block, which other readers would show as text."""
    return markdown.split("---", 2)[-1].lstrip()
