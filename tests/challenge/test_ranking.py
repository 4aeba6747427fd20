"""The ranking of a method: as a published one was tried, by the suite's own gains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from study.analysis.gains import gains
from study.challenge.command import Rank, command_of
from study.challenge.entry import Entry
from study.challenge.outcome import page_lines, summary_lines, write
from study.challenge.ranking import RANKED_BY, SCORES, Ranking, reproduced
from study.challenge.terms import DRAWN, Benchmark, ChallengeError

pytestmark = pytest.mark.xdist_group("challenge")
MINE, ORIGINAL = ("my_value", "none"), ("value", "none")


def test_a_copy_of_a_published_method_comes_to_its_very_runs(rank: Rank, entry: Entry) -> None:
    """Tried at the same points, the same trial is chosen, and each run has the published scores."""
    keys = ["regime", "seed"]
    own = entry.table[entry.table["regime"] != DRAWN].set_index(keys).sort_index()
    published = rank.benchmark.runs
    original = published[published["clip_method"] == "value"].set_index(keys).sort_index()
    assert len(own) == 12
    pd.testing.assert_frame_equal(own[[*SCORES]], original[[*SCORES]], check_exact=True)
    assert [one["label"].replace("my_", "") for one in entry.chosen.values()] == list(original["clip"].unique())


def test_its_gains_are_those_of_the_report(rank: Rank, entry: Entry) -> None:
    """A copy has the original's gains and verdicts, and is counted once."""
    ranking = Ranking.of(rank.benchmark, rank.workloads, entry.table)
    report = gains(rank.benchmark.runs, rank.benchmark.study, seed=0)
    original = report[(report["clip_method"] == "value") & report["metric"].isin(RANKED_BY)]
    own = ranking.of_method(MINE)
    on_workloads = own[own["regime"] != DRAWN]
    for key in ("regime", "metric", "gain", "mean", "margin", "verdict"):
        assert on_workloads[key].tolist() == original[key].tolist(), key
    assert set(own["copy_of"].str.partition("(")[0]) == {"value"}
    assert ranking.place(MINE)["mean_rank"] == ranking.place(ORIGINAL)["mean_rank"]


def test_on_drawn_seeds_the_baseline_and_the_published_choices_stand_beside_it(rank: Rank, entry: Entry) -> None:
    drawn = entry.table[entry.table["regime"] == DRAWN]
    assert set(drawn["clip_method"]) == {"none", "value", "my_value"}
    assert (drawn.groupby("clip_method")["seed"].apply(sorted).map(tuple) == tuple(entry.seeds["drawn"])).all()
    chosen = rank.benchmark.trials.query("regime == 'wrong' and clip_method == 'value' and chosen")
    assert set(drawn.loc[drawn["clip_method"] == "value", "clip"]) == set(chosen["clip"])
    assert not set(entry.seeds["drawn"]) & {*rank.benchmark.study.seeds, 60}


def test_the_published_baseline_is_reproduced_or_the_difference_is_told(rank: Rank, entry: Entry) -> None:
    assert reproduced(rank.benchmark, rank.plan) == []
    assert entry.baseline == {"runs": 2, "different": []}
    runs = rank.benchmark.runs.copy()
    runs.loc[(runs["regime"] == "plain") & (runs["clip"] == "none"), "best_test_accuracy"] += 0.01
    told = reproduced(replace(rank.benchmark, runs=runs), rank.plan)
    assert len(told) == 1
    assert told[0].startswith("'plain', seed 50: best_test_accuracy ")


def test_what_is_left_to_train_is_said_first(rank: Rank, folder: Path) -> None:
    assert rank.opening(2).endswith("Everything is trained already.")
    (folder / "other.py").write_text((folder / "mine.py").read_text().replace("my_value", "other"))
    other = command_of({"method": "other.py", "terms": "terms.yaml", "workloads": "wrong"})
    # 3 trials and 6 runs of it, 1 of the baseline, and 3 methods on 3 drawn seeds
    assert "19 runs to train, about " in other.opening(2)


def test_outcome_is_told_in_a_terminal_and_on_a_page(rank: Rank, entry: Entry, folder: Path) -> None:
    ranking = Ranking.of(rank.benchmark, rank.workloads, entry.table)
    lines = list(summary_lines(entry, ranking, MINE))
    assert any(line.startswith("→") and "my value" in line for line in lines)
    assert sum(line.startswith("drawn seeds") for line in lines) == 1
    assert "reproduces the published baseline: yes, 2 of 2 runs" in lines[-1]
    page = "\n".join(page_lines(entry, ranking, MINE))
    assert f"`{entry.protocol['digest']}`" in page
    write(rank)
    made = {path.name for path in rank.plan.folder.iterdir() if path.is_file()}
    assert made == {"entry.json", "gains.csv", "leaderboard.csv", "ranking.md", "ranking.png", "ranking.svg",
                    "summary.txt"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"workloads": "plain,wrnog"},
            r"among 'plain', 'wrong'.* Got 'wrnog' instead. Did you mean 'wrong'",
        ),
        ({"workloads": "plain,plain"}, r"Got 'plain' twice instead"),
        ({"colour": "red"}, r"The challenge has the keys .* Got 'colour' instead"),
        ({"method": None}, r"'METHOD' parameter of rank must name a Python file. Got nothing instead"),
        ({"published": "nowhere"}, r"must hold the published runs, as `make publish` writes them. Got No such file"),
        ({"terms": "nowhere.yaml"}, r"'nowhere.yaml' must be YAML that can be read. Got No such file"),
    ],
)
def test_what_cannot_be_ranked_is_refused(folder: Path, change: dict[str, str], message: str) -> None:
    with pytest.raises(ChallengeError, match=message):
        command_of({"method": "mine.py", "terms": "terms.yaml", **change})


def test_terms_must_fit_the_study(folder: Path, terms: dict[str, dict[str, object]]) -> None:
    wrong = {**terms, "drawn": {**terms["drawn"], "against": [{"clip": "sign"}]}}
    (folder / "wrong.yaml").write_text(yaml.safe_dump(wrong))
    with pytest.raises(ChallengeError, match=r"must have one chosen trial of each method. Got 0 of 'sign \+ none' in"):
        Benchmark.open(Path("wrong.yaml"))
    (folder / "wrong.yaml").write_text(yaml.safe_dump({**terms, "drawn": {"workload": "plain", "seeds": 21}}))
    with pytest.raises(ChallengeError, match=r"'seeds' parameter of drawn must be a whole number from 2 to 20. Got 21"):
        Benchmark.open(Path("wrong.yaml"))
