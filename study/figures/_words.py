"""The words of a drawn figure, where scores are not those of classifiers."""

from matplotlib.figure import Figure
from matplotlib.text import Text

from study.results.store import Tables
from study.results.terms import of_tables, reworded


def reword(figure: Figure, tables: Tables) -> Figure:
    """Return the figure with its labels in the words of the workload that all its runs are of."""
    workload = of_tables(tables)
    if workload.scores_of_its_own():
        for text in figure.findobj(Text):
            text.set_text(reworded(text.get_text(), workload))
    return figure
