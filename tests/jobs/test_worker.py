"""The process of a pack: what fails or is killed holds up none beside it, and no training outlives it."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cases import variant

from study.jobs.progress import last_words
from study.results import code_digest, store
from study.utils.imports import ROOT

pytestmark = pytest.mark.slow

DEADLY = """from typing import Literal
import os, signal
from study.clipping import Clipping

class Deadly(Clipping):
    name: Literal["deadly"] = "deadly"

    def clip(self, gradient, parameters, state):
        if os.environ.get("DEADLY"):
            os.kill(os.getpid(), signal.SIGKILL)
        return gradient, state
"""
IN_CHILD = """
import os, sys, time
from study.jobs.worker import in_child
{}
"""
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="trainings have processes of their own on Linux alone")


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python on some code, in a process from which others may be forked."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True, check=False
    )


@on_linux
def test_a_childs_end_is_told() -> None:
    kill = "lambda: os.kill(os.getpid(), 9)"
    code = f"print([*in_child([int, lambda: 3])], [*in_child([int, {kill}, int])], [*in_child([lambda: os._exit(0)])])"
    assert run(IN_CHILD.format(code)).stdout == "[0, 3] [0, -9] [1]\n"


@on_linux
def test_a_child_ends_with_the_first_that_fails_in_it() -> None:
    code = "print([*in_child([int, lambda: 1, lambda: print('not called', flush=True) or 0])])"
    assert run(IN_CHILD.format(code)).stdout == "[0, 1]\n"


@on_linux
def test_what_a_child_leaves_behind_does_not_reach_the_next() -> None:
    code = "seen = []\nprint([[*in_child([lambda: (seen.append(1), len(seen))[1]])] for _ in range(3)])"
    assert run(IN_CHILD.format(code)).stdout == "[[1], [1], [1]]\n"


@on_linux
def test_no_child_outlives_its_parent() -> None:
    code = "[*in_child([lambda: (print(os.getpid(), flush=True), time.sleep(60))])]"
    with subprocess.Popen([sys.executable, "-c", IN_CHILD.format(code)], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    end = time.monotonic() + 10
    with suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.kill(child, 0)
            time.sleep(0.05)
        pytest.fail("the child lives on")


@pytest.fixture
def orders(tmp_path: Path) -> list[dict[str, Any]]:
    """Trainings of a moment: one well, one whose process is killed, one refused, one well."""
    data = {"name": "mnist-sample", "train_size": 100, "validation_size": 100}
    fine = variant(epochs=1, data=data, statistics={"probes": 0})
    (tmp_path / "deadly.py").write_text(DEADLY)
    deadly = {**fine.model_dump(mode="json"), "clip": {"name": "deadly"}}

    def order(name: str, spec: str, **others: Any) -> dict[str, Any]:
        folder = tmp_path / name
        tables = {table: str(folder / f"{table}.parquet") for table in store.TABLES}
        code = code_digest.fingerprint(fine)
        base = {"study": "s", "seeds": "0", "log": str(tmp_path / f"{name}.log"), "data": "", "plugins": []}
        return {**base, "spec": spec, "tables": tables, "code": code, **others}

    spec = fine.model_dump_json()
    return [
        order("one", spec),
        order("killed", json.dumps(deadly), plugins=[str(tmp_path / "deadly.py")], code=None),
        order("refused", spec, code={"engine": "other"}),
        order("two", spec),
    ]


@on_linux
def test_a_training_that_fails_or_is_killed_holds_up_none_beside_it(
    orders: list[dict[str, Any]], tmp_path: Path
) -> None:
    code = "import sys, json; from study.jobs import worker; sys.exit(worker.train_all(json.load(open(sys.argv[1]))))"
    (tmp_path / "orders.json").write_text(json.dumps(orders))
    done = run(code, str(tmp_path / "orders.json"), DEADLY="1")
    assert done.returncode == 2, done.stderr
    assert {path.parent.name for path in tmp_path.glob("*/weights.parquet")} == {"one", "two"}
    assert "must stay as it is" in last_words(tmp_path / "refused.log")
    assert last_words(tmp_path / "killed.log") == "The training's process was ended by SIGKILL."
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*.parquet")}
    again = run(code, str(tmp_path / "orders.json"))
    assert again.returncode == 1, again.stderr
    assert (tmp_path / "killed" / "weights.parquet").exists(), "it is tried again, and nothing else is"
    assert {path: path.stat().st_mtime_ns for path in before} == before
