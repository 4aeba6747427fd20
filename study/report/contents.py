"""Contents of a report: its sections in order, each with its figures. Text and links follow it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

SECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "hypotheses": (),
        "overview": ("gap_forest",),
        "benchmark": ("leaderboard", "early_stopping", "lr_map", "budget_curves", "robustness", "gap_plane"),
        "claims": ("claims",),
        "gains": (),
        "answers": (),
        "ranking": ("ranking",),
        # in the appendix
        "step": ("step",),
        "seeds": (),
        "strengths": ("tuning_curves",),
        "across": ("profiles",),
        "sweeps": ("sweeps", "firing"),
        "regimes": (),
        "pairs": ("heatmap",),
        "curves": ("learning_curves",),
        "gradients": ("gradient_norm", "clip_rate", "layer_norms"),
        "clients": ("clients",),
        "samples": ("samples",),
        "weights": ("weights",),
        "divergence": ("divergence",),
    }
)
"""Every section that a report may have, in its order, with the figures that it may show."""

SWEPT = MappingProxyType({**SECTIONS, "overview": ("sweeps",), "sweeps": ("firing",)})
"""The same of a study whose regimes are all points of sweeps: what `gap_forest` leaves out is its finding."""


@dataclass(frozen=True)
class Contents:
    """The sections of one report in their order, each with the figures that it shows."""

    sections: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls, rows: Mapping[str, bool], drawn: Collection[str], asked: Collection[str] = (), swept: bool = False
    ) -> Contents:
        """The contents of a report.

        rows: for the sections that print something from tables, whether there is anything to print. drawn: the figures
        that there are; asked: those that the configuration lists. swept: whether the sections are those of `SWEPT`.
        A figure is shown if it is drawn and its section has something to print, prints nothing of its own, or the
        configuration lists the figure. A section is there if it has something to print or a figure to show.
        """
        shown = {
            section: tuple(one for one in figures if one in drawn and (rows.get(section, True) or one in asked))
            for section, figures in (SWEPT if swept else SECTIONS).items()
        }
        return cls({section: figures for section, figures in shown.items() if figures or rows.get(section, False)})

    def __contains__(self, section: str) -> bool:
        return section in self.sections

    @property
    def figures(self) -> tuple[str, ...]:
        """All figures in the order in which they are shown; the first is Figure 1."""
        return tuple(figure for figures in self.sections.values() for figure in figures)
