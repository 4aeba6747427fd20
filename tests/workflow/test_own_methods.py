"""The methods of docs/own-method.md through the whole workflow, from a file outside the repository."""

import re
from pathlib import Path

import pandas as pd
import pytest

from tests.checkout import ROOT, Checkout

pytestmark = pytest.mark.workflow

CODE = re.findall(r"## Add your own .*?```python\n(.*?)```", (ROOT / "docs/own-method.md").read_text(), re.DOTALL)


def test_methods_of_a_users_file_are_trained_ranked_and_tracked(finished: Checkout, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("mine.py", "another.py")]
    for path, code in zip(files, CODE, strict=True):
        path.write_text(code)
    finished.keep_one_regime()
    finished.edit(
        "config/smoke.yaml",
        lambda text: (
            text.replace("  regularizations:", "    - {name: fair_share, max_norm: 0.5}\n  regularizations:")
            .replace("1.0e-3}\n", "1.0e-3}\n    - {name: towards_start, strength: 0.1}\n")
            .replace("name: smoke\n", f"name: smoke\nfigures: [ranking]\nplugins: [{files[0]}, {files[1]}]\n")
        ),
    )
    added = 3 * 3 - 2 * 2  # clips x regularizations now - before
    assert finished.trainings_to_do() == added
    targets = ("--", *(f"results/smoke/{name}" for name in ("runs.parquet", "ranking.csv", "paper/report.md")))
    finished.snakemake("--cores", "2", *targets)
    ranking = pd.read_csv(finished.results / "ranking.csv")
    assert {"fair_share", "towards_start"} <= set(ranking["method"])
    assert "fair share 0.5" in (finished.results / "paper/report.md").read_text()
    assert finished.planned(*targets) == {}
    files[0].write_text(CODE[0].replace("share = self", "share = 0.9 * self"))
    assert finished.trainings_to_do() == 3, "the runs of the edited method, and no others"


def test_a_plugin_that_cannot_be_loaded_is_an_error_and_nothing_starts(fresh: Checkout, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import nothing_of_the_kind")
    fresh.edit(
        "config/smoke.yaml", lambda text: text.replace("name: smoke\n", f"name: smoke\nplugins: [{tmp_path}/mine.py]\n")
    )
    printed = fresh.snakemake("-n", expect=1)
    assert "plugins.0 (line " in printed
    assert "The 'plugins' parameter of study must name Python files that can be imported." in printed
    assert "ModuleNotFoundError" in printed
    assert "Traceback" not in printed
