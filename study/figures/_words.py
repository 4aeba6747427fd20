"""The words of a drawn figure, where scores are not those of classifiers, or clips of samples act on something else."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.text import Text

from study.methods.phrases import told_of
from study.results.store import Tables
from study.results.terms import of_tables, reworded


def reword(figure: Figure, tables: Tables, samples: Mapping[str, Sequence[str]]) -> Figure:
    """Return the figure with its labels in the words of the workload that all its runs are of.

    samples: what clips of single samples take for a sample, as of `samples_of`.
    """
    workload = of_tables(tables)
    if samples or workload.scores_of_its_own():
        for text in figure.findobj(Text):
            text.set_text(told_of(reworded(text.get_text(), workload), samples))
    return figure
