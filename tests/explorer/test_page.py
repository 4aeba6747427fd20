"""The explorer's page: it holds the tables to the last digit, is small, needs nothing, and names what it shows."""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from study.explorer import build, page, show
from study.explorer.curves import step_curves
from study.explorer.payload import DIGEST, RUN, About, encoded, metrics, payload, study_payload
from study.results import store
from study.results.columns import PROVENANCE, RUNS
from tests.explorer.studies import cells, large, runs_of, tables
from tests.published_tables import STUDIES

pytestmark = pytest.mark.slow

FIVE_MB = 5_000_000
NUMBERS = st.floats() | st.integers(-(2**60), 2**60).map(float)


def decoded(column: dict[str, list]) -> list:
    """The values of an encoded column, as the page's script reads them."""
    if "levels" in column:
        return [column["levels"][code] for code in column["codes"]]
    special = {None: np.nan, "inf": np.inf, "-inf": -np.inf}
    return [special.get(value, value) for value in column.get("values", column.get("bool"))]


@given(st.lists(NUMBERS, max_size=20), st.text())
def test_a_table_survives_packing_to_the_last_digit(values: list[float], text: str) -> None:
    table = pd.DataFrame({"number": np.array(values, float), "text": [text] * len(values), "flag": True})
    html = f'<script id="payload">{page.packed(encoded(table))}</script>'
    found = page.unpacked(html)["columns"]
    np.testing.assert_array_equal(np.array(decoded(found["number"]), float), table["number"])
    assert decoded(found["text"]) == table["text"].tolist()
    assert decoded(found["flag"]) == [1] * len(values)


@given(st.integers(1, 60), st.integers(2, 40), st.integers(0, 9))
def test_merged_windows_keep_mean_and_extremes(windows: int, points: int, luck: int) -> None:
    rng = np.random.default_rng(luck)
    lengths = rng.integers(1, 9, windows)
    last = np.cumsum(lengths) - 1
    keys = pd.MultiIndex.from_tuples([("r", "none", "none", 0)], names=RUN)
    table = pd.DataFrame({"step": last - lengths + 1, "last_step": last, "x": rng.random(windows)})
    table = table.assign(x_min=table["x"] - rng.random(windows), x_max=table["x"] + rng.random(windows))
    table[RUN] = keys[0]
    found = step_curves(table, keys, ["x"], ["x"], points * 4)
    assert found["counts"] == [min(windows, points)]
    columns = {name: np.array(values, float) for name, values in found["columns"].items()}
    assert columns["x_min"].min() == pytest.approx(table["x_min"].min(), rel=1e-3)
    assert columns["x_max"].max() == pytest.approx(table["x_max"].max(), rel=1e-3)
    held = np.diff([*columns["step"], last[-1] + 1])
    assert columns["x"] @ held / held.sum() == pytest.approx(table["x"] @ lengths / lengths.sum(), rel=1e-3)


@pytest.mark.slow
def test_a_page_of_three_thousand_runs_is_under_five_megabytes() -> None:
    """Also where no two numbers have a digit in common."""
    study = large(3000)
    facts = dict.fromkeys((one.name for one in PROVENANCE.columns[2:]), "engine 1; cpu x; torch 2")
    text = page.page(payload([study_payload("made", study, None, study["runs"].assign(**facts))]))
    assert len(study["runs"]) > 2900
    assert len(text.encode()) < FIVE_MB


def test_a_page_needs_nothing_but_itself_and_is_the_same_again() -> None:
    made = payload([study_payload("made", tables())])
    text = page.page(made)
    assert text == page.page(json.loads(json.dumps(made)))
    outside = re.findall(
        r"""(?:https?:)?//[\w.]+\.\w+[^"'\s]*|@import|\bsrc=|url\((?!#)""", text.partition('id="payload"')[0]
    )
    assert outside == []
    scripts = text.rpartition('<script type="module">')[2].replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|\bfetch\(|XMLHttpRequest|\bimport\(|WebSocket|{{\w+}}", scripts)


def test_every_script_is_read_and_kept_short() -> None:
    assert {path.name for path in page.ASSETS.glob("*.js")} == set(page.SCRIPTS)
    assert [path.name for path in page.ASSETS.iterdir() if len(path.read_text().splitlines()) >= 300] == []


def test_a_column_that_nobody_declared_can_be_chosen_too() -> None:
    runs = runs_of(cells(), 2, np.random.default_rng(0)).assign(new_score=0.5)
    found = {one["name"]: one for one in metrics(runs)}
    assert found["new_score"]["title"] == "new score"
    assert (found["best_test_accuracy"]["base"], found["best_test_accuracy"]["at"]) == ("test_accuracy", "best")
    assert found["test_accuracy"]["unit"] == {"symbol": "%", "factor": 100.0, "digits": 2, "difference": "points"}


def test_a_page_can_be_made_of_what_is_published_alone(tmp_path: Path) -> None:
    made = tables()
    for name in ("summary", "comparisons", "tuning"):
        store.write(made[name], tmp_path / f"{name}.csv")
    found = build.one(tmp_path)["studies"][0]
    assert set(found["tables"]) == {"summary", "comparisons", "tuning"}
    assert "curves" not in found
    assert found["labels"]["clip"]["global_norm(0.1)"]["text"] == "clip to norm 0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study as the workflow leaves it, with a configuration and without its trainings."""
    made = tmp_path_factory.mktemp("studies") / "made"
    for name, table in tables().items():
        store.write(table, made / f"{name}.{'parquet' if name in store.TABLES else 'csv'}")
    (made / "configuration.yaml").write_text(
        "description: A study.\nregimes: {calm: {description: Slow.}, wild: {workload: {name: federated}}}\n"
    )
    return made


def test_descriptions_are_those_of_the_configuration(folder: Path) -> None:
    found = build.one(folder)["studies"][0]
    assert found["about"] == "A study."
    assert found["labels"]["regime"]["calm"] == {"text": "calm", "about": "Slow.", "unit": "epoch"}
    assert found["labels"]["regime"]["wild"]["unit"] == "round"


def test_two_studies_share_a_page_with_their_differences(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    fewer = tables(name="other", luck=1, of=cells(("calm",)))
    for name, table in fewer.items():
        store.write(table, other / f"{name}.{'parquet' if name in store.TABLES else 'csv'}")
    found = build.two(folder, other)
    assert [one["name"] for one in found["studies"]] == ["made", "other"]
    assert found["differences"]["rows"] == 9 * 5
    assert [len(one["cells"]) for one in found["only"]] == [9, 0]


def test_a_study_that_is_not_finished_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results" / "begun").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"The study 'begun' has no tables yet\. Run it to its end"):
        show.folder_of("begun")


def test_a_run_is_found_by_its_digest_or_its_keys(folder: Path) -> None:
    runs = store.read(folder / "runs.parquet")
    run = runs.iloc[4]
    assert show.run_named(runs, run["digest"][:DIGEST])["digest"] == run["digest"]
    assert show.run_named(runs, "calm/none/l2(0.001)/1")["digest"] == run["digest"]
    for name in ("", "none", "calm/none/none/77"):
        with pytest.raises(ValueError, match=r"RUN must be .* Got '.*instead; the first run is calm/none/none/0 or"):
            show.run_named(runs, name)
    with pytest.raises(ValueError, match=r"Did you mean 'calm/none/l2\(0\.001\)/1'\?"):
        show.run_named(runs, "calm/none/l2(0.01)/1")


def test_show_sums_up_a_run_and_prints_where_its_page_is(folder: Path, capsys: pytest.CaptureFixture[str],
                                                         monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(show, "has_desktop", lambda: False)
    run = store.read(folder / "runs.parquet").iloc[0]
    assert show.main([str(folder), "--run", "calm/none/none/0"]) == 0
    printed = capsys.readouterr().out
    assert f"{100 * run['test_accuracy']:.2f} %" in printed
    assert f"#view=run&run={run['digest'][:DIGEST]}" in printed
    assert (folder / "explorer.html").exists()


def test_counts_and_shares_of_a_run_are_printed_in_their_units() -> None:
    column = {one.name: one for one in RUNS.columns}
    assert show.printed(np.int64(12400), column["steps"]) == "12400"
    assert show.printed(np.float64(0.5), column["test_accuracy"]) == "50.00 %"
    assert show.printed(-0.0, column["gap_loss"]) == "0.0000 nats", "no negative zero"
    assert show.printed(-1.5e-7, column["gap_loss"]) == "-1.5e-07 nats", "small is not zero"
    assert show.printed(float("nan"), column["test_accuracy"]) == "-"


def test_a_published_page_keeps_what_is_not_beside_it(folder: Path, tmp_path: Path) -> None:
    """Its runs: a checkout gives files no order, so that a table may seem newer than the page."""
    published = show.page_of(folder).read_text()
    for name in ("summary.csv", "comparisons.csv", "tuning.csv"):
        shutil.copy(folder / name, tmp_path)
    path = tmp_path / build.PAGE
    path.write_text(published)
    os.utime(path, (0, 0))
    assert show.page_of(tmp_path).read_text() == published
    path.write_text("damaged")
    os.utime(path, (0, 0))
    held = page.unpacked(show.page_of(tmp_path).read_text())["studies"][0]["tables"]
    assert set(held) == {"summary", "comparisons", "tuning"}


def test_two_studies_of_one_name_are_never_shown_as_two_others(folder: Path, tmp_path: Path,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for luck, place in enumerate(("one/b", "two/b"), 1):
        for name, table in tables(name=f"made{luck}", luck=luck).items():
            store.write(table, tmp_path / place / f"{name}.{'parquet' if name in store.TABLES else 'csv'}")
    pages = [page.unpacked(show.page_of(folder, Path(place)).read_text()) for place in ("one/b", "two/b")]
    assert [one["studies"][1]["name"] for one in pages] == ["made1", "made2"]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("configuration.yaml", "a: [", "The file must be YAML."),
        ("configuration.yaml", "regimes: 3", "regimes: The file must have a mapping here. Got 3 instead."),
        ("summary.csv", "study,b\nmade,1\n", "Got one without the column 'clip' instead."),
        ("summary.csv", "", "must be a csv file."),
        ("runs.parquet", "PAR1", "runs.parquet' must be as it was written."),
    ],
)
@pytest.mark.parametrize("extra", [[], ["--with"], ["--run", "x"]])
def test_damaged_files_end_in_a_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, said: str, extra: list[str]
) -> None:
    damaged = shutil.copytree(folder, tmp_path / "damaged")
    (damaged / file).write_text(text)
    (damaged / build.PAGE).unlink(missing_ok=True)
    if extra == ["--run", "x"] and file != "runs.parquet":
        extra, said = ["--run", "none"], "RUN must be the first digits"
    assert show.main([str(damaged), *extra, *([str(folder)] if extra == ["--with"] else [])]) == 1
    assert said in capsys.readouterr().err


def test_a_table_that_is_none_of_runs_shows_no_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(folder / "epochs.parquet", tmp_path / "runs.parquet")
    assert show.main([str(tmp_path), "--run", "x"]) == 1
    assert "must be of runs. Got none with the column 'digest' instead." in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["no-such-study"], [""], ["no-such-study", "--run", "x"]])
def test_a_mistake_ends_in_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert show.main(arguments) == 1
    assert re.match(r"The study must be one of .* Got '.*' instead\.", capsys.readouterr().err)


def test_axe_is_the_vendored_one() -> None:
    file = Path(__file__).parent / "vendor/axe.min.js"
    told = (file.parent / "README.md").read_text()
    assert hashlib.sha256(file.read_bytes()).hexdigest() in told


@pytest.mark.parametrize("folder", STUDIES, ids=lambda path: path.name)
def test_the_published_page_holds_the_published_tables(folder: Path) -> None:
    """After publishing tables by hand: `make explore STUDY=docs/studies/<name>`."""
    found = page.unpacked((folder / "explorer.html").read_text(encoding="utf-8"))["studies"][0]
    for name in ("summary", "comparisons"):
        table = store.read(folder / f"{name}.csv")
        columns = found["tables"][name]["columns"]
        for column in ("mean", "estimate", "low", "high"):
            if column in table:
                np.testing.assert_array_equal(np.array(decoded(columns[column]), float), table[column].to_numpy(float))
        assert decoded(columns["clip"]) == table["clip"].tolist()


@pytest.mark.parametrize(
    ("at_updates", "axis", "told"),
    [
        (["a"], None, {"update"}),
        (["a", "b"], None, {"update"}),
        (["b"], None, {"sample"}),
        ([], "step update", {"sample", "update"}),
        (["both"], "step update", {"sample", "update"}),
    ],
)
def test_a_clip_of_samples_says_what_it_takes_for_one(at_updates: list[str], axis: str | None, told: set[str]) -> None:
    """Regime `a` clips samples, or both points of a sweep of what is clipped do."""
    values = axis.split() if axis else ["", ""]
    clips = ["per_sample(1)"] * 2 if axis else ["per_sample(1)", "value(1)"]
    cells = {"study": "s", "regime": ["a", "b"], "clip": clips, "regularization": "none", "metric": "test_loss"}
    place = {"part_of": "both" if axis else "", "setting": "", "axis": "workload.clip_at" if axis else ""}
    regimes = pd.DataFrame({"study": "s", "regime": ["a", "b"], **place, "value": values, "position": 0})
    tables = {"summary": pd.DataFrame(cells), "regimes": regimes}
    found = study_payload("s", tables, About(at_updates=at_updates))["labels"]["clip"]["per_sample(1)"]["text"]
    assert {noun for noun in ("sample", "update") if noun in found} == told


def test_a_regime_of_another_workload_keeps_nothing_of_the_defaults(tmp_path: Path) -> None:
    """As in a configuration: a workload of another name replaces the defaults', one of the same is laid on it."""
    path = tmp_path / "study.yaml"
    federated = {"workload": {"name": "federated", "clip_at": "update"}}
    regimes = {"clients": {}, "more": {"workload": {"clients": 5}}, "alone": {"workload": "supervised"}}
    path.write_text(yaml.safe_dump({"name": "s", "defaults": federated, "regimes": regimes}))
    found = build.about(path)
    assert set(found.at_updates) == {"clients", "more"}
    assert [found.units[name] for name in regimes] == ["round", "round", "epoch"]
