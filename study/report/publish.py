"""A finished study's paper for others: report, tables, figures, configuration, plugins, runs, and how to cite it."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from study.config.yaml_files import mapping_of
from study.report import numbers
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
FORMS = ("report.pdf", "report.html", "report.md")
OUTCOMES = tuple(dict.fromkeys(one.name for tables in WORKLOADS.values() for one in tables.get("runs", ())))
"""The columns of `outcomes.csv` after those of `CELLS`: what runs of a workload have of their own."""
PUBLISHED = "published.txt"
"""The list of what was published in a folder, by which a later publication knows its own files from others."""
FIGURE = re.compile(r"\]\(figures/([^)\s]+)\)")


def publish(results: Path, citation: Path, to: Path) -> list[Path]:
    """Copy into `to` what a colleague needs of the study in `results`; the files in their order.

    What an earlier publication wrote there and this one does not is removed; files of others stay.

    Raises ValueError where the study has no report of its runs, or no configuration beside them.
    """
    copies = _copies(results, paper_of(results))
    written = {"runs.csv": small_csv(runs := store.read(results / "runs.parquet"))}
    if extra := [name for name in OUTCOMES if name in runs and runs[name].notna().any()]:
        written["outcomes.csv"] = small_csv(runs[runs[extra].notna().any(axis=1)], (*CELLS, *extra))
    written["suite.bib"] = _cited(citation)
    if lost := [path for path in copies if not path.is_file()]:
        raise ValueError(f"What is published must be there. Got no file '{lost[0]}' instead.")
    for source, name in copies.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, to / name)
    for name, text in written.items():
        atomically(to / name, partial(Path.write_text, data=text, encoding="utf-8"))
    published = (*copies.values(), *written)
    _remove_others(to, published)
    return [to / name for name in published]


def _remove_others(to: Path, published: Sequence[str]) -> None:
    """Remove what an earlier publication listed and this one has not, and write the list anew."""
    listed = to / PUBLISHED
    earlier = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    for path in (to / name for name in {*earlier} - {*published}):
        if path.is_file() and path.resolve().is_relative_to(to.resolve()):
            path.unlink()
    text = "".join(f"{name}\n" for name in sorted(published))
    atomically(listed, partial(Path.write_text, data=text, encoding="utf-8"))


def paper_of(results: Path) -> Path:
    """Return the folder of a study's paper: that of the default study is the repository's own."""
    return results.parent.parent / "paper" if results.name == "default" else results / "paper"


def _copies(results: Path, paper: Path) -> dict[Path, str]:
    """The files to copy with their names beside the report."""
    configuration = results / "configuration.yaml"
    for needed in (*(paper / name for name in FORMS), configuration):
        if not needed.is_file():
            must = f"The study to publish must have its report in '{results}'."
            raise ValueError(f"{must} Got no file '{needed}' instead.")
    if (paper / "numbers.tex").is_file() and not _of_these_runs(paper / "numbers.tex", results):
        must = f"The paper in '{paper}' must be of the runs in '{results}'. Got other numbers"
        raise ValueError(f"{must} in 'numbers.tex' instead: run the study to its end.")
    copies = {path: path.name for path in [*(paper / name for name in FORMS), *sorted(results.glob("*.csv"))]}
    copies |= {path: path.name for path in paper.glob("numbers.tex")}
    copies |= {path: f"tables/{path.name}" for path in sorted((paper / "tables").glob("*.tex"))}
    copies |= {paper / "figures" / name: f"figures/{name}" for name in figures_shown(paper / "report.md")}
    copies |= {path: path.name for path in (configuration, results / "explorer.html") if path.is_file()}
    return copies | _plugins(mapping_of(configuration).get("plugins") or ())


def figures_shown(report: Path) -> list[str]:
    """Return the names of the figures that a report in Markdown shows, in its order."""
    return list(dict.fromkeys(FIGURE.findall(report.read_text(encoding="utf-8"))))


def _of_these_runs(macros: Path, results: Path) -> bool:
    """Whether a paper's numbers are those of the tables: a report outlives the results that it was made of."""
    paths = [results / name for name in ("runs.parquet", "summary.csv", "comparisons.csv")]
    return macros.read_text(encoding="utf-8") == numbers.text(numbers.numbers(store.read_all(paths)))


def small_csv(runs: pd.DataFrame, columns: Sequence[str] = RUNS) -> str:
    """Return runs in their small form as CSV: these columns as far as they are there, numbers to five digits."""
    small = runs[[column for column in columns if column in runs]]
    return str(small.to_csv(index=False, float_format="%.5g", lineterminator="\n"))


def _cited(citation: Path) -> str:
    try:
        return bibliography(mapping_of(citation))
    except (KeyError, TypeError, AttributeError) as error:
        must = f"The file '{citation}' must name title, version, date-released and authors, as CITATION.cff does."
        raise ValueError(f"{must} Got {error} instead.") from error


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


def main(words: Sequence[str] | None = None) -> int:
    """Publish a study: its folder of results, and the folder to write."""
    parser = argparse.ArgumentParser(prog="python -m study.report.publish", description="Publish a finished study.")
    parser.add_argument("results", type=Path, help="the folder of its results")
    parser.add_argument("to", type=Path, help="the folder to write")
    given = parser.parse_args(words)
    try:
        published = publish(given.results, Path("CITATION.cff"), given.to)
    except OSError as error:
        print(store.refused(error), file=sys.stderr)
        return 1
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(published)} files in {given.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
