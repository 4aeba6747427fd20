"""Surroundings and losses that once led a study astray: records, copies, plugins, texts, paths, data, environment."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from tests.checkout import Checkout, copied

pytestmark = pytest.mark.workflow

RUNS = "results/smoke/runs.parquet"
HELPED = """from typing import Literal
import torch
from study.optim.optimizers import Optimizer
from factors_of_mine import FACTOR


class Rule(torch.optim.Optimizer):
    def __init__(self, parameters):
        super().__init__(parameters, {"lr": 0.1})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(FACTOR * group["lr"] * p.grad.sign())


class Signs(Optimizer):
    name: Literal["signs"] = "signs"

    def build(self, parameters):
        return Rule(list(parameters))
"""


def test_without_records_trainings_are_judged_by_their_code(finished: Checkout) -> None:
    shutil.rmtree(finished.root / ".snakemake")
    assert "train" not in finished.planned()
    assert finished.planned("--config", "seeds=2", "--", RUNS) == {"collect": 1}, "what it is made of is not known"
    finished.edit("study/clipping/global_norm.py", lambda text: f"{text}\nedited = 1\n")
    assert finished.planned("--", RUNS).keys() == {"train", "collect"}
    assert finished.trainings_to_do() == 4


def test_results_copied_into_a_fresh_clone_are_not_trained_again(finished: Checkout, fresh: Checkout) -> None:
    shutil.copytree(finished.results, fresh.results)
    planned = fresh.planned()
    assert "train" not in planned
    assert planned["collect"] == 5


def test_data_that_was_purged_under_its_stamp_is_fetched_again(fresh: Checkout) -> None:
    fresh.edit("config/smoke.yaml", lambda text: text.replace("name: mnist-sample", "name: mnist"))
    (fresh.root / "data/mnist").mkdir(parents=True)
    for name in (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ):
        (fresh.root / "data/mnist" / name).touch()
    (fresh.root / "data/mnist.verified").touch()
    assert "data" not in fresh.planned("--", RUNS)
    (fresh.root / "data/mnist/t10k-labels-idx1-ubyte").unlink()
    assert fresh.planned("--", RUNS)["data"] == 1


def test_a_plugin_with_a_helper_in_a_folder_with_spaces_from_a_notebook(tmp_path: Path) -> None:
    """An optimizer; its path with braces, as in the description; the environment in a path with a space; MPLBACKEND."""
    (tmp_path / "a b" / "my study").mkdir(parents=True)
    checkout = copied(tmp_path / "a b" / "my study")
    (checkout.root / ".venv").symlink_to(Path(sys.executable).parents[1])
    own = checkout.root / "own {files}"
    own.mkdir()
    (own / "signs.py").write_text(HELPED)
    (own / "factors_of_mine.py").write_text("FACTOR = 0.1\n")
    (checkout.root / "own.yaml").write_text(
        'name: smoke\ndescription: "Braces $c_{max}$."\nplugins: ["own {files}/signs.py"]\nfigures: [heatmap]\n'
        "seeds: 2\nstatistics: {probes: 0, windows: 10, curve_samples: 100}\n"
        "regimes:\n  a:\n    data: {name: mnist-sample, train_size: 100, validation_size: 100}\n"
        "    description: Of {every} kind.\n    model: {name: mlp, hidden: [4]}\n    epochs: 1\n"
        "    optimizer: {name: signs, lr: 0.1}\n"
    )
    python = checkout.root / ".venv" / "bin" / "python"

    def run(*arguments: str) -> str:
        command = [str(python), "-m", "snakemake", "--configfile", "own.yaml", *arguments]
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/dev/null", "MPLBACKEND": "module://not_here.backend"}
        done = subprocess.run(command, cwd=checkout.root, env=environment, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("--cores", "1", "--", RUNS, "results/smoke/paper/figures/heatmap.png")
    assert set(pd.read_parquet(checkout.root / RUNS)["seed"]) == {0, 1}
    run("-n")
    assert "Nothing to be done" in run("-n", "--", RUNS)
    (own / "factors_of_mine.py").write_text("FACTOR = 0.2\n")
    assert "train" in run("-n", "--quiet", "rules", "--", RUNS).partition("Job stats")[2]


def test_another_working_folder_is_given_all_it_needs(fresh: Checkout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert fresh.planned("--directory", str(tmp_path / "elsewhere"), "--", RUNS).keys() == {"train", "collect"}


@pytest.mark.parametrize("while_", ["it plans", "it trains"])
def test_ctrl_c_is_answered_by_one_sentence_however_often_it_is_pressed(fresh: Checkout, while_: str) -> None:
    command = fresh.command("--cores", "1", "--", RUNS)
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, cwd=fresh.root, **pipes) as study:  # type: ignore[call-overload]
        said, until = "", "arguments.\n" if while_ == "it plans" else "on 1 core\n"
        while not said.endswith(until):
            said += study.stderr.readline()
        for _ in range(4):  # to all processes of the terminal, as Ctrl-C is
            time.sleep(0.3)
            with suppress(ProcessLookupError):
                os.killpg(study.pid, signal.SIGINT)
        assert study.stderr.read() == "Stopped. The same command goes on.\n"
    assert study.returncode
    assert fresh.planned("--", RUNS).keys() == {"train", "collect"}, "nothing is locked"


def test_ctrl_c_is_answered_while_snakemake_itself_is_loaded(fresh: Checkout) -> None:
    command = [sys.executable, "-X", "importtime", "workflow/start.py", "-n"]
    with subprocess.Popen(command, cwd=fresh.root, stderr=subprocess.PIPE, text=True, start_new_session=True) as study:
        assert study.stderr
        while "snakemake" not in study.stderr.readline():
            assert study.poll() is None
        os.killpg(study.pid, signal.SIGINT)
        said = [line for line in study.stderr if not line.startswith("import time:")]
    assert said == ["Stopped. The same command goes on.\n"]
    assert study.returncode


def test_a_file_where_the_results_go_is_said(fresh: Checkout) -> None:
    (fresh.root / "results").mkdir()
    (fresh.root / "results/smoke").touch()
    printed = fresh.snakemake("-n", expect=1)
    assert "The path 'results/smoke' must be a folder that can be written. Got a file instead." in printed
    assert "Traceback" not in printed
