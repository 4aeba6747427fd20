"""Every figure of the suite: one file each, found automatically, drawn from tables and a style alone."""

import ast
import importlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # to plan a study, matplotlib is not needed
    from matplotlib.figure import Figure

    from study.figures._style import Style
    from study.results.store import Tables

__all__ = ["FIGURES", "FigureModule"]

CONSTANTS = ("NAME", "QUESTION", "NEEDS", "SWEPT")


@dataclass(frozen=True, slots=True)
class FigureModule:
    """One figure: its question, the tables it takes, and whether it shows sweeps; loaded when it is to be drawn."""

    name: str
    question: str
    needs: tuple[str, ...]
    swept: bool

    @property
    def _module(self) -> ModuleType:
        return importlib.import_module(f"{__name__}.{self.name}")

    def draw(self, tables: "Tables", style: "Style") -> "Figure":
        """The figure."""
        return self._module.draw(tables, style)

    def caption(self, tables: "Tables") -> str:
        """Return the caption."""
        return self._module.caption(tables)

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
            yield FigureModule(said["NAME"], said["QUESTION"], tuple(said["NEEDS"]), said.get("SWEPT", False))


FIGURES: Mapping[str, FigureModule] = {figure.name: figure for figure in _found()}
