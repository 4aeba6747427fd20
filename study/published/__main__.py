"""Judge the runs that are there: `python -m study.published config/published.yaml docs/published`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from study.config.errors import ConfigError
from study.figures._style import save, style_for
from study.published import picture
from study.published.page import page
from study.published.results import eigenvalues, judged, runs_of
from study.published.truths import read
from study.results import store
from study.results.store import TableError, atomically


def main(given: Sequence[str] | None = None) -> int:
    """Write the tables and the page; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m study.published", description="Judge reruns of published results.")
    parser.add_argument("truths", type=Path, help="what was published, with margins")
    parser.add_argument("to", type=Path, help="the page without its suffix; tables go beside it")
    parser.add_argument("--results", type=Path, default=Path("results"), help="the folder of the studies (results)")
    asked = parser.parse_args(given)
    try:
        truths = read(asked.truths)
        runs = runs_of(truths, asked.results)
    except (ConfigError, TableError) as error:
        print(error, file=sys.stderr)
        return 1
    found, forms = judged(truths, runs), eigenvalues(truths)
    text = page(truths, found, runs, forms, asked.to.name)
    store.write(runs, asked.to / "runs.csv")
    store.write(forms, asked.to / "eigenvalues.csv")
    store.write(found, asked.to.with_suffix(".csv"))
    save(picture.draw(truths, found, style_for([], [])), asked.to, ("png",))
    atomically(asked.to.with_suffix(".md"), lambda file: file.write_text(text, encoding="utf-8"))
    print(found[["result", "published", "ours", "verdict"]].to_string(index=False))
    print(f"Written: {asked.to.with_suffix('.md')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
