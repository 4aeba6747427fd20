"""From tables of studies to rows, by a study that is made up; and the committed page, row by row, from its tables."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from study.config.errors import ConfigError
from study.config.read import read as read_study
from study.published.__main__ import main
from study.published.page import page
from study.published.results import EIGENVALUES, ROWS, RUNS, eigenvalues, judged, runs_of
from study.published.truths import Truths, read
from study.results import store

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs/published"
TRUTHS = read(ROOT / "config/published.yaml")
KEYS = {"study": "x", "clip": "none", "regularization": "none"}


def truths(**changes: Any) -> Truths:
    common = {"what": "A result", "source": "A paper", "study": "x", "because": "it is", "differs": "nothing"}
    accuracy = {"name": "exact", "published": {"mean": 0.9, "sd": 0.01, "runs": 10}, "regimes": ["a"], "margin": 0.02}
    rounds = {"name": "count", "published": {"mean": 20}, "regimes": ["a", "b"], "margin": 1.5, "target": 0.9}
    return Truths.model_validate(
        {
            "accuracies": [{**common, **accuracy}],
            "rounds": [{**common, **rounds, **changes}],
            "eigenvalues": {"source": "A lemma", "margin": 1e-6, "because": "it is"},
        }
    )


def written(folder: Path, reached: dict[str, list[float]], limit: int = 40) -> Path:
    """A study whose accuracies are .9 and rise to .9 in so many rounds."""
    runs = [
        {**KEYS, "regime": regime, "seed": seed, "test_accuracy": 0.9 + 0.001 * seed, "epochs": limit}
        for regime, several in reached.items()
        for seed in range(len(several))
    ]
    epochs = [
        {**KEYS, "regime": regime, "seed": seed, "epoch": epoch, "test_accuracy": min(0.95, 0.9 * epoch / rounds)}
        for regime, several in reached.items()
        for seed, rounds in enumerate(several)
        for epoch in range(limit + 1)
    ]
    store.write(pd.DataFrame(runs), folder / "x/runs.parquet")
    store.write(pd.DataFrame(epochs), folder / "x/epochs.parquet")
    return folder


def rows(given: Truths, results: Path) -> dict[str, dict[str, Any]]:
    return {row["result"]: row for row in judged(given, runs_of(given, results)).to_dict("records")}


def test_runs_become_rows_and_the_fastest_rate_counts(tmp_path: Path) -> None:
    found = rows(truths(), written(tmp_path, {"a": [30, 31, 32], "b": [20, 21, 22]}))
    exact, count = found["exact"], found["count"]
    assert (exact["ours"], exact["seeds"], exact["verdict"]) == (pytest.approx(0.901), 3, "equivalent")
    assert (count["regime"], count["verdict"]) == ("b", "equivalent")
    assert count["ours"] == pytest.approx((20 * 21 * 22) ** (1 / 3))
    assert count["difference"] == pytest.approx(count["ours"] / 20)
    assert count["difference_low"] < count["difference"] < count["difference_high"]


def test_a_factor_beyond_the_margin_is_different(tmp_path: Path) -> None:
    count = rows(truths(), written(tmp_path, {"a": [8, 8.2, 8.1]}))["count"]
    assert (count["verdict"], count["regime"]) == ("different", "a")


@pytest.mark.parametrize(
    ("several", "limit", "verdict"),
    [([50, 60, 70], 31, "different"), ([50, 60, 70], 29, "cannot tell"), ([10, 60, 70], 31, "cannot tell")],
)
def test_runs_that_do_not_reach_the_target(tmp_path: Path, several: list[float], limit: int, verdict: str) -> None:
    """They tell something only if none reached it in as many rounds as the margin admits."""
    count = rows(truths(), written(tmp_path, {"a": several}, limit))["count"]
    assert count["verdict"] == verdict
    assert math.isnan(count["ours"])


def test_what_was_not_trained_is_left_out_and_said(tmp_path: Path) -> None:
    given = truths()
    runs = runs_of(given, tmp_path)
    assert runs.empty
    text = page(given, judged(given, runs), runs, eigenvalues(given))
    assert text.count("| not run |") == 2


def test_the_command_writes_the_page_and_its_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = truths(reason="a reason", shown={"a": "slow", "b": "fast"})
    raw = {
        part: {one.pop("name"): one for one in given.model_dump(mode="json")[part]} for part in ("accuracies", "rounds")
    }
    raw["eigenvalues"] = given.eigenvalues.model_dump()
    (tmp_path / "truths.yaml").write_text(yaml.safe_dump(raw))
    results = written(tmp_path / "results", {"a": [30, 31, 32], "b": [4, 5, 5.5]})
    status = main([str(tmp_path / "truths.yaml"), str(tmp_path / "page"), "--results", str(results)])
    assert status == 0
    text = (tmp_path / "page.md").read_text()
    assert "| slow |" in text
    assert "(page/runs.csv)" in text
    assert (tmp_path / "page.png").stat().st_size > 5_000
    assert "Reason: a reason." in text
    assert "different" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "page.csv")
    assert list(table) == list(ROWS)


def test_wrong_declarations_are_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = yaml.safe_load((ROOT / "config/published.yaml").read_text())
    raw["rounds"]["mcmahan_iid"]["margin"] = 0.5
    raw["accuracies"]["opacus_plain"].pop("because")
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(raw))
    assert main([str(tmp_path / "wrong.yaml"), str(tmp_path / "page")]) == 1
    said = capsys.readouterr().err
    assert "The 'margin' parameter of truth must be a factor above 1 and at most 10. Got 0.5 instead." in said
    assert "The 'because' parameter of truth must be a text. Got nothing instead." in said
    with pytest.raises(ConfigError, match="must exist"):
        read(tmp_path / "none.yaml")


def test_without_runs_of_any_result_the_page_that_is_there_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.md").write_text("all results")
    command = [str(ROOT / "config/published.yaml"), str(tmp_path / "page"), "--results"]
    assert main([*command, str(tmp_path / "nowhere")]) == 1
    assert "must have runs of the studies 'mcmahan', 'opacus'. Got none of them" in capsys.readouterr().err
    store.write(pd.DataFrame([{**KEYS, "study": "opacus"}]), tmp_path / "other/opacus/runs.parquet")
    assert main([*command, str(tmp_path / "other")]) == 1
    assert "Got one without the column 'epochs' instead." in capsys.readouterr().err
    assert [path.name for path in tmp_path.glob("page*")] == ["page.md"]
    assert (tmp_path / "page.md").read_text() == "all results"


@pytest.mark.usefixtures("own_methods")
def test_every_declared_regime_is_in_its_study() -> None:
    for truth in TRUTHS.all:
        path = ROOT / f"config/{truth.study}.yaml"
        study = read_study(yaml.safe_load(path.read_text()), [path], {})
        assert study.name == truth.study
        assert {*truth.regimes, *truth.shown} <= set(study.regimes)
        assert all(truth.clip in study.regimes[name].clip_labels for name in truth.regimes)


def committed(name: str) -> pd.DataFrame:
    return pd.read_csv(DOCS / name, keep_default_na=False, na_values=[""])


def test_the_committed_page_is_that_of_the_committed_runs() -> None:
    """Rows are judged again from the runs, the page is written again from the rows."""
    runs, table, forms = committed("runs.csv"), committed("../published.csv"), committed("eigenvalues.csv")
    assert list(runs) == list(RUNS)
    assert list(forms) == list(EIGENVALUES)
    again = judged(TRUTHS, runs)
    pd.testing.assert_frame_equal(again, table, check_dtype=False, rtol=1e-9)
    assert (DOCS.parent / "published.md").read_text(encoding="utf-8") == page(TRUTHS, table, runs, forms)


def test_standardised_pixels_take_fewer_rounds_as_the_page_says() -> None:
    rounds = committed("runs.csv").query("kind == 'rounds'").groupby("regime")["value"]
    assert rounds.max()["standardised_0100"] < rounds.min()["unit_0100"]
    assert rounds.max()["unit_0215"] < min(rounds.min()["unit_0100"], 87 / 1.25)


def test_the_committed_eigenvalues_are_those_of_the_code() -> None:
    now, then = eigenvalues(TRUTHS), committed("eigenvalues.csv")
    pd.testing.assert_frame_equal(now.drop(columns="error"), then.drop(columns="error"), check_dtype=False, atol=1e-9)
    assert (then["error"] < TRUTHS.eigenvalues.margin).all()
