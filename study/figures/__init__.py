"""Every figure of the suite: one file each, found automatically, drawn from tables and a style alone."""

import ast
import importlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from study.results.scores import SCORED_AT
from study.results.terms import of_tables, reworded

if TYPE_CHECKING:  # to plan a study, matplotlib is not needed
    from matplotlib.figure import Figure

    from study.figures._style import Style
    from study.results.store import Tables

__all__ = ["FIGURES", "FigureModule"]

CONSTANTS = ("NAME", "QUESTION", "NEEDS", "SWEPT", "SCORED")


@dataclass(frozen=True, slots=True)
class FigureModule:
    """One figure: its question, the tables it takes, whether it shows sweeps, and whether it shows scores of runs.

    It is loaded when it is to be drawn.
    """

    name: str
    question: str
    needs: tuple[str, ...]
    swept: bool
    scored: bool = False

    @property
    def _module(self) -> ModuleType:
        return importlib.import_module(f"{__name__}.{self.name}")

    def draw(
        self, tables: "Tables", style: "Style", samples: Mapping[str, Sequence[str]] = MappingProxyType({})
    ) -> "Figure":
        """The figure; samples: what clips of single samples take for a sample, as of `samples_of`."""
        from study.figures._words import reword  # it loads matplotlib

        return reword(self._module.draw(tables, style), tables, samples)

    def caption(self, tables: "Tables", scored_at: str = "last_epoch") -> str:
        """Return the caption; a figure of scores says of which epoch they are, a key of `SCORED_AT`."""
        told = f" Each run is scored at {SCORED_AT[scored_at]}." if self.scored else ""
        return reworded(self._module.caption(tables) + told, of_tables(tables))

    def tables(self, tables: "Tables", by_themselves: Collection[str]) -> "Tables":
        """Return the tables to draw from: all regimes for a figure of sweeps, else those that stand alone."""
        if self.swept:
            return tables
        return {
            name: table[table["regime"].isin(by_themselves)] if "regime" in table else table
            for name, table in tables.items()
        }


def _constants(file: Path) -> Iterator[tuple[str, Any]]:
    """What a figure's file says of it, read without loading it, since that would load matplotlib."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(name := node.targets[0], ast.Name) and name.id in CONSTANTS:
            yield name.id, ast.literal_eval(node.value)


def _found() -> Iterator[FigureModule]:
    for file in sorted(Path(__file__).parent.glob("*.py")):
        said = dict(_constants(file))
        if "NAME" in said:
            yield FigureModule(
                said["NAME"],
                said["QUESTION"],
                tuple(said["NEEDS"]),
                said.get("SWEPT", False),
                said.get("SCORED", False),
            )


FIGURES: Mapping[str, FigureModule] = {figure.name: figure for figure in _found()}
