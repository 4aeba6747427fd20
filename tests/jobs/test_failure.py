"""A training that fails ends its log with one line: which method, in which file, did what."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from study.config.study import Study
from study.config.variants import Variant, expand
from study.jobs.failure import report_failure
from study.jobs.progress import last_words
from study.methods import plugins
from study.methods.base import Method

METHODS = """from typing import ClassVar, Literal
import time, torch
from study.clipping import Clipping
from study.regularization import Regularization

class Faulty(Clipping):
    name: Literal["faulty"] = "faulty"
    how: Literal["none", "raises", "shape", "sleeps"] = "none"

    def clip(self, gradient, parameters, state):
        if self.how == "raises":
            raise RuntimeError("not today\\nsecond line")
        if self.how == "sleeps":
            time.sleep(60)
        if self.how == "shape":
            return {key: g.sum() for key, g in gradient.items()}, state
        return gradient, state

class Late(Regularization):
    place: ClassVar = "stopping"
    name: Literal["late"] = "late"

    def stops(self, validation_losses):
        return validation_losses[7] < 0
"""


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Variant]]:
    """A variant that uses a method of a user's file."""
    monkeypatch.chdir(tmp_path)
    before = {family: dict(family.members) for family in Method.__subclasses__()}
    Path("mine.py").write_text(METHODS)
    plugins.load(["mine.py"])

    def variant(clip: object = "none", regularization: object = "none") -> Variant:
        methods = {"clips": clip, "regularizations": regularization}
        regime = {key: ["none", *([one] if one != "none" else [])] for key, one in methods.items()}
        (*_, last) = expand(Study.model_validate({"name": "a", "regimes": {"x": regime}}))
        return last

    yield variant
    for family, members in before.items():
        family.members = members


def line_of(variant: Variant, act: Callable[[Any], object], capsys: pytest.CaptureFixture[str], **limits: float) -> str:
    """The last line that is printed when this fails in a training."""
    with pytest.raises(SystemExit, match="1"), report_failure(variant, 1, **limits) as say:
        act(say)
    printed = capsys.readouterr().err
    assert "Traceback (most recent call last)" in printed, "the log keeps the whole of it"
    Path("log").write_text(printed)
    line = printed.splitlines()[-1]
    assert last_words(Path("log")) == line, "the terminal shows it too"
    return line


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("raises", "The clipping 'faulty(raises)' failed in mine.py, line 12, clip: RuntimeError: not today"),
        (
            "sleeps",
            "The clipping 'faulty(sleeps)' failed in mine.py, line 14, clip: TimeoutError: it took longer than 0.1 s",
        ),
    ],
)
def test_the_method_in_which_it_arose_is_named(
    faulty: Callable[..., Variant],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    line: str,
) -> None:
    monkeypatch.setattr("study.jobs.failure.PATIENCE", 0.0)
    variant = faulty({"name": "faulty", "how": fault})
    assert line_of(variant, lambda say: variant.clip.clip({}, {}, {}), capsys, least=0.1) == line


def test_a_fault_that_shows_outside_of_the_method_is_found_by_a_dry_run(
    faulty: Callable[..., Variant], capsys: pytest.CaptureFixture[str]
) -> None:
    variant = faulty({"name": "faulty", "how": "shape"})
    assert line_of(variant, lambda say: {}["weight"], capsys) == (
        "The 'clip' method of clipping 'faulty' must return a tensor of shape (5, 784) for 'layers.0.weight'. Got () "
        "instead. (mine.py)"
    )


def test_a_regularizer_is_named_likewise(faulty: Callable[..., Variant], capsys: pytest.CaptureFixture[str]) -> None:
    variant = faulty(regularization="late")
    line = line_of(variant, lambda say: variant.regularization[0].stops([1.0]), capsys)
    assert line.startswith("The regularization 'late' failed in mine.py, line ")
    assert line.endswith(", stops: IndexError: list index out of range")


def test_where_no_method_is_at_fault_the_training_is_named(
    faulty: Callable[..., Variant], capsys: pytest.CaptureFixture[str]
) -> None:
    line = line_of(faulty("faulty"), lambda say: Path("missing").read_bytes(), capsys)
    assert line == (
        "The training of 'faulty' with 'none' failed: FileNotFoundError: [Errno 2] No such file or directory: 'missing'"
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "MemoryError"),
        (RuntimeError("can't allocate memory"), "RuntimeError: can't allocate memory"),
        (SystemError("without a reason"), "SystemError: without a reason; the memory may not have been enough"),
    ],
)
def test_where_memory_runs_out_no_method_is_tried_and_blamed(
    faulty: Callable[..., Variant], capsys: pytest.CaptureFixture[str], error: Exception, reason: str
) -> None:
    def runs_out(say: object) -> None:
        raise error

    line = line_of(faulty({"name": "faulty", "how": "shape"}), runs_out, capsys)
    assert line == f"The training of 'faulty(shape)' with 'none' failed: {reason}"


def test_a_sign_of_life_starts_the_time_anew(
    faulty: Callable[..., Variant], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("study.jobs.failure.PATIENCE", 0.0)
    with report_failure(faulty(), 1, least=0.3) as say:
        for epoch in range(4):
            time.sleep(0.1)
            say(f"epoch {epoch}")
    assert capsys.readouterr().err == "epoch 0\nepoch 1\nepoch 2\nepoch 3\n"


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("Traceback\n  File x\nstudy.store.TableError: The table 'a' is damaged.\n", "The table 'a' is damaged."),
        (
            "Traceback\n  File x\na.DataError: The file 'a' must be there.\n  - b: no\nPut it.\n",
            "The file 'a' must be there.\n  - b: no\nPut it.",
        ),
        ("Traceback\na.TableError: The table 'a' is damaged.\n\nTraceback\nMemoryError\n", "MemoryError"),
        ("Traceback\nMemoryError\n", "MemoryError"),
        ("Traceback\nValueError: bad\n\n", "ValueError: bad"),
        ("epoch 3 of 10: loss 0.2\n", ""),
        ("", ""),
    ],
)
def test_the_last_words_of_a_log(tmp_path: Path, log: str, words: str) -> None:
    (tmp_path / "log").write_text(log)
    assert last_words(tmp_path / "log") == words
    assert last_words(tmp_path / "none") == ""
