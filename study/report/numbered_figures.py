"""Figures of a report: their places, numbers and captions in one output form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from study.report.contents import Contents
from study.report.markdown import escaped

Form = Literal["md", "html", "pdf"]


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
