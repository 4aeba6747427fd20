"""Where runs come from: told completely, without saying whose machine it was, and mixtures are found."""

import getpass
import os
import platform
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from cases import variant

from study.methods import plugins
from study.results import code_digest, provenance, store
from study.results.provenance import Account, Provenance, differences, mixed, provenance_table

SOURCES = [
    "study/training/step.py",
    "study/models/mlp.py",
    "study/clipping/global_norm.py",
    "study/regularization/none.py",
    "study/workloads/supervised.py",
]
FILES = [provenance.ROOT / name for name in SOURCES]
METHOD = """
from typing import ClassVar, Literal
from study.clipping import Part, Rescaling


class Halving(Rescaling):
    \"\"\"Half of the gradient.\"\"\"

    acts_per: ClassVar[Part] = "model"
    name: Literal["halving"] = "halving"

    def coefficients(self, gradient, parameters, state):
        return {key: g.new_tensor(0.5) for key, g in gradient.items()}, state
"""


def test_all_that_numbers_may_depend_on_is_told() -> None:
    made = Provenance.of(variant(), FILES)
    assert made.spec == variant().digest
    assert set(made.source) == {"engine", *SOURCES[1:]}
    assert made.packages["torch"] == torch.__version__
    assert made.packages["numpy"] == np.__version__
    assert made.machine["instructions"] == torch.backends.cpu.get_cpu_capability()
    assert made.machine["cpu"] in (
        Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else platform.processor()
    )
    assert (
        made.settings.items()
        >= {
            "threads": str(torch.get_num_threads()),
            "dtype": "float32",
            "float32_products": "highest",
            "deterministic": "False",
            "flushes_denormals": "False",
            "MKL_CBWR": "AVX2,STRICT",
        }.items()
    )
    assert Provenance.parse(made.text) == made


def test_settings_are_those_in_force() -> None:
    before = Provenance.of(variant(), FILES)
    torch.set_flush_denormal(True)
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True)
    try:
        after = Provenance.of(variant(), FILES)
    finally:
        torch.set_flush_denormal(False)
        torch.set_default_dtype(torch.float32)
        torch.use_deterministic_algorithms(False)
    assert differences(before.row, after.row) == {
        "dtype": ("float32", "float64"),
        "deterministic": ("False", "True"),
        "flushes_denormals": ("False", "True"),
    }


@pytest.mark.usefixtures("registries_as_before")
def test_nothing_tells_whose_machine_it_was(tmp_path: Path) -> None:
    """A user's own method too is named by its file alone."""
    (tmp_path / "halving.py").write_text(METHOD)
    plugins.load([tmp_path / "halving.py"])
    made = Provenance.of(variant(clip={"name": "halving"}), [*FILES[:2], tmp_path / "halving.py"])
    assert "halving.py" in made.source
    values = {value for group in provenance.GROUPS for fact in getattr(made, group).items() for value in fact}
    words = {word for value in values for word in value.split()}
    assert words.isdisjoint({platform.node(), getpass.getuser()})
    for place in (tmp_path, Path.home(), provenance.ROOT):
        assert str(place) not in made.text


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_and_whether_the_code_is_that_of_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "checkout"
    used, other, new = (root / "study" / name for name in ("used.py", "other.py", "new.py"))
    used.parent.mkdir(parents=True)
    for file in (used, other):
        file.write_text("as committed")
    git(tmp_path, "init", "--quiet")
    monkeypatch.setattr(provenance, "ROOT", root)

    def told(*files: Path) -> tuple[str, bool]:
        made = Provenance.of(variant(), files)
        return made.commit, made.dirty

    assert told(used) == ("unknown", False), "a repository around the checkout is not its own"
    git(root, "init", "--quiet")
    assert told(used)[1], "nothing is committed"
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "first")
    first = git(root, "rev-parse", "HEAD")
    assert told(used, other) == (first, False)
    other.write_text("edited")
    assert told(used) == (first, False), "not the code of this training"
    assert told(used, other) == (first, True)
    new.write_text("a new file")
    assert told(used, new) == (first, True)
    monkeypatch.setenv("PATH", "")
    assert told(used) == ("unknown", False)


def test_a_digest_of_the_engine_and_one_of_each_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = tmp_path / "engine.py"
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    engine.write_text("a")
    first = Provenance.of(variant(), [engine, *FILES[1:]]).source
    engine.write_text("b")
    code_digest.digest.cache_clear()
    second = Provenance.of(variant(), [engine, *FILES[1:]]).source
    assert {key for key in first if first[key] != second[key]} == {"engine"}
    assert Provenance.of(variant(), [*FILES[1:], engine]).source == second


def made(**changes: object) -> Provenance:
    facts: dict[str, object] = {
        "spec": "0" * 64,
        "commit": "c0ffee",
        "dirty": False,
        "source": {"engine": "e1", "study/clipping/none.py": "n1"},
        "packages": {"torch": "2.0", "numpy": "2.10"},
        "machine": {"cpu": "A cpu, of 2 GHz"},
        "settings": {"threads": "1"},
    }
    return Provenance(**facts | changes)  # type: ignore[arg-type]


def runs(*counts: tuple[Provenance, int]) -> pd.DataFrame:
    """Runs with the columns of their provenance."""
    return pd.DataFrame([{"study": "example", **one.row} for one, n in counts for _ in range(n)])


def test_one_row_a_distinct_provenance_with_its_runs(tmp_path: Path) -> None:
    other = made(source={"engine": "e1", "study/clipping/value.py": "v1"})
    table = provenance_table(runs((made(), 2), (other, 5), (made(spec="1" * 64), 1)))
    assert table["runs"].tolist() == [5, 3]
    assert list(table.columns) == ["study", "runs", *provenance.COLUMNS]
    assert mixed(table) == {}, "each method has its own file"
    store.write(table, tmp_path / "provenance.csv")
    pd.testing.assert_frame_equal(store.read(tmp_path / "provenance.csv"), table)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"commit": "another"}, {}),
        ({"packages": {"torch": "2.1", "numpy": "2.10"}}, {"torch": {"2.0": 3, "2.1": 1}}),
        ({"machine": {"cpu": "B"}}, {"cpu": {"A cpu, of 2 GHz": 3, "B": 1}}),
        ({"settings": {"threads": "2"}}, {"threads": {"1": 3, "2": 1}}),
        ({"source": {"engine": "e2", "study/clipping/none.py": "n1"}}, {"engine": {"e1": 3, "e2": 1}}),
        ({"source": {"engine": "e1", "study/clipping/none.py": "n2"}}, {"study/clipping/none.py": {"n1": 3, "n2": 1}}),
    ],
)
def test_what_is_mixed(changes: dict[str, object], found: dict[str, dict[str, int]]) -> None:
    table = provenance_table(runs((made(), 3), (made(**changes), 1)))
    assert mixed(table) == found
    account = Account.of(table)
    assert account.runs == 4
    assert account.mixed == [{"what": k, "value": v, "runs": n} for k, vs in found.items() for v, n in vs.items()]
    told = {fact.rpartition(" ")[0].split()[0] for facts in account.shared.values() for fact in facts}
    assert told == {"engine", "study/clipping/none.py", "torch", "numpy", "cpu", "threads"} - set(found)


def test_uncommitted_code_and_unknown_commits_are_counted() -> None:
    table = provenance_table(runs((made(), 3), (made(dirty=True), 2), (made(commit="unknown"), 1)))
    account = Account.of(table)
    assert (account.uncommitted, account.commits, account.mixed) == (2, ["c0ffee"], [])
