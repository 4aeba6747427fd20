"""Configurations and methods that cannot be used: each gets its errors, all at once, and nothing else happens."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from study.config.errors import ConfigError
from study.config.read import read
from study.config.study import Study
from study.config.yaml_files import Files, check_command
from study.methods.base import Method

HERE = Path(__file__).parent
GOOD = (HERE.parents[1] / "config" / "smoke.yaml").read_text()
IMPORTS = """from typing import ClassVar, Literal
import torch
from study.clipping import Clipping, PerSample, Rescaling
from study.parameters import Positive
from study.regularization import Regularization

"""
METHOD = "name: a\nplugins: [mine.py]\nregimes:\n  x:\n    {kind}: [none, {entry}]\n"


def cases(name: str) -> list[Any]:
    found = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=f"{index}") for index, case in enumerate(found)]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty working directory, and the registries of methods as they were."""
    monkeypatch.chdir(tmp_path)
    before = {family: dict(family.members) for family in Method.__subclasses__()}
    yield
    for family, members in before.items():
        family.members = members


def errors(*contents: str | bytes, **overrides: Any) -> list[str]:
    """What is said of files of these contents."""
    paths = [Path(f"{'abc'[index]}.yaml") for index in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    there = set(Path().rglob("*"))
    with pytest.raises(ConfigError) as caught:
        read_all(paths, overrides)
    assert set(Path().rglob("*")) - there <= {Path("__pycache__"), *Path("__pycache__").glob("*")}, "no code has run"
    return caught.value.messages


def read_all(paths: list[Path], overrides: dict[str, Any]) -> Study:
    """As a start of the workflow reads them: checked first, then laid on each other, then understood."""
    Files.read(paths)
    raw = {key: value for path in paths for key, value in yaml.safe_load(path.read_bytes()).items()}
    return read({**raw, **overrides}, paths, overrides)


def said(messages: list[str], expected: list[str]) -> bool:
    """Whether the messages are those expected, where `...` stands for anything."""
    patterns = [re.escape(one).replace(re.escape("..."), ".*") for one in expected]
    return len(messages) == len(patterns) and all(map(re.fullmatch, patterns, messages))


@pytest.mark.parametrize("case", cases("regimes.yaml"))
def test_a_regime_that_cannot_be_used(case: dict[str, Any]) -> None:
    found = errors(f"name: a\nregimes:\n  x: {case['regime']}\n")
    assert said(found, case["says"]), found


@pytest.mark.parametrize("case", cases("files.yaml"))
def test_a_file_that_cannot_be_used(case: dict[str, Any]) -> None:
    found = errors(case["text"])
    assert said(found, case["says"]), found


@pytest.mark.filterwarnings("ignore:Field name")
@pytest.mark.parametrize("case", cases("plugins.yaml"))
def test_a_method_that_cannot_be_used(case: dict[str, Any]) -> None:
    Path("mine.py").write_text(IMPORTS + case["code"] if case["code"] != "def\n" else case["code"])
    kind = "clips" if "clip" in case else "regularizations"
    entry = case.get("clip") or case["regularization"]
    found = errors(METHOD.format(kind=kind, entry=entry))
    assert said(found, case["says"]), found


def test_the_corpus_is_large() -> None:
    assert sum(len(cases(name)) for name in ("regimes.yaml", "files.yaml", "plugins.yaml")) > 350


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file must be a mapping from keys to values. Got an empty file instead."),
        (b"name: caf\xe9\n", "line 1: The file must be UTF-8. Got the byte 0xe9 instead."),
        (b"name: a\nb: \xff\xfe\n", "line 2: The file must be UTF-8. Got the byte 0xff instead."),
        ("name: a\n".encode("utf-16"), "line 1: The file must be UTF-8. Got the byte 0xff instead."),
        (b"name: a\nb: \x00\n", "line 2: The file must be text. Got the character '\\x00' instead."),
        (b"a: " + b"[" * 500, "The file must be nested less deeply. Got hundreds of levels instead."),
        (b"a: " + b"9" * 6000, "line 1: The file must have dates and numbers that there are. Got '9...9' instead."),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[:30],
)
def test_bytes_that_are_no_configuration(content: bytes, message: str) -> None:
    assert said(errors(content), [message])


def test_a_byte_order_mark_is_no_error() -> None:
    assert errors(b"\xef\xbb\xbfname: 3\nregimes: {x: {}}\n")[0].startswith("name (line 1): The 'name' parameter")


def test_aliases_that_stand_for_millions_of_things_are_said_briefly() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found = errors(f"{bomb}name: *i\nseeds: *i\nregimes: {{x: {{clips: *i, epochs: *i, model: *i}}}}\n")
    assert max(map(len, found)) < 20_000


def test_each_error_is_named_with_the_file_that_holds_it_or_the_command_line() -> None:
    found = errors("name: a\nseeds: 0\nregimes: {x: {}}\n", "\nregimes:\n  x: {epochs: 0}\n", device="gpu")
    places = [line.partition(": ")[0] for line in found]
    assert places == ["seeds (a.yaml, line 2)", "device (--config)", "regimes.x.epochs (b.yaml, line 3)"]


def test_several_files_that_cannot_be_read_are_named_at_once() -> None:
    Path("bad.yaml").write_text("name: a\nname: b\nx: 010\n")
    Path("folder").mkdir()
    Path("looped.yaml").symlink_to("looped.yaml")
    with pytest.raises(ConfigError) as caught:
        Files.read(["bad.yaml", "bat.yaml", "folder", "figures", "looped.yaml"])
    assert caught.value.messages == [
        "bad.yaml, line 2: The file must have the key 'name' once in a mapping. Got it at line 1 too instead.",
        "bad.yaml, line 3: The file must have numbers in plain decimals. Got '010', which YAML reads as another number "
        "instead.",
        "bat.yaml, The file must exist. Got 'bat.yaml' instead. Did you mean 'bad.yaml'?",
        "folder, The file must be one that can be read. Got a folder at 'folder' instead. A target is written after "
        "'--'.",
        "figures, The file must exist. Got 'figures' instead. A target is written after '--'.",
        "looped.yaml, The file must be one that can be read. Got Too many levels of symbolic links at 'looped.yaml' "
        "instead.",
    ]


def test_a_command_line_is_refused_with_all_that_is_wrong() -> None:
    with pytest.raises(SystemExit) as ended:
        check_command(["no.yaml"], ["seeds", "3=4", "seeds=3"])
    assert str(ended.value) == (
        "2 errors in the command line\n"
        "  The '--config' parameter of the command line must be a key, '=' and a value. Got 'seeds' instead.\n"
        "  The '--config' parameter of the command line must be a key, '=' and a value. Got '3=4' instead.\n"
        "1 error in no.yaml\n"
        "  The file must exist. Got 'no.yaml' instead."
    )
    Path("yes.yaml").write_text(GOOD)
    check_command(["yes.yaml"], ["seeds=3"])
    check_command(["yes.yaml"], None)


@pytest.mark.parametrize("name", ["../mine.py", "here.py"])
def test_a_users_file_may_be_anywhere_and_behind_a_link(tmp_path: Path, name: str) -> None:
    real = tmp_path / "elsewhere" / "mine.py"
    real.parent.mkdir()
    real.write_text(IMPORTS + 'class Mine(Clipping):\n    name: Literal["mine"] = "mine"\n')
    Path("inside").mkdir()
    (tmp_path / "inside" / name).symlink_to(real)
    (message,) = errors(METHOD.replace("mine.py", f"inside/{name}").format(kind="clips", entry="mine"))
    assert "The 'clip' method of clipping 'mine' must run on the tensors of a small net." in message


def test_a_method_that_never_returns_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("study.config.dry_run.SECONDS", 0.2)
    loop = "    def clip(self, gradient, parameters, state):\n        while True:\n            pass\n"
    Path("mine.py").write_text(f'{IMPORTS}class Mine(Clipping):\n    name: Literal["mine"] = "mine"\n{loop}')
    (message,) = errors(METHOD.format(kind="clips", entry="mine"))
    assert "Got TimeoutError: it took longer than 0.2 s, line 1" in message


def test_a_file_that_never_ends_its_import_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("study.methods.plugins.SECONDS", 0.2)
    Path("mine.py").write_text("import time\ntime.sleep(60)\n")
    found = errors(METHOD.format(kind="clips", entry="none"))
    assert "Got 'mine.py' instead: TimeoutError: it took longer than 0.2 s." in found[0]


DAMAGE = st.lists(
    st.tuples(
        st.integers(0, len(GOOD) - 1),
        st.integers(0, 3),
        st.sampled_from(list("\t :-[]{}&*!|>'\"#%@,?\n01e\x00é\ufeff~")),
    ),
    min_size=1,
    max_size=3,
)


@given(DAMAGE)
def test_whatever_is_typed_wrong_in_a_file_is_an_error_of_it_or_none(damage: list[tuple[int, int, str]]) -> None:
    text = GOOD
    for place, cut, inserted in damage:
        text = text[:place] + inserted + text[place + cut :]
    Path("typo.yaml").write_text(text, encoding="utf-8")
    try:
        names = [read_all([Path("typo.yaml")], {}).name]
        messages = []
    except ConfigError as error:
        names, messages = [], error.messages
    assert bool(names) != bool(messages)
    assert all(re.fullmatch(r"[a-z0-9_-]+", name) for name in names)
    assert all(re.search(r"\b(must|is not known)\b", line) for line in messages), messages
