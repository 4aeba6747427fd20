"""An entry: read as written, refused when any of it was changed, and trained again to the same runs."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from study.challenge import verify
from study.challenge.checks import faults
from study.challenge.command import Rank, command_of
from study.challenge.entry import Entry, gains_facts, place_facts, read_entry, run_lines
from study.challenge.ranking import Ranking
from study.challenge.rerun import DIFFERS, IDENTICAL, Sample, again, told, verdicts
from study.challenge.submission import Submission
from study.challenge.terms import ChallengeError
from tests.challenge.conftest import train
from tests.challenge.published import apart

Raw = dict[str, Any]


pytestmark = [pytest.mark.xdist_group("challenge"), pytest.mark.slow]


def written(entry: Entry, folder: Path, change: Callable[[Raw], None], sealed: bool = True) -> tuple[Entry, str]:
    """The entry as read from a file in which something was changed, with a seal that fits if asked."""
    raw = copy.deepcopy(entry.content)
    change(raw)
    changed = Entry(**{key: value for key, value in raw.items() if key != "format"})
    path = folder / "entry.json"
    path.write_text(changed.text if sealed else json.dumps({**raw, "seal": entry.seal}))
    return read_entry(path)


def found(entry: Entry, folder: Path, rank: Rank, change: Callable[[Raw], None], sealed: bool = True) -> list[str]:
    """The faults of a changed entry, whose code is unpacked and loaded as another person's would be."""
    changed, seal = written(entry, folder, change, sealed)
    with apart():
        submission = Submission.read(changed.unpack(folder / "code"), changed.name, changed.method["params"])
        return list(faults(changed, seal, submission, rank.benchmark))


def test_an_entry_is_read_as_it_was_written_and_has_no_faults(entry: Entry, rank: Rank, tmp_path: Path) -> None:
    entry.write(tmp_path / "written.json")
    assert read_entry(tmp_path / "written.json") == (entry, entry.seal)
    assert found(entry, tmp_path, rank, lambda raw: None) == []
    assert "/" not in "".join(entry.code), "no folder of the machine"


def score(raw: Raw) -> None:
    """A better accuracy of the method's first run."""
    lines = [line.split(",") for line in raw["runs"]]
    at, column = next(i for i, one in enumerate(lines) if "my_value" in one), lines[0].index("best_test_accuracy")
    lines[at][column] = "0.99"
    raw["runs"] = [",".join(one) for one in lines]


def seed_of_a_run(raw: Raw) -> None:
    raw["runs"] = [line.replace(",50,", ",57,") for line in raw["runs"]]


def code(raw: Raw) -> None:
    raw["code"]["mine.py"].append("# a remark")


def choice(raw: Raw) -> None:
    raw["chosen"]["plain"]["lr"] *= 2


def another_choice(raw: Raw) -> None:
    other = (raw["chosen"]["plain"]["trial"] + 1) % 3
    raw["chosen"]["plain"]["trial"] = other


TAMPERED: dict[str, tuple[Callable[[Raw], Any], str]] = {
    "score": (score, "The gain in best_test_accuracy on .* must follow from the entry's runs"),
    "gain": (lambda raw: raw["gains"][0].update(gain=0.5), "The gain in best_test_accuracy on 'plain' must follow"),
    "verdict": (
        lambda raw: raw["gains"][1].update(verdict="harm"),
        "The gain in best_test_loss on .* must follow",
    ),
    "place": (lambda raw: raw["place"].update(place=0), "The place must follow from the entry's runs"),
    "drawn seed": (lambda raw: raw["seeds"]["drawn"].reverse(), "The drawn seeds must follow from the digest"),
    "evaluation seed": (
        lambda raw: raw["seeds"]["evaluation"].append(7),
        "The evaluation seeds must be the",
    ),
    "tuning seed": (lambda raw: raw["seeds"]["tuning"].append(7), "The tuning seeds must be the protocol's"),
    "seed of a run": (
        seed_of_a_run,
        "The runs must be the 21 of the method's workloads and the drawn",
    ),
    "lost run": (lambda raw: raw["runs"].pop(), "The runs must be the 21 .* Got 20, 20 of which are such"),
    "code": (code, "The digest must be that of the method's code and parameters"),
    "digest": (lambda raw: raw.update(digest="0" * 64), "The digest must be that of the method's code and parameters"),
    "protocol": (lambda raw: raw["protocol"].update(digest="0" * 16), "The protocol must be the one that is frozen"),
    "published": (lambda raw: raw["published"].update({"runs.csv": "0"}), "The published runs must be those of"),
    "learning rate": (choice, "The choice of 'plain' must be trial . of the protocol's design"),
    "trial": (another_choice, "The choice of 'plain' must be trial . of the protocol's design"),
    "no trial": (
        lambda raw: raw["chosen"]["wrong"].update(trial=3),
        "The chosen trial of 'wrong' must be one of 0 to",
    ),
    "truth for a trial": (
        lambda raw: raw["chosen"]["plain"].update(trial=True),
        "The chosen trial of 'plain' must be one of 0 to 2. Got True",
    ),
    "workload": (lambda raw: raw["workloads"].append("deep"), "must be among 'plain', 'wrong'.* Got 'deep' instead"),
    "terms": (lambda raw: raw["drawn"].update(seeds=4), "The workload of the drawn seeds must be that of the terms"),
}


@pytest.mark.parametrize(("change", "message"), TAMPERED.values(), ids=TAMPERED)
def test_a_change_is_told_even_where_the_seal_was_made_to_fit(
    entry: Entry, rank: Rank, tmp_path: Path, change: Callable[[Raw], None], message: str
) -> None:
    sentences = found(entry, tmp_path, rank, change)
    assert any(re.search(message, one) for one in sentences), sentences
    assert all(one.endswith(" instead.") or "instead. Did you mean" in one for one in sentences)


def test_any_edit_breaks_the_seal(entry: Entry, rank: Rank, tmp_path: Path) -> None:
    edited = found(entry, tmp_path, rank, lambda raw: raw["made"].update(commit="another"), sealed=False)
    assert edited == ["The entry must be as `make rank` wrote it. Got another checksum instead."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"must be as `make rank` wrote it. Got Expecting"),
        ("[]", r"must be as `make rank` wrote it"),
        ('{"format": 7}', r"must be of format 1. Got 7 instead"),
        ('{"format": 1}', r"Got nothing under 'method' instead"),
    ],
)
def test_a_file_that_is_no_entry_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "entry.json").write_text(text)
    with pytest.raises(ChallengeError, match=message):
        read_entry(tmp_path / "entry.json")


MALFORMED: dict[str, tuple[Callable[[Raw], Any], str]] = {
    "line of code": (lambda raw: raw["code"].update({"mine.py": [1]}), "Got 1 under 'code.mine.py.0'"),
    "workloads": (lambda raw: raw.update(workloads={"plain": 1}), "Got .* under 'workloads'"),
    "seed": (lambda raw: raw["seeds"].update(drawn=["a"]), "Got 'a' under 'seeds.drawn.0'"),
    "name": (lambda raw: raw["method"].update(name=3), "Got no word under 'method.name'"),
    "parameters": (lambda raw: raw["method"].update(params=[]), "Got no mapping under 'method.params'"),
    "score": (
        lambda raw: raw.update(runs=[raw["runs"][0], raw["runs"][1].replace(",ok,0.", ",ok,a")]),
        "Got runs with words under 'best_test_accuracy'",
    ),
    "label": (lambda raw: raw.update(runs=[raw["runs"][0], raw["runs"][1].replace("none", "")]), "without a seed or a"),
}


@pytest.mark.parametrize(("change", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_value_of_another_kind_is_named(
    entry: Entry, tmp_path: Path, change: Callable[[Raw], None], message: str
) -> None:
    raw = copy.deepcopy(entry.content)
    change(raw)
    (tmp_path / "entry.json").write_text(json.dumps(raw))
    with pytest.raises(ChallengeError, match=message):
        read_entry(tmp_path / "entry.json")


def test_code_that_no_folder_can_hold_is_said(entry: Entry, tmp_path: Path) -> None:
    for code in ({"a": [""], "a/b.py": [""]}, {"a\0.py": [""]}, {"c.py": ["\ud800"]}):
        with pytest.raises(ChallengeError, match=r"The code must be put into '.*'. Got '.*' instead"):
            replace(entry, code=code).unpack(tmp_path / "code")


def test_verdicts_are_read_of_their_table_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "summary.csv").write_text("study,metric\na,b\n")
    assert verify.main(["verdict", str(tmp_path / "summary.csv")]) == 1
    assert "must be of verdicts. Got none with 'verdict' instead." in capsys.readouterr().err


def test_code_stays_in_its_folder(entry: Entry, tmp_path: Path) -> None:
    for name in ("../out.py", "/out.py", "a/../../out.py"):
        with pytest.raises(ChallengeError, match="must lie in one folder"):
            replace(entry, code={name: ["x = 1"]}).unpack(tmp_path / "code")


def rerun(entry: Entry, rank: Rank, runs: str) -> Any:
    sample = Sample.of(entry, runs, seed=1)
    submission = Submission.read(Path("mine.py"))
    plan = again(rank.benchmark, submission, sample)
    train(plan)
    return verdicts(rank.benchmark, sample, plan)


def test_all_runs_and_choices_are_the_same_again_and_a_forged_run_is_told_by_name(entry: Entry, rank: Rank) -> None:
    table = rerun(entry, rank, "all")
    assert set(table["verdict"]) == {IDENTICAL}
    assert len(table) == 12 + 9 + 2, "runs on workloads and on drawn seeds, and choices"
    forged = forge(entry, rank)
    table = rerun(forged, rank, "all")
    name = f"drawn: {entry.chosen['wrong']['label']}, seed {entry.seeds['drawn'][0]}"
    assert table.loc[table["verdict"] == DIFFERS, "what"].tolist() == [name]
    assert f"{name}: different; best_test_accuracy 0.99 in the entry" in told(table)


def test_a_few_runs_are_trained_without_trials(entry: Entry, rank: Rank, tmp_path: Path) -> None:
    table = rerun(entry, rank, "3")
    assert len(table) == 3
    assert set(table["verdict"]) == {IDENTICAL}
    with pytest.raises(ChallengeError, match=r"must be 'all' or a whole number of at least 1. Got 'some' instead"):
        Sample.of(entry, "some", 0)
    entry.write(tmp_path / "entry.json")
    with pytest.raises(ChallengeError, match=r"'SEED' parameter .* whole number of at least 0. Got 'x' instead"):
        command_of({"entry": str(tmp_path / "entry.json"), "terms": "terms.yaml", "seed": "x"})


def test_runs_that_are_none_of_the_benchmark_are_not_planned(entry: Entry, rank: Rank) -> None:
    strange = replace(entry, workloads=["deep"]), replace(entry, runs=entry.runs[:-1]), replace(entry, chosen={})
    for one in strange:
        with pytest.raises(ChallengeError, match="instead"):
            again(rank.benchmark, rank.submission, Sample.of(one, "", 0))


def forge(entry: Entry, rank: Rank) -> Entry:
    """An entry that follows from itself, with a score that was not trained."""
    raw = copy.deepcopy(entry.content)
    score(raw)
    runs = replace(entry, runs=raw["runs"]).table
    runs.loc[0, "content"] = "0" * 16
    ranking, cell = Ranking.of(rank.benchmark, rank.workloads, runs), ("my_value", "none")
    place = place_facts(ranking.place(cell), len(ranking.board))
    made = replace(entry, runs=run_lines(runs), gains=gains_facts(ranking.of_method(cell)), place=place)
    assert list(faults(made, made.seal, Submission.read(Path("mine.py")), rank.benchmark)) == []
    return made
