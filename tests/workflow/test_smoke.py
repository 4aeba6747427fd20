"""The whole workflow on a small study: what it leaves, and what it does again when something changes."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from study.config.schema import json_schema
from study.explorer.page import unpacked
from study.figures import FIGURES
from study.report import TABLES as PAPER_TABLES
from study.results import store
from study.results.store import KEYS
from tests.checkout import Checkout, without_network

pytestmark = pytest.mark.workflow

TRAININGS = 8  # two regimes, two clips, two regularizations
# The smoke study asks no claims, sweeps and tunes nothing, and has no clients.
MADE = {*store.TABLES, "comparisons", "summary", "ranking", "provenance"}
DRAWN = {name for name, figure in FIGURES.items() if MADE.issuperset(figure.needs)} - {"clients"}


def test_a_study_leaves_its_tables_figures_and_report(finished_once: tuple[Checkout, str]) -> None:
    checkout, printed = finished_once
    for table in ("runs", "epochs", "steps", "tensors", "weights"):
        assert set(KEYS) <= set(pd.read_parquet(checkout.results / f"{table}.parquet").columns)
    runs = pd.read_parquet(checkout.results / "runs.parquet")
    assert len(runs) == TRAININGS * 3
    assert not runs.duplicated(list(KEYS)).any()
    comparisons = pd.read_csv(checkout.results / "comparisons.csv")
    assert set(comparisons["family"]) == {"clip", "regularization", "combination", "interaction"}
    assert {path.stem for path in (checkout.results / "paper/figures").glob("*.png")} == DRAWN
    for figure in DRAWN:
        for form, head in (("pdf", b"%PDF"), ("png", b"\x89PNG"), ("svg", b"<?xml")):
            assert (checkout.results / f"paper/figures/{figure}.{form}").read_bytes().startswith(head)
    assert (checkout.results / "paper/report.pdf").read_bytes().startswith(b"%PDF")
    explored = unpacked((checkout.results / "explorer.html").read_text())["studies"][0]
    assert explored["tables"]["runs"]["rows"] == len(runs)
    assert len(explored["origins"]["of"]) == len(runs)
    assert None not in explored["origins"]["of"]
    assert "100% of the training done" in printed


def test_the_report_is_self_contained_and_has_no_gap(finished_once: tuple[Checkout, str]) -> None:
    paper = finished_once[0].results / "paper"
    page = (paper / "report.html").read_text()
    assert page.count("data:image/png;base64") == len(DRAWN)
    assert not re.findall(r'(?:src|href)="(?!data:|#|https?://)', page)
    text = (paper / "report.md").read_text()
    assert not re.search(r"\bnan\b|\bNone of None\b|\{\{|\}\}", text)
    for figure in re.findall(r"\]\((figures/[^)]+)\)", text):
        assert (paper / figure).exists()


def test_snakemakes_own_report_holds_every_figure_and_table_with_caption_and_labels(finished: Checkout) -> None:
    """Without network: it asks for nothing from elsewhere."""
    finished.snakemake("--report", "all.html", "--quiet")
    page = (finished.root / "all.html").read_text()
    assert not re.search(r"(?:src|href)=[\"']https?://", page)
    results = page.partition('<script id="results">')[2]
    held, _ = json.JSONDecoder().raw_decode(results[results.index("{") :])
    paper = "results/smoke/paper"
    figures = {f"{paper}/figures/{name}.png": {"figure": name} for name in DRAWN}
    tables = {f"{paper}/tables/{name}.csv": {"table": name} for name in PAPER_TABLES}
    report = {f"{paper}/report.html": {"report": "smoke"}}
    assert {path: one["labels"] for path, one in held.items()} == figures | tables | report
    assert all(re.search("[a-z]", re.sub("<[^>]*>", "", one["caption"])) for one in held.values())
    assert (finished.results / "captions/heatmap.txt").read_text()[:40] in held[f"{paper}/figures/heatmap.png"][
        "caption"
    ]


def test_a_finished_study_has_no_reference_unless_it_is_asked_for(finished: Checkout) -> None:
    assert not (finished.results / "paper/reference").exists()
    assert "reference" in finished.planned("--", "reference")


def test_a_finished_study_has_nothing_to_do(finished: Checkout) -> None:
    assert finished.planned() == {}
    assert "Nothing to be done" in finished.snakemake("--cores", "2")


def test_one_more_seed_trains_only_that_seed(finished: Checkout) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.results.glob("runs/*/*/0-2/*.parquet")}
    finished.keep_one_regime()
    assert finished.trainings_to_do("--config", "seeds=4") == TRAININGS // 2
    finished.snakemake("--cores", "2", "--config", "seeds=4", "--", "results/smoke/runs.parquet")
    assert len(list(finished.results.glob("runs/*/*/3"))) == TRAININGS // 2
    assert {path: path.stat().st_mtime_ns for path in before} == before
    runs = pd.read_parquet(finished.results / "runs.parquet")
    assert runs.groupby(["regime", "clip", "regularization"])["seed"].apply(list).map(lambda s: s == [0, 1, 2, 3]).all()


def test_fewer_seeds_train_nothing(finished: Checkout) -> None:
    assert "train" not in finished.planned("--config", "seeds=2")


def test_a_new_variant_trains_only_itself(finished: Checkout) -> None:
    finished.edit(
        "config/smoke.yaml",
        lambda text: text.replace("  regularizations:", "    - {name: value, bound: 0.1}\n  regularizations:"),
    )
    assert finished.trainings_to_do() == 4  # two regimes, two regularizations


EDITED = {
    "study/clipping/global_norm.py": 4,
    "study/regularization/l1.py": 4,
    "study/clipping/value.py": 0,
    "study/training/engine.py": TRAININGS,
}


def test_words_in_any_of_them_train_nothing_again(finished: Checkout) -> None:
    for source in EDITED:
        finished.edit(source, lambda text: text + "\n# words\n")
    assert "train" not in finished.planned(), "what is said is not what is done"


@pytest.mark.parametrize(("source", "trainings"), EDITED.items())
def test_an_edited_method_trains_its_own_variants_again(finished: Checkout, source: str, trainings: int) -> None:
    finished.edit(source, lambda text: text + "\nedited = 1\n")
    assert finished.trainings_to_do() == trainings


def test_an_edited_figure_is_drawn_again_and_nothing_is_trained(finished: Checkout) -> None:
    finished.edit("study/figures/heatmap.py", lambda text: text + "\nedited = 1\n")
    assert finished.planned() == {"figure": 1, "report": 1}


def test_a_bad_configuration_says_all_that_is_wrong_and_starts_nothing(fresh: Checkout) -> None:
    fresh.edit(
        "config/smoke.yaml",
        lambda text: text.replace("max_norm: 0.5", "max_norm: -1").replace("epochs: 6", "epohcs: 6"),
    )
    printed = fresh.snakemake("-n", expect=1)
    assert "The 'max_norm' parameter of clipping 'global_norm' must be a positive number. Got -1 instead." in printed
    assert "defaults.clips.1.max_norm" in printed
    assert "Did you mean 'epochs'?" in printed
    assert "smoke.yaml" in printed
    assert "Traceback" not in printed
    assert "File " not in printed
    assert not (fresh.root / "results").exists()


def test_a_failed_job_names_its_log_which_names_the_file(fresh: Checkout) -> None:
    sample = fresh.root / "study/samples/train-images-idx3-ubyte.gz"
    sample.write_bytes(gzip.compress(gzip.decompress(sample.read_bytes())[:-100]))
    printed = fresh.snakemake("--cores", "1", expect=1)
    found = re.search(r"FAILED train .*; its log: (\S+)", printed)
    assert found, printed
    assert "train-images-idx3-ubyte" in (fresh.root / found[1]).read_text()
    assert not list((fresh.root / "results").glob("**/*.parquet"))


def test_the_smoke_study_needs_no_network(finished_once: tuple[Checkout, str]) -> None:
    """It came to its end where this cannot reach anything."""
    if not (offline := without_network()):
        pytest.skip("this machine does not let a test take the network away")
    knock = [sys.executable, "-c", "import socket; socket.create_connection(('127.0.0.1', 9), 1)"]
    assert "unreachable" in subprocess.run([*offline, *knock], check=False, capture_output=True, text=True).stderr
    checkout, printed = finished_once
    assert "100% of the training done" in printed
    assert (checkout.results / "paper/report.pdf").exists()


def test_the_schema_is_the_one_of_the_configuration() -> None:
    stored = Path(__file__).parents[2] / "workflow/schemas/study.schema.json"
    assert json.loads(stored.read_text()) == json_schema(), "run `make schema`"
