"""The code of a training: what is in its fingerprint, and what an edit of it changes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import variant

from study import code

# What says which training is meant, or carries it out and tells of it: a variant's digest has what follows from it, so
# that an edit here trains nothing.
DESCRIBING = {
    *("blame", "code", "errors", "files", "jobs", "memory", "patience", "progress", "provenance", "stopwatch", "trial"),
    *(
        "choices",
        "config",
        "methods",
        "parameters",
        "plugins",
        "regimes",
        "stopwatch",
        "store",
        "sweeps",
        "tuning",
        "variants",
    ),
    *("data/__init__", "data/fetch", "data/sources"),
    *("analysis/claims/__init__", "analysis/claims/base"),
    *("analysis/evidence", "analysis/statistics", "findings"),  # for types alone
}
FAMILIES = ("clipping", "models", "regularization")


def imported(file: Path) -> Iterator[Path]:
    """The files of the library that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "study":
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] == "study"]
        else:
            continue
        for name in names:
            path = code.ROOT / name.replace(".", "/")
            yield from (found for found in (path.with_suffix(".py"), path / "__init__.py") if found.exists())


def reached(start: Path) -> set[Path]:
    """All files of the library that a script imports, directly or not."""
    seen, left = set[Path](), [start]
    while left:
        new = set(imported(left.pop())) - seen
        seen |= new
        left += new
    return seen


def test_whatever_a_training_imports_is_in_its_fingerprint_or_only_describes_it() -> None:
    """Else an edit of it would leave results that no code here gives."""
    loaded = reached(code.ROOT / "workflow/scripts/train.py")
    described = {code.ROOT / f"study/{name}.py" for name in DESCRIBING}
    methods = {file for family in FAMILIES for file in (code.ROOT / "study" / family).glob("*.py")}
    assert loaded - set(code.ENGINE) - described - methods == set()
    assert described <= loaded, "nothing excused that is not there"
    assert all(file.exists() for file in code.ENGINE)


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that stands in for one of a training, to be edited; digests are taken anew."""
    file = tmp_path / "some.py"
    file.write_text("x = 1\n")
    code.digest.cache_clear()
    yield file
    code.digest.cache_clear()


def test_an_edit_of_the_engine_changes_every_fingerprint(edited: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "ENGINE", (*code.ENGINE, edited))
    before = [code.fingerprint(one) for one in (variant(), variant(clip="none"))]
    edited.write_text("x = 2\n")
    assert [code.fingerprint(one) for one in (variant(), variant(clip="none"))] == before, "as when first asked"
    code.digest.cache_clear()
    after = [code.fingerprint(one) for one in (variant(), variant(clip="none"))]
    assert all(old["engine"] != new["engine"] for old, new in zip(before, after, strict=True))


def test_an_edit_of_a_method_changes_the_fingerprints_of_its_own_variants(
    edited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_it, without = variant(clip={"name": "global_norm", "max_norm": 1}), variant(clip="none")
    find = code.file_of
    monkeypatch.setattr(code, "file_of", lambda method: edited if method is type(with_it.clip) else find(method))
    before = code.fingerprint(with_it), code.fingerprint(without)
    edited.write_text("x = 2\n")
    code.digest.cache_clear()
    after = code.fingerprint(with_it), code.fingerprint(without)
    assert {key for key in after[0] if after[0][key] != before[0][key]} == {"clipping 'global_norm'"}
    assert after[1] == before[1]
