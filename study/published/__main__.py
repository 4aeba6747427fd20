"""Judge the runs that are there: `python -m study.published config/published.yaml docs/published`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from study.config.errors import ConfigError
from study.figures._style import save, style_for
from study.parameters import listed
from study.published import picture
from study.published.page import page
from study.published.results import eigenvalues, judged, runs_of
from study.published.truths import read
from study.results import store
from study.results.store import TableError, atomically


def main(given: Sequence[str] | None = None) -> int:
    """Write the tables and the page; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m study.published", description="Judge reruns of published results.")
    parser.add_argument("truths", metavar="published.yaml", type=Path, help="published results, with margins")
    parser.add_argument("to", type=Path, help="the page without its suffix; tables go beside it")
    parser.add_argument("--results", type=Path, default=Path("results"), help="the folder of the studies (results)")
    asked = parser.parse_args(given)
    try:
        return _judge(asked.truths, asked.to, asked.results)
    except OSError as error:
        print(store.refused(error), file=sys.stderr)
    except (ConfigError, TableError) as error:
        print(error, file=sys.stderr)
    return 1


def _judge(file: Path, to: Path, results: Path) -> int:
    truths = read(file)
    runs = runs_of(truths, results)
    found, forms = judged(truths, runs), eigenvalues(truths)
    if found.empty:  # what is written already is worth more
        studies = listed(sorted({truth.study for truth in truths.all}))
        raise TableError(f"The folder '{results}' must have runs of the studies {studies}. Got none of them instead.")
    text = page(truths, found, runs, forms, to.name)
    store.write(runs, to / "runs.csv")
    store.write(forms, to / "eigenvalues.csv")
    store.write(found, to.with_suffix(".csv"))
    save(picture.draw(truths, found, style_for([], [])), to, ("png",))
    atomically(to.with_suffix(".md"), lambda file: file.write_text(text, encoding="utf-8"))
    print(found[["result", "published", "ours", "verdict"]].to_string(index=False))
    print(f"Written: {to.with_suffix('.md')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
