"""A finished study's paper for others: report, tables, figures, configuration, plugins, runs, and how to cite it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from study.results import store
from study.results.store import atomically
from study.results.workload_columns import WORKLOADS

RUNS = (
    "regime", "clip", "regularization", "clip_method", "regularization_method", "seed", "status", "cause",
    "train_accuracy", "test_accuracy", "train_loss", "test_loss", "gap_accuracy", "gap_loss", "validation_accuracy",
    "validation_loss", "best_epoch", "best_test_accuracy", "best_test_loss", "best_gap_accuracy", "best_gap_loss",
    "clip_rate", "norm_median", "spike_score",
)  # fmt: skip
"""The columns of `runs.csv`, the runs in their small form: how each ended, to five significant digits."""
CELLS = ("regime", "clip", "regularization", "seed")
OUTCOMES = tuple(dict.fromkeys(one.name for tables in WORKLOADS.values() for one in tables.get("runs", ())))
"""The columns of `outcomes.csv` after those of `CELLS`: what runs of a workload have of their own."""


def publish(results: Path, citation: Path, to: Path) -> list[Path]:
    """Copy into `to` what a colleague needs of the study in `results`; the files in their order.

    Raises ValueError where the study has no report or no configuration beside it.
    """
    paper, configuration = results / "paper", results / "configuration.yaml"
    for needed in (paper / "report.pdf", configuration):
        if not needed.is_file():
            raise ValueError(
                f"The study to publish must have its report in '{results}'. Got no file '{needed}' instead."
            )
    copies = {path: path.name for path in [*sorted(paper.glob("report.*")), *sorted(results.glob("*.csv"))]}
    copies |= {path: path.name for path in paper.glob("numbers.tex")}
    copies |= {path: f"tables/{path.name}" for path in sorted((paper / "tables").glob("*.tex"))}
    copies |= {path: f"figures/{path.name}" for path in sorted((paper / "figures").glob("*.png"))}
    copies |= {path: path.name for path in (configuration, results / "explorer.html") if path.is_file()}
    given = yaml.safe_load(configuration.read_text(encoding="utf-8"))
    copies |= _plugins(given.get("plugins") or ())
    if lost := [path for path in copies if not path.is_file()]:
        raise ValueError(f"What is published must be there. Got no file '{lost[0]}' instead.")
    for source, name in copies.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, to / name)
    runs = store.read(results / "runs.parquet")
    atomically(to / "runs.csv", lambda f: f.write_text(small_csv(runs), encoding="utf-8"))
    extra = [name for name in OUTCOMES if name in runs and runs[name].notna().any()]
    if extra:
        own = runs[runs[extra].notna().any(axis=1)]
        atomically(to / "outcomes.csv", lambda f: f.write_text(small_csv(own, (*CELLS, *extra)), encoding="utf-8"))
    text = bibliography(yaml.safe_load(citation.read_text(encoding="utf-8")))
    atomically(to / "suite.bib", lambda f: f.write_text(text, encoding="utf-8"))
    written = ("runs.csv", *(["outcomes.csv"] if extra else []), "suite.bib")
    return [to / name for name in (*copies.values(), *written)]


def small_csv(runs: pd.DataFrame, columns: Sequence[str] = RUNS) -> str:
    """Return runs in their small form as CSV: these columns as far as they are there, numbers to five digits."""
    small = runs[[column for column in columns if column in runs]]
    return str(small.to_csv(index=False, float_format="%.5g", lineterminator="\n"))


def _plugins(paths: Sequence[str]) -> dict[Path, str]:
    """The names of plugins beside the paper: those of their files, numbered where two have one name."""
    names = [Path(path).name for path in paths]
    return {
        Path(path): f"plugins/{f'{number}-' if names.count(name) > 1 else ''}{name}"
        for number, (path, name) in enumerate(zip(paths, names, strict=True), 1)
    }


def bibliography(citation: Mapping[str, Any]) -> str:
    """BibTeX of what a CITATION.cff names: the suite itself, then its references."""
    released = pd.Timestamp(citation["date-released"]).year
    suite = {
        "author": _authors(citation["authors"]),
        "title": f"{{{citation['title']}}}",
        "year": released,
        "note": f"Version {citation['version']}",
    }
    return "\n".join([_entry("misc", "clipping_suite", suite), *map(_reference, citation.get("references", ()))])


def _reference(one: Mapping[str, Any]) -> str:
    first = str(one["authors"][0].get("family-names", "anonymous")).lower()
    fields = {"author": _authors(one["authors"]), "title": f"{{{one['title']}}}"}
    fields |= {"journal": one["journal"], "volume": one["volume"], "number": one["issue"]}
    fields |= {"pages": f"{one['start']}--{one['end']}", "year": one["year"]}
    return _entry(str(one["type"]), f"{first}{one['year']}", fields)


def _authors(authors: Sequence[Mapping[str, str]]) -> str:
    """People by family name; an entity in braces, so that it is not taken for one."""
    return " and ".join(
        f"{{{one['name']}}}" if "name" in one else f"{one['family-names']}, {one['given-names']}" for one in authors
    )


def _entry(kind: str, key: str, fields: Mapping[str, object]) -> str:
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@{kind}{{{key},\n{lines}\n}}\n"


if __name__ == "__main__":
    try:
        published = publish(Path(sys.argv[1]), Path("CITATION.cff"), Path(sys.argv[2]))
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    print(f"{len(published)} files in {sys.argv[2]}")
