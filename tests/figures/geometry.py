"""Where the texts of a figure come to lie, in inches, as the renderer measures them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox


@dataclass(frozen=True)
class Placed:
    """A text which is drawn, and the box [2, 2] it takes: low and high corner."""

    text: Text
    box: np.ndarray


@dataclass(frozen=True)
class Layout:
    """All texts, the boxes of the legends, and the slanted tick labels axis by axis."""

    page: np.ndarray
    texts: list[Placed]
    legends: list[np.ndarray]
    slanted: list[list[Placed]]


def measure(figure: Figure) -> Layout:
    """Draw the figure and measure what is seen of it."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()

    def box(artist: Text | Legend) -> np.ndarray:
        return Bbox(artist.get_window_extent(renderer)).get_points() / figure.dpi

    axes = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    hidden = {id(text) for axis in axes for text in _hidden(axis)}
    drawn = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    labels = [[label for label in tick_labels(axis) if label.get_rotation() % 90] for axis in axes]
    return Layout(
        page=figure.get_size_inches(),
        texts=[Placed(text, box(text)) for text in drawn if id(text) not in hidden],
        legends=[box(legend) for legend in figure.findobj(Legend)],
        slanted=[[Placed(label, box(label)) for label in row] for row in labels],
    )


def tick_labels(axis: Axis) -> list[Text]:
    """The labels of the ticks inside the axis' view, if they are shown."""
    low, high = sorted(axis.get_view_interval())
    margin = 1e-9 * (high - low)
    ticks = [tick for tick in axis.get_major_ticks() if low - margin <= tick.get_loc() <= high + margin]
    shown = axis.axes.axison and axis.get_visible()
    return [tick.label1 for tick in ticks if shown and tick.label1.get_visible() and tick.label1.get_text()]


def _hidden(axis: Axis) -> Iterator[Text]:
    shown = {id(label) for label in tick_labels(axis)}
    for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
        yield from (label for label in (tick.label1, tick.label2) if id(label) not in shown)
    if not axis.axes.axison:
        yield axis.label


def overlaps(layout: Layout, slack: float = 0.005) -> list[tuple[str, str]]:
    """Pairs of upright texts whose boxes overlap by more than `slack` inches both ways."""
    placed = [item for item in layout.texts if item.text.get_rotation() % 90 == 0]
    boxes = np.array([item.box for item in placed]).reshape(-1, 2, 2)
    low, high = boxes[:, 0] + slack, boxes[:, 1] - slack
    both = (low[:, None] < high[None]).all(-1) & (low[None] < high[:, None]).all(-1)
    pairs = np.argwhere(np.triu(both, 1))
    return [(placed[a].text.get_text(), placed[b].text.get_text()) for a, b in pairs]


def crowded_slants(layout: Layout) -> list[str]:
    """Slanted tick labels which are higher than the distance to the next, measured across the slant."""
    found = []
    for item, other in (pair for row in layout.slanted for pair in pairwise(row)):
        # aligned to the right: the upper right corners are as far apart as the ticks
        distance = abs(other.box[1, 0] - item.box[1, 0]) * np.sin(np.radians(item.text.get_rotation()))
        height = (1 + item.text.get_text().count("\n")) * item.text.get_fontsize() / 72
        found += [item.text.get_text()] if distance < 1.1 * height else []
    return found


def outside(layout: Layout, slack: float = 0.01) -> list[str]:
    """Texts and legends which reach over the edge of the page."""
    boxes = [(item.text.get_text(), item.box) for item in layout.texts]
    boxes += [("legend", box) for box in layout.legends]
    return [name for name, box in boxes if (box[0] < -slack).any() or (box[1] > layout.page + slack).any()]
