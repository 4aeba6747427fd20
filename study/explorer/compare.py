"""Compare two studies cell by cell on the terminal.

python -m study.explorer.compare A B [--metric METRIC] [--to FILE.csv]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from study.analysis import two_studies
from study.analysis.two_studies import METRICS, runs_named
from study.explorer.pairs import check_paired, other_settings
from study.results.store import TableError, refused


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison of two studies, once both can be compared; with --to, write all metrics as CSV."""
    parser = argparse.ArgumentParser(prog="study.explorer.compare", description="Compare two studies.")
    parser.add_argument("a", help="a study's name, or a table of runs")
    parser.add_argument("b", help="the other one")
    parser.add_argument("--metric", choices=METRICS, default="test_accuracy", help="what is printed")
    parser.add_argument("--to", type=Path, help="a CSV file for the differences in all metrics")
    given = parser.parse_args(arguments)
    try:
        if given.to and given.to.suffix != ".csv":
            raise TableError(f"The file of the differences must end with '.csv'. Got '{given.to}' instead.")
        runs = [runs_named(name) for name in (given.a, given.b)]
        for table, name in zip(runs, (given.a, given.b), strict=True):
            check_paired(table, name)
        to = ["--to", str(given.to)] if given.to else []
        code = two_studies.main(["--metric", given.metric, *to, "--", given.a, given.b])
        if said := other_settings(*runs):
            print(said)
        return code
    except OSError as error:
        print(refused(error), file=sys.stderr)
    except TableError as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
