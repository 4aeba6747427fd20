"""The words of a drawn figure, where scores are not those of classifiers, or clips of samples act on something else."""

from collections.abc import Callable, Mapping, Sequence

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

from study.methods.phrases import told_of
from study.results.store import Tables
from study.results.terms import of_tables, reworded


def reword(figure: Figure, tables: Tables, samples: Mapping[str, Sequence[str]]) -> Figure:
    """Return the figure with its labels in the words of the workload that all its runs are of.

    samples: what clips of single samples take for a sample, as of `samples_of`.
    """
    workload = of_tables(tables)
    if samples or workload.scores_of_its_own():

        def words(text: str) -> str:
            return told_of(reworded(text, workload), samples)

        for text in figure.findobj(Text):
            text.set_text(words(text.get_text()))
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                _reword_names(axis, words)
    return figure


def _reword_names(axis: Axis, words: Callable[[str], str]) -> None:
    """Reword the names of rows or columns, which an axis writes anew whenever it is drawn."""
    if isinstance(axis.get_major_locator(), FixedLocator):
        names = [label.get_text() for label in axis.get_ticklabels()]
        if (told := [words(name) for name in names]) != names:
            axis.set_ticklabels(told)
