"""A user's own file of methods: named in a configuration it is as good as built in, and it can break nothing."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.clipping import Clipping
from study.config.read import ConfigError, parse, read
from study.methods import plugins
from study.methods.base import Method

HALF = """
from typing import Literal
from study.clipping import Clipping
from study.parameters import Positive

class Half(Clipping):
    name: Literal["half"] = "half"
    share: Positive = 0.5

    def clip(self, gradient, parameters, state):
        return {key: g * self.share for key, g in gradient.items()}, state
"""


pytestmark = pytest.mark.usefixtures("registries_as_before")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(HALF)
    return path


def raw(path: object, clip: object) -> dict[str, object]:
    return {"name": "a", "plugins": [str(path)], "regimes": {"x": {"clips": ["none", clip]}}}


def test_a_method_of_ones_own_is_named_as_any_other(mine: Path) -> None:
    study = parse(raw(mine, {"name": "half", "share": 0.25}))
    assert study.regimes["x"].clips[1].label == "half(0.25)"
    assert parse(raw(mine, {"name": "half", "share": 0.25})) == study, "naming the file again is no clash"


def test_its_parameters_are_checked_as_any_others(mine: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"The 'share' parameter of clipping 'half' must be a positive number. Got -1"
    ):
        parse(raw(mine, {"name": "half", "share": -1}))


def test_an_edited_file_is_read_again(mine: Path) -> None:
    plugins.load([mine])
    mine.write_text(HALF.replace("0.5", "0.75"))
    plugins.load([mine])
    assert Clipping.parse("half").share == 0.75


def test_without_the_file_the_name_is_not_known() -> None:
    with pytest.raises(ConfigError, match=r"must be one of .* Got 'half' instead"):
        parse({"name": "a", "regimes": {"x": {"clips": ["none", "half"]}}})


BROKEN = {
    "its import fails": ("import nothing_of_the_kind", "be imported. Got '{path}' instead: ModuleNotFoundError"),
    "its syntax is wrong": ("def", "must name Python files that can be imported. Got '{path}' instead: SyntaxError"),
    "it ends Python": ("raise SystemExit", "must name Python files that can be imported. Got '{path}' instead: System"),
    "it defines nothing": (
        "x = 1",
        "must name files that define a method (a clipping, regularizer, model, optimizer, s",
    ),
    "its error has two lines": ("raise ValueError('one\\ntwo')", "be imported. Got '{path}' instead: ValueError: one."),
    "a name twice": (
        HALF + HALF,
        "must define each name once. Got clipping 'half' at line 6 and at line 17 of '{path}'",
    ),
    "no name": (
        HALF.replace('"half"', '""'),
        "must give methods names of 1 to 80 letters, in one line and without ' + ",
    ),
    "a sum": (HALF.replace('"half"', '"a + b"'), "without ' + '. Got clipping 'a + b' in '{path}' instead"),
    "two lines": (HALF.replace('"half"', '"a\\nb"'), "without ' + '. Got clipping 'a\\nb' in '{path}' instead"),
    "a long name": (HALF.replace('"half"', f'"{"a" * 81}"'), "must give methods names of 1 to 80 letters, in one line"),
    "its name is taken": (HALF.replace("half", "value"), "must define methods of new names. Got clipping 'value' in '"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_used_is_an_error_of_the_configuration(mine: Path, text: str, message: str) -> None:
    mine.write_text(text)
    before = {family: dict(family.members) for family in Method.__subclasses__()}
    with pytest.raises(ConfigError) as caught:
        parse({"name": "a", "plugins": [str(mine)], "regimes": {"x": {}}})
    (line,) = caught.value.messages
    assert line.startswith("plugins.0: The 'plugins' parameter of study must ")
    assert message.format(path=mine) in line
    assert {family: dict(family.members) for family in Method.__subclasses__()} == before


@pytest.mark.parametrize(
    ("line", "says"), [("raise SystemExit(3)", "SystemExit: 3"), ("raise KeyboardInterrupt", "KeyboardInterrupt")]
)
def test_a_method_cannot_end_the_program(mine: Path, line: str, says: str) -> None:
    mine.write_text(HALF.replace("return {", f"{line}\n        return {{"))
    with pytest.raises(ConfigError, match=rf"run on the tensors of a small net\. Got {says}, line 11 instead"):
        read(raw(mine, "half"), [], {})


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C interrupts, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_a_method_is_tried_stops_the_program(mine: Path) -> None:
    body = "import os, signal\n        os.kill(os.getpid(), signal.SIGINT)\n        return {"
    mine.write_text(HALF.replace("return {", body))
    with pytest.raises(KeyboardInterrupt):
        read(raw(mine, "half"), [], {})


@pytest.mark.parametrize("path", ["missing.py", "mine.txt", "."])
def test_what_is_no_python_file_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "mine.txt").write_text(HALF)
    with pytest.raises(ConfigError, match=r"must name Python files that exist. Got '.*' instead"):
        parse({"name": "a", "plugins": [str(tmp_path / path)], "regimes": {"x": {}}})


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        ('class Odd(Clipping):\n    acts_per = "whole"', "acts_per as one of 'coordinate', 'unit', 'tensor', 'model'"),
        ('class Odd(Regularization):\n    place = "penalty"', "place as one of 'none', 'data', 'model', 'loss'"),
    ],
)
def test_a_method_that_declares_what_there_is_not_is_refused(tmp_path: Path, declared: str, wanted: str) -> None:
    path = tmp_path / "odd.py"
    families = "from study.clipping import Clipping\nfrom study.regularization import Regularization\n"
    imports = f"from typing import Literal\n{families}"
    path.write_text(f'{imports}{declared}\n    name: Literal["odd"] = "odd"\n')
    with pytest.raises(plugins.PluginError, match=wanted):
        plugins.load([path])
    assert "odd" not in Clipping.members
