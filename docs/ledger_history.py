"""Write study/claims/history.csv: the verdicts of the published ledger in each version, from its history in git."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
LEDGER = "docs/studies/paper/claims.csv"
TARGET = ROOT / "study/claims/history.csv"


def git(*words: str) -> str:
    """The output of a git command in the repository."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def history() -> pd.DataFrame:
    """A row for each version of the ledger and claim: version, commit, date, claim, verdict."""
    lines = git("log", "--reverse", "--format=%h %as", "--", LEDGER).splitlines()
    parts = []
    for version, line in enumerate(lines, 1):
        commit, date = line.split()
        table = pd.read_csv(io.StringIO(git("show", f"{commit}:{LEDGER}")))
        verdicts = table.drop_duplicates("claim")[["claim", "verdict"]]
        parts.append(verdicts.assign(version=version, commit=commit, date=date))
    return pd.concat(parts)[["version", "commit", "date", "claim", "verdict"]]


if __name__ == "__main__":
    history().to_csv(TARGET, index=False, lineterminator="\n")
