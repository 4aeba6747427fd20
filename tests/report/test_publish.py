"""What is published of a study: all that a colleague needs, and a reference that pandoc can read."""

import json
from pathlib import Path

import pandas as pd
import pypandoc
import pytest
import yaml

from study.report.publish import RUNS, bibliography, publish
from study.results import store

CITATION = Path(__file__).parents[2] / "CITATION.cff"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "mine"
    plugin = tmp_path / "my_clip.py"
    plugin.write_text("# a clip\n")
    for name in ("report.md", "report.html", "report.pdf", "tables/variants.tex", "figures/heatmap.png"):
        (folder / "paper" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "paper" / name).write_text(name)
    (folder / "comparisons.csv").write_text("a\n1\n")
    (folder / "explorer.html").write_text("the page")
    (folder / "configuration.yaml").write_text(yaml.safe_dump({"name": "mine", "plugins": [str(plugin)]}))
    runs = pd.DataFrame(
        {"study": ["mine"], "regime": ["a"], "seed": [0], "test_accuracy": [0.123456789], "content_runs": ["digest"]}
    )
    store.write(runs, folder / "runs.parquet")
    return folder


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
