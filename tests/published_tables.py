"""Tables of the published studies, and their numbers as the pages print them."""

from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
# Those published whole; a folder with tables alone has no report.
STUDIES = sorted(path.parent for path in ROOT.glob("docs/studies/*/report.md"))


def table(study: str, name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / f"docs/studies/{study}/{name}.csv", keep_default_na=False, na_values=[""])


def points(value: float, signed: bool = True) -> str:
    return f"{100 * value:{'+' if signed else ''}.1f}".replace("-", "−")


def hypothesis(name: str) -> pd.DataFrame:
    """A hypothesis of the frozen benchmark: a row for each workload, by its name."""
    rows = table("confirm", "hypotheses")
    return rows[rows["hypothesis"] == name].set_index("regime")


def told(row: pd.Series, signed: bool = True) -> str:
    """A gain in points with its interval."""
    return f"{points(row['gain'], signed)} points [{points(row['low'], False)}, {points(row['high'], False)}]"
