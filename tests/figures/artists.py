"""Where in a figure's artists its values are found."""

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from .conftest import drawn


def line(axes: Axes, label: str) -> Line2D:
    """The one line of a panel that has this label."""
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return found


def panels_under(figure: str, heading: str, name: str = "swept") -> list[Axes]:
    """The panels that a heading stands above, to the next heading, in a figure of a study."""
    found, current = [], ""
    for axes in drawn(name, figure).axes:
        current = current if axes.axison else axes.texts[0].get_text()
        found += [axes] if axes.axison and current == heading else []
    return found
