"""Characters that the fonts of this machine can print; a PDF shows others as boxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

SHIPPED = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
"""DejaVu's fonts, which come with matplotlib: most alphabets, on every machine."""
MOST_NAMED = 5


def unprintable(text: str) -> str:
    """The characters of `text` that no font here has, each once; white space and what is not printed left out."""
    left = {character for character in text if character.isprintable() and not character.isspace()}
    for font in _fonts():
        if not left:
            break
        left -= _glyphs(font)
    return "".join(sorted(left))


def warning(missing: str) -> str:
    """Return a warning about characters that the PDF lacks; empty where it lacks none."""
    if not missing:
        return ""
    named = ", ".join(f"U+{ord(one):04X}" for one in missing[:MOST_NAMED])
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return (
        f"No font of the machine that rendered the PDF has the characters {named}{more}: they are boxes in it, and"
        " right in report.html. With such a font installed a new rendering has them."
    )


def _fonts() -> Iterator[Path]:
    """Those that ship first: system fonts are looked through only where they do not do."""
    yield SHIPPED / "DejaVuSans.ttf"
    yield from map(Path, sorted(font_manager.findSystemFonts()))


def _glyphs(font: Path) -> set[str]:
    try:
        return set(map(chr, FT2Font(str(font)).get_charmap()))
    except (OSError, RuntimeError):  # a font that cannot be read prints nothing
        return set()
