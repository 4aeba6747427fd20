"""A frozen protocol: any change of what decides is seen, and runs that came before the lock are told."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.config.read import parse
from study.config.study import Study
from study.jobs import protocol as commands
from study.results import protocol
from study.results.protocol import Protocol, ProtocolError

RAW: dict[str, Any] = {
    "name": "frozen",
    "status": "confirmatory",
    "seeds": [900, 901, 902],
    "regimes": {
        "x": {
            "data": {"name": "mnist-sample", "train_size": 100, "validation_size": 100},
            "batch_size": 20,
            "grid": "alone",
            "clips": ["none", "global_norm"],
            "tuning": {"trials": 3, "seeds": 1},
        }
    },
}


def study(**changes: Any) -> Study:
    return parse({**RAW, **changes})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small repository with a rule, a claim, an engine, and a configuration."""
    files = {
        "study/__init__.py": "",
        "study/analysis/__init__.py": "",
        "study/analysis/rule.py": "from study.config import tuning\nALPHA = 0.05\n",
        "study/claims/__init__.py": "",
        "study/claims/c01.py": "from study.analysis import rule\n",
        "study/config/__init__.py": "",
        "study/config/tuning.py": "TRIALS = 25\n",
        "study/training.py": "STEPS = 1\n",
        "config/frozen.yaml": yaml.safe_dump(RAW),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, "the study")
    return tmp_path


def git(root: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def commit(root: Path, message: str) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD")


def lock(root: Path) -> Path:
    return root / "config/frozen.lock"


# --- what is locked


def test_what_is_frozen_is_what_is_checked(root: Path) -> None:
    frozen = protocol.freeze(study(), lock(root), root=root)
    assert frozen.number == 1
    assert protocol.check(study(), lock(root), root) == frozen
    assert protocol.freeze(study(), lock(root), root=root) == frozen, "nothing changed: nothing is frozen again"


def test_rules_and_claims_and_what_is_tried_are_locked_and_the_engine_is_not(root: Path) -> None:
    assert [path.relative_to(root).as_posix() for path in protocol.deciding(root)] == [
        "study/analysis/__init__.py", "study/analysis/rule.py", "study/claims/__init__.py", "study/claims/c01.py",
        "study/config/tuning.py",
    ]  # fmt: skip


@pytest.mark.parametrize("file", ["study/analysis/rule.py", "study/claims/c01.py", "study/config/tuning.py"])
def test_an_edit_of_what_decides_is_refused_by_its_name(root: Path, file: str) -> None:
    protocol.freeze(study(), lock(root), root=root)
    (root / file).write_text((root / file).read_text() + "LOOSER = 1\n")
    with pytest.raises(ProtocolError, match=f"as protocol 1 was frozen .*Got another {file}"):
        protocol.check(study(), lock(root), root)


def test_an_edit_of_the_engine_is_not_the_protocols_affair(root: Path) -> None:
    protocol.freeze(study(), lock(root), root=root)
    (root / "study/training.py").write_text("STEPS = 2\n")
    protocol.check(study(), lock(root), root)


@pytest.mark.parametrize(
    "changes",
    [
        {"margins": {"test_accuracy": 0.001}},
        {"primary": "test_loss"},
        {"regimes": {"x": {**RAW["regimes"]["x"], "tuning": {"trials": 4, "seeds": 1}}}},
        {"regimes": {"x": {**RAW["regimes"]["x"], "epochs": 3}}},
        {"regimes": {"x": {**RAW["regimes"]["x"], "clips": ["none", "global_norm", "value"]}}},
        {"statistics": {"probes": 0}},
    ],
)
def test_any_change_of_the_study_is_refused(root: Path, changes: dict[str, Any]) -> None:
    protocol.freeze(study(), lock(root), root=root)
    with pytest.raises(ProtocolError, match="Got another configuration"):
        protocol.check(study(**changes), lock(root), root)


def test_more_seeds_may_come(root: Path) -> None:
    protocol.freeze(study(), lock(root), root=root)
    protocol.check(study(seeds=[900, 901, 902, 903], seeds_per_job=2), lock(root), root)


def test_a_change_needs_a_reason_and_becomes_the_next_protocol(root: Path) -> None:
    first = protocol.freeze(study(), lock(root), root=root)
    changed = study(margins={"test_accuracy": 0.001})
    with pytest.raises(ProtocolError, match=r"must have a reason.*Got none for another configuration"):
        protocol.freeze(changed, lock(root), root=root)
    second = protocol.freeze(changed, lock(root), "a stricter margin", root)
    assert (second.number, [past.digest for past in second.history]) == (2, [first.digest])
    assert protocol.check(changed, lock(root), root) == second


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"protocol": 1, "parts": {"configuration": "x"}, "history": [], "digest": "y"}']
)
def test_a_lock_that_was_edited_is_none(text: str) -> None:
    with pytest.raises(ProtocolError, match="The lock must be"):
        Protocol.parse(text)


def test_only_a_confirmatory_study_is_frozen_and_none_runs_without_a_lock(root: Path) -> None:
    with pytest.raises(ProtocolError, match=r"must be 'confirmatory' to be frozen. Got 'exploratory'"):
        protocol.freeze(study(status="exploratory"), lock(root), root=root)
    with pytest.raises(ProtocolError, match=r"must have a frozen protocol. Got no 'frozen.lock'"):
        protocol.check(study(), lock(root), root)


# --- the order of commits


def test_runs_after_the_lock_are_in_order(root: Path) -> None:
    protocol.freeze(study(), lock(root), root=root)
    frozen = commit(root, "protocol 1")
    (root / "study/training.py").write_text("STEPS = 2\n")
    later = commit(root, "a faster engine")
    assert protocol.frozen_at(lock(root), root) == frozen
    assert protocol.disorder([frozen, later], False, lock(root), root) == []
    assert protocol.uncommitted(root) == ""


def test_runs_before_the_lock_or_of_no_commit_or_of_edited_code_are_told(root: Path) -> None:
    before = git(root, "rev-parse", "HEAD")
    protocol.freeze(study(), lock(root), root=root)
    assert protocol.disorder([before], False, lock(root), root) == ["'frozen.lock' is in no commit"]
    frozen = commit(root, "protocol 1")
    assert protocol.disorder([before, "unknown", frozen], True, lock(root), root) == [
        "runs used code that differs from its commit",
        f"commit {before[:12]} does not follow the lock's, {frozen[:12]}",
        "runs do not know their commit",
    ]


def test_runs_by_an_older_lock_are_told(root: Path) -> None:
    protocol.freeze(study(), lock(root), root=root)
    first = commit(root, "protocol 1")
    protocol.freeze(study(primary="test_loss"), lock(root), "another metric", root)
    second = commit(root, "protocol 2")
    assert protocol.disorder([second], False, lock(root), root) == []
    assert protocol.disorder([first], False, lock(root), root) == [
        f"commit {first[:12]} does not follow the lock's, {second[:12]}"
    ]


def test_a_tampered_lock_on_another_branch_is_told(root: Path) -> None:
    protocol.freeze(study(), lock(root), root=root)
    commit(root, "protocol 1")
    git(root, "checkout", "-q", "-b", "side")
    raw = json.loads(lock(root).read_text())
    lock(root).write_text(json.dumps(raw))  # the same words in another form
    side = commit(root, "edited")
    git(root, "checkout", "-q", "main")
    assert protocol.disorder([side], False, lock(root), root) == [f"commit {side[:12]} has another lock"]


def test_what_is_not_committed_is_told(root: Path) -> None:
    (root / "study/training.py").write_text("STEPS = 3\n")
    assert "Got changes in study/training.py" in protocol.uncommitted(root)


def test_outside_of_a_repository_there_is_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "must be in a git repository" in protocol.uncommitted(tmp_path)
    assert protocol.frozen_at(tmp_path / "a.lock", tmp_path) is None


# --- the commands


def test_the_commands_say_a_sentence_or_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configuration = tmp_path / "frozen.yaml"
    configuration.write_text(yaml.safe_dump(RAW))
    assert commands.main(["check", str(configuration)]) == 1
    assert "must have a frozen protocol" in capsys.readouterr().err
    assert commands.main(["freeze", str(configuration)]) == 0
    assert "protocol 1, " in capsys.readouterr().out
    assert commands.main(["check", str(configuration)]) == 1
    assert "must be committed before it is run" in capsys.readouterr().err
    configuration.write_text(yaml.safe_dump({**RAW, "seeds": "many"}))
    assert commands.main(["freeze", str(configuration)]) == 1
    assert "The 'seeds' parameter of study must be" in capsys.readouterr().err


def test_words_may_be_mended_and_code_may_not(root: Path) -> None:
    frozen = protocol.freeze(study(), lock(root), root=root)
    rule = root / "study/analysis/rule.py"
    rule.write_text('"""What is decided."""\n\nfrom study.config import tuning  # noqa\n\nALPHA   = 0.05\n')
    assert protocol.check(study(), lock(root), root) == frozen
    rule.write_text('"""What is decided."""\n\nfrom study.config import tuning\n\nALPHA = 0.06\n')
    with pytest.raises(ProtocolError, match=r"Got another study/analysis/rule\.py"):
        protocol.check(study(), lock(root), root)
    rule.write_text("from study.config import tuning\nALPHA = 0.05\n'a text'.upper()\n")
    with pytest.raises(ProtocolError, match=r"Got another study/analysis/rule\.py"):
        protocol.check(study(), lock(root), root)


def test_what_only_tells_is_not_locked(root: Path) -> None:
    (root / "study/analysis/columns.py").write_text("MEANINGS = {}\n")
    assert root / "study/analysis/columns.py" not in protocol.deciding(root)


def test_an_edited_plugin_is_another_protocol(root: Path) -> None:
    (root / "mine.py").write_text("BOUND = 1\n")
    own = study().model_copy(update={"plugins": ("mine.py",)})
    protocol.freeze(own, lock(root), root=root)
    assert protocol.check(own, lock(root), root)
    (root / "mine.py").write_text("BOUND = 2\n")
    with pytest.raises(ProtocolError, match=r"Got another plugin mine\.py"):
        protocol.check(own, lock(root), root)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_lock_that_cannot_be_read_is_told(root: Path, content: bytes | None) -> None:
    if content is None:
        lock(root).mkdir()
    else:
        lock(root).write_bytes(content)
    with pytest.raises(ProtocolError, match=r"The lock '.*frozen\.lock' must be a file that `make freeze` wrote"):
        protocol.check(study(), lock(root), root)


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe", b"name: 2020-13-45"])
def test_a_configuration_that_is_no_yaml_is_told_by_the_commands(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.yaml").write_bytes(content)
    assert commands.main(["check", str(tmp_path / "broken.yaml")]) == 1
    assert "must be a YAML file. Got " in capsys.readouterr().err
