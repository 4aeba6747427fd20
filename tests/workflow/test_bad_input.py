"""Bad input through Snakemake: errors in the project's own words, no traceback, nothing started, nothing lost."""

import hashlib
import os
from pathlib import Path

import pytest

from tests.checkout import Checkout

pytestmark = pytest.mark.workflow

CODE = "__use_yte__: true\nname: ?__import__('os').system('touch hacked')\nregimes: {x: {}}\n"
LATE = """
from typing import ClassVar, Literal
from study.regularization import Regularization

class Late(Regularization):
    place: ClassVar = "stopping"
    name: Literal["late"] = "late"

    def stops(self, validation_losses):
        return validation_losses[99] < 0
"""


def contents(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file with its time and content."""
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_bad_command_lines_are_said_in_our_words_and_change_nothing(finished: Checkout) -> None:
    root = finished.root
    (root / "code.yaml").write_text(CODE)
    (root / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    (root / "looped.yaml").write_text("&a {name: x, regimes: *a}\n")
    (root / "broken.yaml").write_text("name: x\nregimes: {x: [\n")
    (root / "up.yaml").write_text("name: ../../up\nregimes: {x: {epohcs: 3}}\n")
    before = contents(finished.results)
    for arguments, *expected in (
        (["--configfile", "code.yaml"], "line 1: The file must be plain YAML, which runs no code."),
        (["--configfile", "latin.yaml"], "latin.yaml", "line 1: The file must be UTF-8. Got the byte 0xe9 instead."),
        (["--configfile", "looped.yaml"], "line 1: The file must hold nothing that stands in itself."),
        (["--configfile", "broken.yaml"], "broken.yaml", "line 3: The file must be YAML."),
        (
            ["--configfile", "brokn.yaml", "study"],
            "Did you mean 'broken.yaml'?",
            "Got a folder at 'study' instead. A target is",
        ),
        (["--config", "seeds"], "must be a key, '=' and a value. Got 'seeds' instead."),
        (
            ["--configfile", "up.yaml", "--config", "sedes=3"],
            "3 errors in up.yaml",
            "name (line 1): The 'name' parameter of study must be",
            "regimes.x.epohcs (line 2): ",
            "sedes (--config): ",
        ),
        (["--", "figurs", "results/smoke/claims.csv"], "Did you mean 'figures'?", "Got 'results/smoke/claims.csv'"),
    ):
        printed = finished.snakemake("--cores", "1", *arguments, expect=1)
        assert all(words in printed for words in expected), printed
        assert "Traceback" not in printed
        assert "Error:" not in printed, "Snakemake's own words"
    assert contents(finished.results) == before
    assert not (root / "hacked").exists()
    assert {path.name for path in (root / "results").iterdir()} - {".programs"} == {"smoke"}


def test_a_method_that_fails_in_training_is_named_and_the_rest_goes_on(finished: Checkout) -> None:
    (finished.root / "mine.py").write_text(LATE)
    finished.edit(
        "config/smoke.yaml",
        lambda text: text.replace("name: smoke\n", "name: smoke\nplugins: [mine.py]\n").replace(
            "lr: 5.0}\n", "lr: 5.0}\n    regularizations: [none, late, {name: l2, strength: 0.1}]\n    clips: [none]\n"
        ),
    )
    before = contents(finished.results / "runs")
    printed = finished.snakemake("--cores", "2", "--keep-going", "--", "results/smoke/runs.parquet", expect=1)
    log = "logs/smoke/train/unstable/none+late"
    assert f"FAILED train unstable: late, seeds 0-2; its log: {log}" in printed
    why = "The regularization 'late' failed in mine.py, line 10, stops: IndexError: list index out of range"
    assert why in printed, printed
    (written,) = finished.root.glob(f"{log}*/*.log")
    assert written.read_text().strip().splitlines()[-1] == why
    after = contents(finished.results / "runs")
    assert before.items() <= after.items()
    assert any("l2-0.1" in path for path in after), "the others were trained"
    assert not any("late" in path for path in after)


def test_damaged_tables_are_named_on_the_terminal_with_what_to_do(finished: Checkout) -> None:
    (training, *_) = sorted(finished.results.glob("runs/memorize/none*none*/0-2/epochs.parquet"))
    for path in (training, finished.results / "runs.parquet"):  # the last is newest: it is read, and not made again
        os.truncate(path, path.stat().st_size // 2)
    (finished.results / "epochs.parquet").unlink()  # so that the training is read again
    before = contents(finished.results)
    printed = finished.snakemake(
        "--cores", "1", "--keep-going", "--", "analyse", "results/smoke/epochs.parquet", expect=1
    )
    for path in (finished.results / "runs.parquet", training):
        name = path.relative_to(finished.root)
        assert (
            f"       The table '{name}' must be as it was written. Got another checksum instead. Delete it" in printed
        ), printed
    kept = {path for path in before if not path.endswith((".csv", "/smoke/epochs.parquet"))}
    after = contents(finished.results)
    assert {path: after.get(path) for path in kept} == {path: before[path] for path in kept}
