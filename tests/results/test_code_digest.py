"""The code of a training: what is in its fingerprint, and what an edit of it changes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import variant

from study.config.metrics import TuningByAnyMetric as Tuning
from study.methods import plugins
from study.models import Model
from study.results import code_digest
from study.training.trainers import trainer_of
from study.utils.imports import ROOT, closure, imported_by, sources_of
from study.workloads import Workload

# What says which training is meant, or carries it out and tells of it: a variant's digest has what follows from it, so
# that an edit here trains nothing.
DESCRIBING = {"config", "claims", "jobs", "methods", "results", "utils"}
FETCHING = {"study/data/fetch.py", "study/data/sources.py"}  # what they bring is verified by its checksum


def test_whatever_a_training_imports_is_in_its_fingerprint_or_only_describes_it() -> None:
    """Else an edit of it would leave results that no code here gives."""
    loaded = {ROOT / name for name in sources_of("workflow/scripts/train.py")}
    methods = {
        file
        for room in ("clipping", "models", "regularization", "workloads")
        for file in (ROOT / "study" / room).rglob("*.py")
    }
    left = loaded - set(code_digest.engine()) - methods - {ROOT / "workflow/scripts/train.py"}
    rooms = {path.relative_to(ROOT / "study").parts[0] for path in left} - {"parameters.py"}
    assert rooms <= DESCRIBING
    assert not {ROOT / name for name in FETCHING} & set(code_digest.engine())


def test_the_engine_has_no_method_of_its_own() -> None:
    names = {path.name for path in code_digest.engine()}
    assert {"step.py", "engine.py", "optimizers.py", "base.py", "initialisations.py"} <= names
    assert not {"global_norm.py", "l2.py", "mlp.py"} & names


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[Path]:
    """A file that stands in for one of a training, to be edited; digests are taken anew."""
    file = tmp_path / "some.py"
    file.write_text("x = 1\n")
    yield file
    for cached in (code_digest.digest, code_digest.files_of_method):
        cached.cache_clear()


def test_an_edit_of_the_engine_changes_every_fingerprint(edited: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = (*code_digest.engine(), edited)
    monkeypatch.setattr(code_digest, "engine", lambda: files)
    before = [code_digest.fingerprint(one) for one in (variant(), variant(clip="none"))]
    edited.write_text("x = 1  # and why\n")
    code_digest.digest.cache_clear()
    assert [code_digest.fingerprint(one) for one in (variant(), variant(clip="none"))] == before, "words alone"
    edited.write_text("x = 2\n")
    assert [code_digest.fingerprint(one) for one in (variant(), variant(clip="none"))] == before, "as when first asked"
    code_digest.digest.cache_clear()
    after = [code_digest.fingerprint(one) for one in (variant(), variant(clip="none"))]
    assert all(old["engine"] != new["engine"] for old, new in zip(before, after, strict=True))


def test_an_edit_of_a_method_changes_the_fingerprints_of_its_own_variants(
    edited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_it, without = variant(clip={"name": "global_norm", "max_norm": 1}), variant(clip="none")
    find = code_digest.file_of
    code_digest.files_of_method.cache_clear()
    monkeypatch.setattr(code_digest, "file_of", lambda method: edited if method is type(with_it.clip) else find(method))
    before = code_digest.fingerprint(with_it), code_digest.fingerprint(without)
    edited.write_text("x = 2\n")
    code_digest.digest.cache_clear()
    after = code_digest.fingerprint(with_it), code_digest.fingerprint(without)
    assert {key for key in after[0] if after[0][key] != before[0][key]} == {edited.name}
    assert after[1] == before[1]


def test_a_method_has_the_helper_that_it_imports_from_another_method() -> None:
    adaptive = variant(clip={"name": "per_sample_adaptive", "initial_norm": 1})
    files = {path.name for path in code_digest.files_of_method(type(adaptive.clip))}
    assert files == {"per_sample_adaptive.py", "per_sample.py"}


CLIP = """from typing import Literal
from study.clipping import Rescaling
{imports}

class Mine(Rescaling):
    name: Literal["mine_{number}"] = "mine_{number}"

    def coefficients(self, gradient, parameters, state):
        return {{key: g.norm() * 0 + {factor} for key, g in gradient.items()}}, state
"""
PARENT = """from study.clipping import Rescaling

class Parent{number}(Rescaling):
    def coefficients(self, gradient, parameters, state):
        return {{key: g.norm() * 0 + 1 for key, g in gradient.items()}}, state
"""
# What a plugin imports, the expression that uses it, the files beside it; the first is the one that is edited.
HELPERS = {
    "a file beside it": ("from near{number} import F", "F", {"near{number}.py": "F = 1\n"}),
    "imported by what it imports": (
        "from first{number} import F",
        "F",
        {"second{number}.py": "F = 1\n", "first{number}.py": "from second{number} import F\n"},
    ),
    "a package, by a relative import": (
        "from pack{number}.tools import F",
        "F",
        {
            "pack{number}/deep.py": "F = 1\n",
            "pack{number}/__init__.py": "",
            "pack{number}/tools.py": "from .deep import F\n",
        },
    ),
    "the start of a package": (
        "from start{number}.tools import F",
        "F",
        {"start{number}/__init__.py": "", "start{number}/tools.py": "F = 1\n"},
    ),
    "a folder without a start": (
        "import space{number}.one",
        "space{number}.one.F",
        {"space{number}/one.py": "F = 1\n"},
    ),
    "by name, in a function": (
        "import importlib",
        "importlib.import_module('late{number}').F",
        {"late{number}.py": "F = 1\n"},
    ),
    "elsewhere on the path": ("from away{number} import F", "F", {"../lib/away{number}.py": "F = 1\n"}),
    "its parent class": (
        "from parent{number} import Parent{number} as Rescaling  # noqa",
        "1",
        {"parent{number}.py": PARENT},
    ),
}


@pytest.mark.usefixtures("registries_as_before")
@pytest.mark.parametrize("where", HELPERS)
def test_an_edit_of_what_a_users_method_imports_changes_its_fingerprint(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = list(HELPERS).index(where)
    imports, factor, files = HELPERS[where]
    (tmp_path / "lib").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "lib")
    folder = tmp_path / "mine"
    for name, text in {**files, "other.py": "", "mine.py": CLIP}.items():
        path = folder / name.format(number=number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            text.format(number=number, imports=imports.format(number=number), factor=factor.format(number=number))
        )
    plugins.load([folder / "mine.py"])
    mine = variant(clip={"name": f"mine_{number}"})
    before = code_digest.fingerprint(mine)
    assert "mine.py" in before
    with (folder / "other.py").open("a") as other:
        other.write("edited = 1\n")
    code_digest.digest.cache_clear()
    assert code_digest.fingerprint(mine) == before, "no training needs it"
    with (folder / next(iter(files)).format(number=number)).open("a") as helper:
        helper.write("edited = 1\n")
    code_digest.digest.cache_clear()
    after = code_digest.fingerprint(mine)
    assert {key for key in after if after[key] != before[key]} == {"mine.py"}


@pytest.mark.slow
def test_a_fingerprint_is_the_same_in_another_folder(tmp_path: Path) -> None:
    found = []
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "moved.py").write_text(CLIP.format(number=99, imports="", factor=1))
        code = (
            "import sys; sys.path.insert(0, sys.argv[2]); from cases import variant; from study.methods import plugins;"
        )
        code += "from study.results import code_digest; plugins.load([sys.argv[1]]);"
        code += "print(code_digest.folder_of(variant(clip='mine_99')))"
        command = [sys.executable, "-c", code, str(tmp_path / place / "moved.py"), str(ROOT / "tests")]
        found.append(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    assert found[0] == found[1]


def test_imports_are_found_wherever_they_stand_but_not_those_for_types_alone(tmp_path: Path) -> None:
    package = tmp_path / "room"
    package.mkdir()
    for name in ("__init__", "base", "late", "typed", "beside"):
        (package / f"{name}.py").write_text("")
    (package / "module.py").write_text(
        "from typing import TYPE_CHECKING\nfrom room import base\nfrom . import beside\nimport torch\n"
        "if TYPE_CHECKING:\n    from room import typed\ndef f():\n    from room.late import g\n"
    )
    (package / "base.py").write_text("import room.module\n")  # a circle ends
    found = closure([package / "module.py"], tmp_path)
    assert {path.name for path in found} == {"__init__.py", "module.py", "base.py", "beside.py", "late.py"}
    assert imported_by(package / "typed.py", (tmp_path,)) == ()


def test_an_edit_of_the_choice_among_trials_renames_the_tuned_alone(
    edited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned = variant(tuned=Tuning(trials=2, seeds=2))
    before = [code_digest.folder_of(one) for one in (variant(), tuned)]
    monkeypatch.setattr(code_digest, "CHOICE", edited)
    after = [code_digest.folder_of(one) for one in (variant(), tuned)]
    assert after[0] == before[0]
    assert after[1] != before[1]


@pytest.mark.parametrize("kind", Model.members.values(), ids=list(Model.members))
def test_an_edit_of_a_model_trains_no_other_again(kind: type[Model]) -> None:
    others = {code_digest.file_of(other) for other in Model.members.values()} - {code_digest.file_of(kind)}
    assert others
    assert not others & set(code_digest.files_of_method(kind))
    assert code_digest.file_of(kind) in code_digest.files_of_method(kind)


@pytest.mark.parametrize("kind", Workload.members.values(), ids=list(Workload.members))
def test_an_edit_of_what_trains_a_workload_trains_no_other_again(kind: type[Workload]) -> None:
    trainers = {other: code_digest.file_of(trainer_of(other())) for other in Workload.members.values()}
    own, of_all = set(code_digest.files_of_method(kind)), set(code_digest.engine())
    assert trainers[kind] in own | of_all
    assert not (set(trainers.values()) - of_all - {trainers[kind]}) & own


def test_every_trainer_is_found_by_the_workload_that_it_trains() -> None:
    files = {*code_digest.TRAINERS.glob("*.py")} - {code_digest.TRAINERS / "__init__.py"}
    found = {file for kind in Workload.members.values() for file in code_digest.files_of_method(kind)}
    assert files
    assert files <= found
    assert not files & set(code_digest.engine())
