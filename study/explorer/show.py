"""Open the explorer of a study, of two, or at one run, which is summed up on the terminal.

python -m study.explorer.show STUDY [--with OTHER] [--run RUN]
"""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
import zlib
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
from rich.console import Console
from rich.table import Table

from study.explorer import build, page
from study.explorer.payload import DIGEST
from study.methods.phrases import cell_phrase
from study.parameters import suggestion
from study.results import store
from study.results.columns import RUNS, Column


def folder_of(name: str) -> Path:
    """Return the folder of a study by its name, or the folder itself; raises FileNotFoundError where there is none."""
    folders = [Path(name), *(place / name for place in build.PLACES)]
    for folder in folders:
        if name and build.tables_in(folder):
            return folder
    if name and any((place / name).is_dir() for place in build.PLACES):
        raise FileNotFoundError(
            f"The study '{name}' has no tables yet. Run it to its end; `make status` says how far it is."
        )
    known = sorted({one.name for place in build.PLACES for one in place.glob("*") if build.tables_in(one)})
    must = f"The study must be one of {', '.join(known) or 'those that were run'}, or a folder with its tables."
    raise FileNotFoundError(f"{must} Got '{name}' instead.{suggestion(name, known)}")


def page_of(folder: Path, other: Path | None = None) -> Path:
    """Return the page of a study, made where it is missing or older than a table; or that of two, made now."""
    if other is not None:
        path = Path("results", f"{folder.name}-{other.name}.html")
        page.write(build.two(folder, other), path)
    elif _outdated(path := folder / build.PAGE, build.tables_in(folder)):
        page.write(build.one(folder), path)
    return path


def _outdated(path: Path, tables: Sequence[Path]) -> bool:
    """Whether a page is to be made; not where it holds tables that are not beside it, as a published one does."""
    if not path.exists():
        return True
    if all(table.stat().st_mtime <= path.stat().st_mtime for table in tables):
        return False
    try:
        held = page.unpacked(path.read_text(encoding="utf-8"))["studies"][0]["tables"]
    except (OSError, ValueError, LookupError, TypeError, EOFError, zlib.error):  # damaged
        return True
    return set(held) <= {table.stem for table in tables}


def run_named(runs: pd.DataFrame, name: str) -> pd.Series:
    """Return the run of a digest's first digits, or of `regime/clip/regularization/seed`.

    Raises ValueError where that is not one run.
    """
    keys = runs[["regime", "clip", "regularization", "seed"]].astype(str).agg("/".join, axis=1)
    found = runs[(keys == name) | runs["digest"].astype(str).str.startswith(name)] if name else runs.head(0)
    if len(found) == 1:
        return found.iloc[0]
    must = "RUN must be the first digits of one run's digest, or regime/clip/regularization/seed."
    examples = f"{keys.iloc[0]} or {runs['digest'].iloc[0][:DIGEST]}"
    got = f"'{name}'" if not len(found) else f"'{name}', which {len(found)} runs begin with,"
    near = suggestion(name, list(keys)) if name else ""
    raise ValueError(f"{must} Got {got} instead; the first run is {examples}.{near}")


def printed(value: object, column: Column) -> str:
    """Return a value in the unit of its column."""
    unit = column.unit
    if not isinstance(value, Real) or value != value:
        return "-"
    if isinstance(value, Integral):  # a count
        return f"{value} {unit.symbol}".rstrip()
    shown = unit.factor * float(value)
    # The digits of a unit would print a small loss as zero.
    lost = unit.digits is None or 0 < abs(shown) < 0.5 * 10.0**-unit.digits
    return f"{shown:{'.4g' if lost else f'z.{unit.digits}f'}} {unit.symbol}".rstrip()


def summary(run: pd.Series) -> Table:
    """Return what a run came to, at the last and at the best epoch."""
    ended = "well" if run["status"] == "ok" else f"{run['status']}: {run['cause']}"
    title = f"{cell_phrase(run['clip'], run['regularization'])}, {run['regime']}, seed {run['seed']}; ended {ended}"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for head in ("last epoch", "best epoch"):
        table.add_column(head, justify="right")
    declared = {column.name: column for column in RUNS.columns if column.metric and column.name in run}
    for name, column in declared.items():
        if not name.startswith("best_") or name == "best_epoch":
            best = declared.get(f"best_{name}")
            table.add_row(column.title, printed(run[name], column), printed(run[best.name], best) if best else "")
    return table


def has_desktop() -> bool:
    """Return whether a browser can be opened here."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page's address, and open it where there is a desktop."""
    parser = argparse.ArgumentParser(prog="study.explorer.show", description="The explorer of a study.")
    parser.add_argument("study", help="its name, or a folder with its tables")
    parser.add_argument("--with", dest="other", help="another study to compare it with")
    parser.add_argument("--run", help="a run: the first digits of its digest, or regime/clip/regularization/seed")
    given = parser.parse_args(arguments)
    console = Console()
    try:
        folder, other = folder_of(given.study), folder_of(given.other) if given.other else None
        run = run_named(_runs(folder), given.run) if given.run is not None else None
        path = page_of(folder, other)
    except (OSError, ValueError) as error:  # a TableError is a ValueError
        print(store.refused(error) if isinstance(error, OSError) else error, file=sys.stderr)
        return 1
    if run is not None:
        console.print(summary(run))
    fragment = "" if run is None else "#" + urlencode({"view": "run", "run": run["digest"][:DIGEST]})
    address = f"{path.resolve().as_uri()}{fragment}"
    print(f"{path}\n{address}")
    if has_desktop():
        webbrowser.open(address)
    return 0


def _runs(folder: Path) -> pd.DataFrame:
    """The runs of a study; a FileNotFoundError where its tables are there without them, as published."""
    path = folder / RUNS.file
    if not path.is_file():
        raise FileNotFoundError(f"A study must have its runs to show one. Got no '{path}' instead.")
    runs = store.read(path)
    if lacking := [name for name in (*store.KEYS, "digest", "status", "cause") if name not in runs]:
        raise store.TableError(f"The table '{path}' must be of runs. Got none with the column '{lacking[0]}' instead.")
    if runs.empty:
        raise store.TableError(f"The table '{path}' must have a run. Got none instead.")
    return runs


if __name__ == "__main__":
    sys.exit(main())
