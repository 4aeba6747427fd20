"""The same results again: whatever the blocks of seeds and the jobs beside; figures and reports to the byte; verify."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from study.analysis.verification import IDENTICAL, OPEN, RUN, main, verdicts
from study.config import read
from study.config.study import Study
from study.figures import FIGURES
from study.figures._style import save, style_for
from study.report.render import fill, render
from study.results import store
from study.results.provenance import GROUPS
from tests.checkout import ROOT, Checkout

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("same results")]  # one worker: they share a study


@pytest.fixture(scope="module")
def again(finished_once: tuple[Checkout, str], tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy of the finished study in which a cell is verified, and another trained again in two blocks of seeds."""
    checkout = Checkout(
        shutil.copytree(finished_once[0].root, tmp_path_factory.mktemp("again") / "copy", symlinks=True)
    )
    blocks = [f"results/smoke/verify/{cell(checkout)}/{seeds}/weights.parquet" for seeds in ("0", "1-2")]
    checkout.snakemake("--cores", "2", "--", "reference")
    checkout.snakemake("--cores", "2", "--", "results/smoke/verify/1-cells-seed-0.csv", *blocks)
    return checkout


def cell(checkout: Checkout) -> str:
    """The folder of a cell, below that of the runs."""
    runs = checkout.results / "runs"
    return min(runs.glob("unstable/global_norm*l1*")).relative_to(runs).as_posix()


@pytest.mark.parametrize("table", store.TABLES)
def test_a_cell_is_the_same_in_other_blocks_of_seeds(again: Checkout, table: str) -> None:
    whole = store.read(again.results / "runs" / cell(again) / f"0-2/{table}.parquet")
    parts = [store.read(again.results / "verify" / cell(again) / seeds / f"{table}.parquet") for seeds in ("0", "1-2")]
    both = pd.concat(parts, ignore_index=True)
    assert both["seed"].nunique() == 3
    timed = [name for name in ("wall_seconds",) if name in whole]
    pd.testing.assert_frame_equal(both.drop(columns=timed), whole.drop(columns=timed), check_exact=True)


def test_a_cell_trained_again_is_bit_identical_to_the_reference(
    again: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(str(again.results / "verify/1-cells-seed-0.csv")) == 0
    assert "1 bit-identical" in " ".join(capsys.readouterr().out.split())
    assert len(list(again.results.glob("verify/*/*/0-2/runs.parquet"))) == 1


def test_the_reference_holds_every_run_and_a_change_of_one_is_found_in_its_cell(again: Checkout) -> None:
    results = again.results
    reference = store.read(results / "paper/reference/runs.parquet")
    runs = store.read(results / "runs.parquet")
    pd.testing.assert_frame_equal(
        reference[[name for name in runs if name != "wall_seconds"]].sort_values(RUN, ignore_index=True),
        runs.drop(columns="wall_seconds").sort_values(RUN, ignore_index=True),
        check_exact=True,
        check_dtype=False,  # a column of missing numbers has no type of its own in a collected table
    )
    assert reference.filter(like="content_").notna().all(axis=None)
    tampered = reference.copy()
    tampered.loc[5, "content_epochs"] = "0" * 16
    table = verdicts(tampered, reference)
    odd = table[table["verdict"] != IDENTICAL]
    assert odd[RUN[:3]].to_numpy().tolist() == [reference.loc[5, RUN[:3]].tolist()]
    assert odd[["identical", "tables", "verdict"]].to_numpy().tolist() == [[2, "epochs", OPEN]]


@pytest.fixture(scope="module")
def results(finished_once: tuple[Checkout, str]) -> Path:
    """The finished study's results, to be read only."""
    return finished_once[0].results


@pytest.fixture(scope="module")
def tables(results: Path) -> dict[str, pd.DataFrame]:
    return store.read_all([*results.glob("*.csv"), *results.glob("*.parquet")])


@pytest.fixture(scope="module")
def study() -> Study:
    return read.parse(yaml.safe_load((ROOT / "config/smoke.yaml").read_text()))


@pytest.mark.parametrize("name", ["gap_forest", "heatmap"])
def test_a_figure_has_the_same_bytes_in_another_process(
    results: Path, tables: dict[str, pd.DataFrame], tmp_path: Path, name: str
) -> None:
    style = style_for(tables["runs"]["clip"].unique(), tables["runs"]["regularization"].unique())
    for path in save(FIGURES[name].draw(tables, style), tmp_path / name):
        assert path.read_bytes() == (results / "paper/figures" / path.name).read_bytes()


def captions(results: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in results.glob("captions/*.txt")}


def test_a_report_has_the_same_bytes_in_another_process(
    results: Path, tables: dict[str, pd.DataFrame], study: Study, tmp_path: Path
) -> None:
    shutil.copytree(results / "paper/figures", tmp_path / "figures")
    render(ROOT / "paper/report.md.j2", study, tables, captions(results), tmp_path)
    for form in ("md", "html", "pdf"):
        assert (tmp_path / f"report.{form}").read_bytes() == (results / f"paper/report.{form}").read_bytes()


def test_the_report_says_where_its_runs_come_from(results: Path, tables: dict[str, pd.DataFrame], study: Study) -> None:
    def report(origin: pd.DataFrame) -> str:
        source = ROOT / "paper/report.md.j2"
        return fill(source, "md", study, tables | {"provenance": origin}, captions(results))

    plain = tables["provenance"].assign(commit="0123456789abcdef", dirty=False)
    assert set(GROUPS) < set(plain)
    text = report(plain)
    assert "24 runs, commit `0123456789ab`. Packages `python" in text
    assert "**Warning" not in text
    mixed = plain.assign(settings=["threads 2"] + ["threads 1"] * (len(plain) - 1), dirty=True)
    text = re.sub(" +", " ", report(mixed))
    assert "**Warning: runs of different provenance are mixed here.**" in text
    assert "| threads | 2 | 6 |" in text
    assert "**Warning: 24 of 24 runs were trained by code that differs from its commit.**" in text
