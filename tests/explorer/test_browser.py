"""The explorer in a real browser: its numbers, keys, links, downloads, and what it asks of network and eyes."""

import io
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from selenium.webdriver.common.keys import Keys

from study.explorer import build, page
from study.explorer.payload import DIGEST, About, payload, study_payload
from study.methods.phrases import cell_phrase
from study.results import store
from study.results.columns import PROVENANCE, RUNS
from tests.explorer.browser import CHROMIUM, DRIVER, Explorer, started
from tests.explorer.studies import searched, tables

pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Debian's packages chromium and chromium-driver"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.slow,
]
VIEWS = ("leaderboard", "heatmap", "differences", "learning", "norms", "tuning", "runs", "run")


@pytest.fixture(scope="module")
def made() -> Mapping[str, pd.DataFrame]:
    return tables()


@pytest.fixture(scope="module")
def explorer(made: Mapping[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    folder = tmp_path_factory.mktemp("explorer")
    origins = made["runs"].assign(**dict.fromkeys(PROVENANCE.names[2:], "engine 1; part 2"))
    page.write(payload([study_payload("made", made, None, origins)]), folder / "explorer.html")
    (folder / "downloads").mkdir()
    driver = started(folder / "downloads")
    yield Explorer(driver, folder / "explorer.html", folder / "downloads")
    driver.quit()


def number(value: float, factor: float, digits: int, signed: bool = False) -> str:
    """A number as it is printed: rounded once, in the unit's decimals, with a minus sign."""
    if value != value:
        return "–"
    exact = Decimal(value * factor).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    sign = "" if exact == 0 else "−" if exact < 0 else "+" if signed else ""
    return f"{sign}{abs(exact)}"


def state_of(view: str, made: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    digest = str(made["runs"]["digest"].iloc[4])[:DIGEST]
    return {"view": view} | ({"run": digest} if view == "run" else {})


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_asks_for_nothing_says_nothing_and_can_be_read_by_all(
    explorer: Explorer, made: Mapping[str, pd.DataFrame], view: str
) -> None:
    for wide, dark in ((1600, False), (380, True), (380, False), (1600, True)):
        explorer.requests()
        explorer.open(wide, dark, **state_of(view, made))
        assert {url.partition(":")[0] for url in explorer.requests()} <= {"file", "data", "about", "blob"}
        assert explorer.complaints() == []
        assert explorer.script("return document.documentElement.scrollWidth <= innerWidth"), f"wider than {wide}"
        assert explorer.script("return document.querySelectorAll('svg.drawing, table').length") > 0
        nameless = "return document.querySelectorAll('[role=slider]:not([aria-label])').length"  # axe asks no SVG
        assert explorer.script(nameless) == 0
    assert explorer.violations() == []
    explorer.open(380, False, **state_of(view, made))
    assert explorer.violations() == []


@pytest.mark.parametrize(("metric", "at"), [("test_accuracy", "last"), ("test_loss", "best"), ("diverged", "last")])
def test_the_leaderboard_has_the_numbers_of_the_table(
    explorer: Explorer, made: Mapping[str, pd.DataFrame], metric: str, at: str
) -> None:
    explorer.open(view="leaderboard", regime="wild", metric=metric, at=at)
    name = f"best_{metric}" if at == "best" else metric
    factor, digits = (1, 4) if "loss" in metric else (100, 2)
    summary = made["summary"]
    rows = summary[(summary["regime"] == "wild") & (summary["metric"] == name)]
    wanted = [
        [
            cell_phrase(row.clip, row.regularization),
            number(row.mean, factor, digits),
            "" if row.low != row.low else f"[{number(row.low, factor, digits)}, {number(row.high, factor, digits)}]",
        ]
        for row in rows.itertuples()
    ]
    found = [line[:3] for line in explorer.cells("leaders")]
    assert sorted(found) == sorted(wanted)
    shown = [float(line[1].replace("−", "-")) for line in found if line[1] != "–"]
    assert shown == sorted(shown, reverse="accuracy" in metric)


def test_differences_are_those_of_the_table_and_are_saved_whole(
    explorer: Explorer, made: Mapping[str, pd.DataFrame]
) -> None:
    explorer.open(view="differences", regime="calm", family="combination", metric="gap_accuracy")
    rows = made["comparisons"].query("regime == 'calm' and family == 'combination' and metric == 'gap_accuracy'")
    told = {line[0]: line[1] for line in explorer.cells("differences")}
    for row in rows.itertuples():
        assert told[cell_phrase(row.clip, row.regularization)] == number(row.estimate, 100, 2, signed=True)
    saved = pd.read_csv(io.StringIO(explorer.downloaded("#save-csv")), keep_default_na=False, na_values=[""])
    expected = rows.sort_values("estimate", ascending=False, ignore_index=True)
    pd.testing.assert_frame_equal(saved, expected[saved.columns], check_dtype=False, check_exact=True)


def test_filtered_runs_are_saved_with_every_column(explorer: Explorer, made: Mapping[str, pd.DataFrame]) -> None:
    explorer.open(view="runs", regime="calm", q="l2 norm", seed=["0", "2"])
    saved = pd.read_csv(io.StringIO(explorer.downloaded("#save-csv")), dtype={"digest": str})
    runs = made["runs"].query("regime == 'calm' and clip == 'global_norm(0.1)' and regularization == 'l2(0.001)'")
    assert saved["seed"].tolist() == [0, 2]
    assert saved.columns.tolist() == [name for name in RUNS.names if name != "study"]
    for column in ("test_loss", "norm_max", "clip_strength"):
        assert saved[column].tolist() == runs.query("seed != 1")[column].tolist()


def test_means_of_chosen_seeds_have_no_interval(explorer: Explorer, made: Mapping[str, pd.DataFrame]) -> None:
    explorer.open(view="leaderboard", regime="calm", seed=["1"], clip="none", reg="none")
    (line,) = explorer.cells("leaders")
    run = made["runs"].query("regime == 'calm' and clip == 'none' and regularization == 'none' and seed == 1").iloc[0]
    assert line[:3] == ["baseline", number(run["test_accuracy"], 100, 2), ""]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_the_same_after_a_reload(explorer: Explorer, made: Mapping[str, pd.DataFrame], view: str) -> None:
    explorer.open(**state_of(view, made), regime="wild", metric="gap_accuracy", at="best", clip="none")
    before = explorer.script("return [location.hash, document.getElementById('main').innerText]")
    explorer.driver.refresh()
    explorer.ready()
    assert explorer.script("return [location.hash, document.getElementById('main').innerText]") == before


def test_everything_is_reached_and_moved_by_keys(explorer: Explorer) -> None:
    explorer.open(view="leaderboard")
    explorer.press(Keys.TAB)
    assert explorer.focused == "skip"
    explorer.press(Keys.TAB, Keys.ARROW_RIGHT)
    assert explorer.focused == "view-heatmap"
    explorer.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert explorer.focused == "view-runs"
    explorer.press(Keys.ENTER)
    explorer.until(lambda: "view=runs" in explorer.fragment)
    assert explorer.focused == "view-runs"
    reached = set()
    for _ in range(30):
        explorer.press(Keys.TAB)
        reached.add(explorer.focused)
    assert {"regime", "metric", "at", "clips", "regularizers", "seeds", "filter", "runs-scroll"} <= reached


def test_a_table_is_walked_and_sorted_by_keys(explorer: Explorer) -> None:
    explorer.open(view="runs", regime="calm")
    explorer.script("document.querySelector('#runs tbody a').focus()")
    explorer.press(Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    assert explorer.script("return document.activeElement.closest('tr').rowIndex") == 2
    assert explorer.script("return document.activeElement.closest('td').cellIndex") == 1
    explorer.press(Keys.ENTER)
    explorer.until(lambda: "view=run&" in explorer.fragment)
    explorer.press(Keys.ESCAPE)
    explorer.until(lambda: "view=runs" in explorer.fragment)
    explorer.script("document.getElementById('runs-test_accuracy').focus()")
    explorer.press(Keys.ENTER)
    shown = [float(line[3]) for line in explorer.cells("runs")]
    assert shown == sorted(shown, reverse=True)
    assert explorer.focused == "runs-test_accuracy"


def test_a_menu_opens_chooses_and_closes_by_keys(explorer: Explorer) -> None:
    explorer.open(view="leaderboard", regime="calm")
    explorer.script("document.getElementById('clips').focus()")
    explorer.press(Keys.ENTER, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.SPACE)
    explorer.until(lambda: "clip=global_norm" in explorer.fragment)
    assert explorer.focused == "clips-1"
    assert explorer.find("#clips-menu").get_attribute("open")
    explorer.press(Keys.ESCAPE)
    assert explorer.focused == "clips"
    assert not explorer.find("#clips-menu").get_attribute("open")
    assert {line[0].split(" with ")[0] for line in explorer.cells("leaders")} == {"clip to norm 0.1"}


def test_a_curve_is_read_point_by_point(explorer: Explorer, made: Mapping[str, pd.DataFrame]) -> None:
    explorer.open(view="learning", regime="calm", clip="none", reg="none", curve="train_loss")
    explorer.script("document.getElementById('curve').focus()")
    explorer.press(Keys.HOME, Keys.ARROW_RIGHT)
    rows = made["epochs"].query("regime == 'calm' and clip == 'none' and regularization == 'none' and epoch == 1")
    told = f"epoch 1: baseline {rows['train_loss'].median():.4g}"
    assert explorer.find("#curve").get_attribute("aria-valuetext") == told
    assert explorer.find("#curve-read").text == told
    explorer.press(Keys.ESCAPE)
    assert explorer.find("#curve-read").text == ""


@pytest.mark.parametrize("view", ["leaderboard", "heatmap", "differences", "learning", "norms", "tuning", "run"])
def test_a_drawing_is_saved_with_its_words_and_plain_colours(
    explorer: Explorer, made: Mapping[str, pd.DataFrame], view: str
) -> None:
    explorer.open(dark=True, **state_of(view, made))
    text = explorer.downloaded("#save-svg")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "color-mix" not in text
    assert "var(--" not in text
    assert len(root.findall(".//{*}text")) > 5


def test_a_run_says_where_it_comes_from_and_leads_to_the_next(
    explorer: Explorer, made: Mapping[str, pd.DataFrame]
) -> None:
    run = made["runs"].iloc[4]
    explorer.open(**state_of("run", made))
    text = explorer.find("#main").text
    assert f"{cell_phrase(run['clip'], run['regularization'])}, seed {run['seed']}" in text
    assert "engine 1" in text
    scores = {line[0]: line[1:] for line in explorer.cells("scores")}
    assert scores["test accuracy"] == [f"{number(run[k], 100, 2)} %" for k in ("test_accuracy", "best_test_accuracy")]
    explorer.script(
        "[...document.querySelectorAll('#main a')].find((one) => one.textContent.startsWith('Next')).click()"
    )
    explorer.until(lambda: f"seed {run['seed'] + 1}" in explorer.find("h2").text)
    explorer.driver.back()
    explorer.until(lambda: f"seed {run['seed']}" in explorer.find("h2").text)


def test_two_studies_in_one_page(explorer: Explorer, made: Mapping[str, pd.DataFrame], tmp_path: Path) -> None:
    for name, luck in (("made", 0), ("other", 1)):
        for table, rows in tables(name=name, luck=luck).items():
            store.write(rows, tmp_path / name / f"{table}.{'parquet' if table in store.TABLES else 'csv'}")
    page.write(found := build.two(tmp_path / "made", tmp_path / "other"), tmp_path / "two.html")
    both = Explorer(explorer.driver, tmp_path / "two.html", explorer.downloads)
    both.open(380, view="studies", metric="test_accuracy")
    assert len(both.cells("differences")) == found["differences"]["rows"] / 5
    assert both.violations() == []
    both.open(view="leaderboard", study="other")
    assert both.find("#study").get_attribute("value") == "other"
    assert both.complaints() == []


def test_a_benchmark_opens_with_its_order_over_all_workloads_and_shows_its_trials(
    explorer: Explorer, made: Mapping[str, pd.DataFrame], tmp_path: Path
) -> None:
    found = {**{key: table for key, table in made.items() if key != "tuning"}, **searched()}
    study = study_payload("made", found, About(primary="best_test_accuracy"))
    page.write(payload([study]), tmp_path / "benchmark.html")
    shown = Explorer(explorer.driver, tmp_path / "benchmark.html", explorer.downloads)
    shown.open(380)
    lines = shown.cells("leaders")
    assert [line[:3] for line in lines] == [
        ["baseline", "1.25", "[1.00, 1.50]"],
        ["global norm", "2.00", "[1.50, 2.50]"],
        ["L2", "2.75", "[2.50, 3.00]"],
    ]
    assert [line[4] for line in lines] == ["0.00", "+1.00", "−2.00"]
    assert shown.violations() == []
    shown.open(view="leaderboard", regime="calm")
    assert shown.find("#at").get_attribute("value") == "best"
    for over in ("strength", "lr"):
        shown.open(view="tuning", setting="calm", kind="clip", over=over)
        assert len(shown.cells("candidates")) == 10
        points = shown.script("return document.querySelectorAll('#tuning-0 circle.fill').length")
        assert points == (5 if over == "strength" else 10)
        assert shown.violations() == []
    saved = pd.read_csv(io.StringIO(shown.downloaded("#save-csv")), keep_default_na=False)
    assert len(saved) == 10
    assert shown.complaints() == []
