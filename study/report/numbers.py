"""Numbers of a study as LaTeX macros, so that a text that quotes them follows its tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from study.report.format import IN_POINTS, interval_of
from study.report.tables import in_latex, mean_of
from study.results.store import Tables, atomically

HEAD = r"""% \input this file, then write
%   \studyvalue{runs}
%   \studyvalue{<regime>/<method>/<metric>}: the mean difference of a method alone to the baseline
%   \studymean{<regime>/<clip>+<regularizer>/<metric>}
% The last two come with their 95 % intervals, in per cent (points) for shares and in nats for losses.
\newcommand{\studyvalue}[1]{\ifcsname studyvalue@#1\endcsname\csname studyvalue@#1\endcsname%
  \else\errmessage{This study has no value '#1'}\fi}
\newcommand{\studymean}[1]{\studyvalue{mean/#1}}
\newcommand{\studydefine}[2]{\expandafter\def\csname studyvalue@#1\endcsname{#2}}
"""


def numbers(tables: Tables) -> dict[str, str]:
    """Return the values by key: counts, means by variant and metric, and differences of each method alone."""
    runs = tables["runs"]
    counts = {
        "runs": len(runs),
        "seeds": runs["seed"].nunique(),
        "regimes": runs["regime"].nunique(),
        "diverged": int((runs["status"] == "diverged").sum()),
    }
    return {key: f"{count:,}" for key, count in counts.items()} | dict([*_means(tables), *_differences(tables)])


def _means(tables: Tables) -> Iterator[tuple[str, str]]:
    summary = tables["summary"]
    for row in summary[summary["n"] > 0].to_dict("records"):
        variant = f"{row['regime']}/{row['clip']}+{row['regularization']}/{row['metric']}"
        yield f"mean/{variant}", str(in_latex(mean_of(row["metric"], row)))


def _differences(tables: Tables) -> Iterator[tuple[str, str]]:
    comparisons = tables["comparisons"]
    alone = comparisons["family"].isin(("clip", "regularization")) & comparisons["estimate"].notna()
    for row in comparisons[alone].to_dict("records"):
        variant = f"{row['regime']}/{row[row['family']]}/{row['metric']}"
        scale = 100 if row["metric"] in IN_POINTS else 1
        yield variant, str(in_latex(interval_of(row, scale=scale, signed=True)))


def text(values: dict[str, str]) -> str:
    """Return the macros as LaTeX."""
    return HEAD + "".join(f"\\studydefine{{{key}}}{{{value}}}\n" for key, value in values.items())


def save(values: dict[str, str], path: Path) -> None:
    """Write the macros."""
    atomically(path, lambda f: f.write_text(text(values), encoding="utf-8"))
