"""Every figure of the suite: one file each, found automatically, drawn from tables and a style alone."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from study.figures.style import Draw, Style, Tables, save, style_for

__all__ = ["FIGURES", "FigureModule", "Style", "Tables", "save", "style_for"]


@dataclass(frozen=True, slots=True)
class FigureModule:
    """One figure: its question, the tables it takes, (tables, style) -> Figure, and tables -> caption."""

    name: str
    question: str
    needs: tuple[str, ...]
    draw: Draw
    caption: Callable[[Tables], str]


def _found() -> dict[str, FigureModule]:
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    figures = [
        FigureModule(module.NAME, module.QUESTION, tuple(module.NEEDS), module.draw, module.caption)
        for module in modules
        if hasattr(module, "NAME")
    ]
    return {figure.name: figure for figure in figures}


FIGURES: Mapping[str, FigureModule] = _found()
