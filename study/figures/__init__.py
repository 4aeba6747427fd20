"""Every figure of the suite: one file each, found automatically, drawn from tables and a style alone."""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from study.figures.style import Draw, Style, Tables, save, style_for

__all__ = ["FIGURES", "FigureModule", "Style", "Tables", "save", "style_for"]


@dataclass(frozen=True, slots=True)
class FigureModule:
    """One figure: its question, the tables it takes, how it is drawn and captioned, and whether it shows sweeps."""

    name: str
    question: str
    needs: tuple[str, ...]
    draw: Draw
    caption: Callable[[Tables], str]
    swept: bool

    def tables(self, tables: Tables, by_themselves: Collection[str]) -> Tables:
        """What it is drawn from: all regimes where it shows sweeps, else those that stand by themselves."""
        if self.swept:
            return tables
        return {
            name: table[table["regime"].isin(by_themselves)] if "regime" in table else table
            for name, table in tables.items()
        }


def _found() -> dict[str, FigureModule]:
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    figures = [
        FigureModule(
            module.NAME,
            module.QUESTION,
            tuple(module.NEEDS),
            module.draw,
            module.caption,
            getattr(module, "SWEPT", False),
        )
        for module in modules
        if hasattr(module, "NAME")
    ]
    return {figure.name: figure for figure in figures}


FIGURES: Mapping[str, FigureModule] = _found()
