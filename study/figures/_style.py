"""Style of all figures of a study, as data, and how a figure is saved."""

import functools
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import matplotlib.style
import numpy as np
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.typing import LineStyleType
from PIL import Image

from study.methods.labels import method_of
from study.methods.phrases import regime_phrase
from study.results.store import Tables, atomically

NONE = "none"  # the label of "no clipping" and of "no regularization"
GREY = "0.45"  # a baseline behind a variant, which is thin too: in print all variants are grey
THIN = 0.5
FAINT = "0.9"  # grids and cells without a value
AFTER: LineStyleType = (0, (2.5, 1.2))  # validation against train, after the clip against before

# Printed at its own size on a page with 16.5 cm of text width, no glyph is smaller than 7 pt.
RC: Mapping[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same glyphs on every machine
    "font.size": 7.0,
    "axes.titlesize": 7.0,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "figure.titlesize": 8.0,
    "figure.labelsize": 7.5,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "hatch.linewidth": 0.5,
    # The layout is solved in pixels. Without hints, and where 7 and 7.5 pt are whole pixels, text is as wide
    # there as in the vector formats.
    "text.hinting": "no_hinting",
    "figure.dpi": 144,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    "svg.hashsalt": "study.figures",
}

METADATA: Mapping[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}


@dataclass(frozen=True, slots=True)
class Look:
    """Look of one label: a colour, and a marker and line that tell it from the others in grey."""

    color: str
    marker: str
    line: LineStyleType


@dataclass(frozen=True, slots=True)
class Style:
    """The rc settings, the page width in inches, the look of every label of one study, and its regimes in words."""

    clips: Mapping[str, Look]
    regularizations: Mapping[str, Look]
    rc: Mapping[str, Any] = field(default_factory=lambda: dict(RC))
    width: float = 6.5
    regimes: Mapping[str, str] = field(default_factory=dict)

    def regime(self, name: str) -> str:
        """Return what is read for a regime, a sweep or a tuned setting."""
        return self.regimes.get(name) or regime_phrase(name)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Matplotlib's defaults plus `rc`, whatever the user's own settings say."""
        with matplotlib.style.context(["default", dict(self.rc)]):
            yield


SHADES = (0.0, 0.4, 0.2, 0.5, 0.3)  # of strengths, in their order: how far towards white or black
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
DARK = Look("#1a1a1a", "o", "-")
LINES: tuple[LineStyleType, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
# Okabe & Ito 2008 without yellow (invisible on white); light and dark alternate, for grey printing.
CLIP_COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7")
CLIP_MARKERS = ("s", "^", "D", "v", "P", "X", "h")
# Paul Tol's "muted" without sand, for the same reasons.
REGULARIZATION_COLORS = (
    "#CC6677",
    "#332288",
    "#44AA99",
    "#882255",
    "#88CCEE",
    "#117733",
    "#999933",
    "#AA4499",
)
REGULARIZATION_MARKERS = ("<", ">", "p", "d", "*", "8", "H")


def style_for(
    clips: Iterable[str], regularizations: Iterable[str], regimes: Mapping[str, str] = MappingProxyType({})
) -> Style:
    """The style of a study from its labels, in the order in which they appear; repeats are ignored.

    A method has one colour, its strengths are shades of it. A label appended at the end leaves the look of the others
    as it was. `none` is always dark. regimes: what is read for the names of some.
    """
    return Style(
        clips=_looks(clips, CLIP_COLORS, CLIP_MARKERS),
        regularizations=_looks(regularizations, REGULARIZATION_COLORS, REGULARIZATION_MARKERS),
        regimes=regimes,
    )


def labels(tables: Tables, clips: Sequence[str], regularizations: Sequence[str]) -> tuple[list[str], list[str]]:
    """The labels of a study's clips and regularizations, those after them that trials chose and only tables know."""
    each = (("clip", clips), ("regularization", regularizations))
    first, second = (
        [*known, *(str(one) for table in tables.values() if key in table for one in table[key].dropna().unique())]
        for key, known in each
    )
    return first, second


def by_method(style: Style) -> Style:
    """The style with methods, which are labels without their parameters, in place of the labels.

    Where no method has several strengths, each looks as its label does.
    """
    looks = style_for(map(method_of, style.clips), map(method_of, style.regularizations))
    return replace(style, clips=looks.clips, regularizations=looks.regularizations)


def _looks(labels: Iterable[str], colors: Sequence[str], markers: Sequence[str]) -> dict[str, Look]:
    # Markers and lines are cycles of different lengths, so that their combination repeats late.
    names = dict.fromkeys([NONE, *labels])
    names.pop(NONE)
    hues = dict(zip(dict.fromkeys(map(method_of, names)), cycle(colors), strict=False))
    strengths: Counter[str] = Counter()
    looks = {NONE: DARK}
    for name, marker, line in zip(names, cycle(markers), cycle(LINES), strict=False):
        method = method_of(name)
        looks[name] = Look(shade(hues[method], strengths[method]), marker, line)
        strengths[method] += 1
    return looks


def shade(color: str, number: int) -> str:
    """The shade of a colour for the strength of this number, the first of which has the colour itself.

    Dark colours become lighter and light ones darker, so that all stand out from the page.
    """
    share = SHADES[number % len(SHADES)]
    rgb = np.array(to_rgb(color))
    mixed = rgb + share * ((1.0 if rgb @ LUMINANCE < 0.45 else 0.0) - rgb)
    return to_hex(tuple(mixed)) if share else color


Draw: TypeAlias = Callable[[Tables, Style], Figure]


def styled(draw: Draw) -> Draw:
    """A `draw` which runs under the settings of the style it is given and returns a figure of fixed layout."""

    @functools.wraps(draw)
    def inner(tables: Tables, style: Style) -> Figure:
        with style.applied():
            return _settled(draw(tables, style))

    return inner


def _settled(figure: Figure) -> Figure:
    """The figure with its layout solved, once for all formats.

    Rounded, since the solver's last digits depend on where its variables lie in memory.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(tuple(round(edge, 5) for edge in axes.get_position().bounds))
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position((round(x, 5), round(y, 5)))
    return figure


def save(figure: Figure, stem: Path | str, formats: Sequence[str] = ("pdf", "svg", "png")) -> list[Path]:
    """Write `<stem>.<format>` for each format, the same bytes for the same figure, and return the paths.

    Each file appears whole or not at all.
    """
    for name in formats:
        if name not in METADATA:
            raise ValueError(
                f"The 'formats' parameter of save must hold only {', '.join(METADATA)}. Got {name!r} instead."
            )
    with matplotlib.style.context(["default", dict(RC)]):
        return [_save_one(figure, Path(f"{stem}.{name}"), name) for name in formats]


def _save_one(figure: Figure, path: Path, name: str) -> Path:
    if name == "png":
        atomically(path, lambda file: _save_small(figure, file))
    else:
        atomically(path, lambda file: figure.savefig(file, format=name, metadata=METADATA[name]))
    return path


def _save_small(figure: Figure, path: Path) -> None:
    """Save a PNG of at most 256 colours, a third of the size: a report holds some twenty of them."""
    full = io.BytesIO()
    figure.savefig(full, format="png", metadata=METADATA["png"])
    dpi = round(RC["savefig.dpi"])
    with Image.open(full) as image:
        small = image.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(path, format="PNG", optimize=True, dpi=(dpi, dpi))
