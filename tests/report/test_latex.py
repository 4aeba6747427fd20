"""What is written for LaTeX: the macros of a study's numbers and its tables; printed where LaTeX is installed."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from study.report import numbers, tables

TABLES = {
    "runs": pd.DataFrame({"seed": [0, 1] * 2, "regime": ["a"] * 4, "status": ["ok", "ok", "diverged", "ok"]}),
    "summary": pd.DataFrame(
        {
            **{"regime": ["a", "a"], "clip": ["none", "value(0.01)"], "regularization": ["none", "none"]},
            **{"metric": ["test_accuracy", "test_loss"], "n": [2, 0]},
            **{"mean": [0.9, float("nan")], "low": [0.8, float("nan")], "high": [0.95, float("nan")]},
        }
    ),
    "comparisons": pd.DataFrame(
        {
            **{"regime": "a", "family": "clip", "clip": ["value(0.01)", "elastic_net(lambda1=1, lambda2=2)"]},
            **{"regularization": "none", "metric": "test_accuracy"},
            **{"estimate": [-0.012, float("nan")], "low": [-0.02, float("nan")], "high": [-0.001, float("nan")]},
        }
    ),
}


def test_counts_means_and_differences_by_key() -> None:
    assert numbers.numbers(TABLES) == {
        **{"runs": "4", "seeds": "2", "regimes": "1", "diverged": "1"},
        "mean/a/none+none/test_accuracy": r"90.0 \% [80.0 \%, 95.0 \%]",
        "a/value(0.01)/test_accuracy": "$-$1.2 [$-$2.0, $-$0.10]",
    }


BOOKTABS = (
    r"\IfFileExists{booktabs.sty}{\usepackage{booktabs}}{\let\toprule\hline\let\midrule\hline\let\bottomrule\hline}"
)


def assert_prints(body: str, head: str, folder: Path) -> None:
    text = rf"\documentclass{{article}}{head}\begin{{document}}{body}\end{{document}}"
    (folder / "paper.tex").write_text(text)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not installed")


@needs_latex
def test_latex_prints_the_numbers(tmp_path: Path) -> None:
    numbers.save(numbers.numbers(TABLES), tmp_path / "numbers.tex")
    body = r"\studyvalue{a/value(0.01)/test_accuracy} of \studyvalue{runs}; \studymean{a/none+none/test_accuracy}"
    assert_prints(body, r"\input{numbers}", tmp_path)


@needs_latex
def test_latex_prints_a_table_with_any_label(tmp_path: Path) -> None:
    table = pd.DataFrame({"variant": ["elastic_net(lambda1=0.1) & 5 %"], "gain > 0": ["−1.2 [−2.0, 0.1]"], "n": [10]})
    tables.save(table, tmp_path / "effects")
    assert_prints(r"\input{effects}", BOOKTABS, tmp_path)
