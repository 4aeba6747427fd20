"""What is published of a study: all that a colleague needs, and a reference that pandoc can read."""

import json
from pathlib import Path

import pandas as pd
import pypandoc
import pytest
import yaml

from study.report import numbers
from study.report.publish import PUBLISHED, RUNS, bibliography, figures_shown, main, publish
from study.results import store
from tests.published_tables import ROOT, STUDIES

CITATION = ROOT / "CITATION.cff"


def finished(folder: Path, paper: Path) -> Path:
    """A study's results with its paper, plugin and configuration."""
    plugin = folder.parents[1] / "my_clip.py"
    plugin.write_text("# a clip\n")
    for name in ("report.md", "report.html", "report.pdf", "tables/variants.tex", "figures/heatmap.png"):
        (paper / name).parent.mkdir(parents=True, exist_ok=True)
        (paper / name).write_text(name)
    (paper / "report.md").write_text("![Figure 1.](figures/heatmap.png)\n")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comparisons.csv").write_text("a\n1\n")
    (folder / "explorer.html").write_text("the page")
    (folder / "configuration.yaml").write_text(yaml.safe_dump({"name": folder.name, "plugins": [str(plugin)]}))
    runs = pd.DataFrame(
        {"study": ["mine"], "regime": ["a"], "seed": [0], "test_accuracy": [0.123456789], "content_runs": ["digest"]}
    )
    store.write(runs, folder / "runs.parquet")
    return folder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return finished(tmp_path / "results" / "mine", tmp_path / "results" / "mine" / "paper")


def test_a_colleague_gets_report_tables_configuration_plugins_and_runs(results: Path, tmp_path: Path) -> None:
    to = tmp_path / "docs"
    found = {str(path.relative_to(to)) for path in publish(results, CITATION, to)}
    assert found == {
        *("report.md", "report.html", "report.pdf", "tables/variants.tex", "figures/heatmap.png", "comparisons.csv"),
        *("configuration.yaml", "plugins/my_clip.py", "runs.csv", "suite.bib", "explorer.html"),
    }
    assert all((to / name).is_file() for name in found)
    runs = pd.read_csv(to / "runs.csv")
    assert set(runs.columns) <= set(RUNS)
    assert runs["test_accuracy"].tolist() == [0.12346]


def test_what_a_workload_has_of_its_own_is_published_beside_its_runs(results: Path, tmp_path: Path) -> None:
    cells = {"regime": ["a", "b"], "clip": "none", "regularization": "none", "seed": 0}
    store.write(
        pd.DataFrame({"study": "mine", **cells, "epsilon": [2.34567891, None], "collapsed": None}),
        results / "runs.parquet",
    )
    assert tmp_path / "docs/outcomes.csv" in publish(results, CITATION, tmp_path / "docs")
    found = pd.read_csv(tmp_path / "docs/outcomes.csv")
    assert found.to_dict("records") == [
        {"regime": "a", "clip": "none", "regularization": "none", "seed": 0, "epsilon": 2.3457}
    ]


def test_a_figure_that_the_report_does_not_show_stays_at_home_and_one_that_it_shows_must_be_there(
    results: Path, tmp_path: Path
) -> None:
    (results / "paper/figures/divergence.png").write_text("drawn, but nothing diverged")
    publish(results, CITATION, tmp_path / "docs")
    assert [path.name for path in (tmp_path / "docs/figures").iterdir()] == ["heatmap.png"]
    (results / "paper/figures/heatmap.png").unlink()
    with pytest.raises(ValueError, match=r"Got no file '.*heatmap\.png' instead"):
        publish(results, CITATION, tmp_path / "none")


def test_what_a_study_no_longer_makes_is_removed_and_files_of_others_stay(results: Path, tmp_path: Path) -> None:
    to = tmp_path / "docs"
    publish(results, CITATION, to)
    for name in ("figures/photo.png", "notes.md", "tables/mine.tex"):
        (to / name).write_text("a user's own")
    before = {str(path.relative_to(to)) for path in to.rglob("*") if path.is_file()}
    (results / "paper/report.md").write_text("No figures any more.")
    (results / "comparisons.csv").unlink()
    (results / "configuration.yaml").write_text("name: mine\n")
    published = publish(results, CITATION, to)
    after = {str(path.relative_to(to)) for path in to.rglob("*") if path.is_file()}
    assert before - after == {"figures/heatmap.png", "comparisons.csv", "plugins/my_clip.py"}
    assert after - before == set()
    assert (to / PUBLISHED).read_text().splitlines() == sorted(str(path.relative_to(to)) for path in published)


def test_a_list_that_names_files_outside_the_folder_removes_none(results: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "docs" / PUBLISHED).write_text(f"../precious\n{tmp_path / 'precious'}\n\n")
    publish(results, CITATION, tmp_path / "docs")
    assert (tmp_path / "precious").is_file()


@pytest.mark.parametrize("folder", STUDIES, ids=lambda path: path.name)
def test_every_published_figure_is_shown_and_every_published_file_is_listed(folder: Path) -> None:
    pictures = {path.name for path in (folder / "figures").iterdir()}
    assert pictures == set(figures_shown(folder / "report.md"))
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files - {PUBLISHED} == set((folder / PUBLISHED).read_text().splitlines())


def test_the_bibtex_of_the_suite_can_be_cited() -> None:
    text = bibliography(yaml.safe_load(CITATION.read_text()))
    read = json.loads(pypandoc.convert_text(text, "csljson", format="bibtex"))
    suite, mnist = read
    assert suite["author"] == [{"literal": "The maintainers of the suite"}]
    assert suite["title"].startswith("A reproducible benchmark")
    assert [one["family"] for one in mnist["author"]] == ["LeCun", "Bottou", "Bengio", "Haffner"]
    assert (mnist["id"], mnist["page"]) == ("lecun1998", "2278-2324")


def test_an_unfinished_study_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must have its report in '.*none'\. Got no file '.*report\.pdf' instead"):
        publish(tmp_path / "none", CITATION, tmp_path / "docs")


def test_plugins_of_one_name_are_both_kept_and_one_that_is_gone_stops_it(results: Path, tmp_path: Path) -> None:
    paths = [tmp_path / folder / "m.py" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(str(path))
    given = {"name": "mine", "plugins": [str(path) for path in paths]}
    (results / "configuration.yaml").write_text(yaml.safe_dump(given))
    to = tmp_path / "docs"
    publish(results, CITATION, to)
    assert {path.read_text() for path in (to / "plugins").iterdir()} == {str(path) for path in paths}
    paths[0].unlink()
    with pytest.raises(ValueError, match=r"Got no file '.*m\.py' instead"):
        publish(results, CITATION, tmp_path / "none")
    assert not (tmp_path / "none").exists(), "nothing is half published"


def test_the_default_study_is_published_from_the_paper_of_the_repository(tmp_path: Path) -> None:
    default = finished(tmp_path / "results" / "default", tmp_path / "paper")
    for source in ("report.md.j2", "report.css", "report.typ"):
        (tmp_path / "paper" / source).write_text("what the report is made of")
    to = tmp_path / "docs"
    found = {str(path.relative_to(to)) for path in publish(default, CITATION, to)}
    assert {"report.html", "tables/variants.tex", "figures/heatmap.png", "runs.csv", "configuration.yaml"} <= found
    assert not found & {"report.md.j2", "report.css", "report.typ"}


def test_a_paper_of_other_runs_is_not_published(results: Path, tmp_path: Path) -> None:
    """The paper of the default study lies in the repository before the study is run here."""
    runs = pd.DataFrame({"study": "mine", "regime": "a", "seed": [0, 1], "status": "ok"})
    summary = {"study": "mine", "regime": "a", "clip": "none", "regularization": "none", "metric": "test_loss"}
    comparisons = pd.DataFrame({"study": ["mine"], "family": "clip", "estimate": [None]})
    tables = {"runs": runs, "summary": pd.DataFrame([{**summary, "n": 0}]), "comparisons": comparisons}
    for name, table in tables.items():
        store.write(table, results / f"{name}.{'parquet' if name == 'runs' else 'csv'}")
    numbers.save(numbers.numbers(tables), results / "paper" / "numbers.tex")
    assert tmp_path / "docs/numbers.tex" in publish(results, CITATION, tmp_path / "docs")
    store.write(runs.head(1), results / "runs.parquet")
    with pytest.raises(ValueError, match=r"must be of the runs in '.*mine'\. Got other numbers"):
        publish(results, CITATION, tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("damaged", "text", "said"),
    [
        ("configuration.yaml", "a: [", "line 1: The file must be YAML."),
        ("configuration.yaml", "", "must be a mapping from keys to values. Got an empty file"),
        ("runs.parquet", "PAR1", "runs.parquet' must be as it was written."),
        ("paper/report.html", None, "report.html' instead."),
    ],
)
def test_damaged_results_are_said_and_nothing_is_written(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damaged: str, text: str | None, said: str
) -> None:
    path = results / damaged
    path.unlink() if text is None else path.write_text(text)
    assert main([str(results), str(tmp_path / "docs")]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()


def test_a_file_where_the_paper_goes_is_said(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").touch()
    assert main([str(results), str(tmp_path / "docs")]) == 1
    assert capsys.readouterr().err.startswith(f"The path '{tmp_path / 'docs'}")


def test_a_citation_without_a_year_is_said(results: Path, tmp_path: Path) -> None:
    (tmp_path / "CITATION.cff").write_text("title: mine\n")
    with pytest.raises(ValueError, match="must name title, version, date-released and authors"):
        publish(results, tmp_path / "CITATION.cff", tmp_path / "docs")
