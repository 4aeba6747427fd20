"""What a GPU gives: parity with the CPU for every method, time and memory by the number of seeds (`make gpu-check`).

Writes docs/gpu.md. Where torch finds no GPU it says so and writes nothing. JAX is held to the CPU, so that its CUDA
build is not compared.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from study.config.variants import Variant
from study.data import Digits, load
from study.training.batches import Batches
from study.training.recorder import Recorder
from study.training.replicates import Replicates

SEEDS, STEPS, BATCH, TURNS = (1, 10, 100, 1_000), 10, 64, 5
PAGE = Path("docs/gpu.md")
HEAD = """# On a GPU

```
make gpu-check
```

compares every method's steps on the GPU with those on the CPU. It then times the tutorial's net (784-128-10, batches of
64, clip by global norm, all statistics) with many seeds at once. With `device: cuda` torch takes the steps of all seeds
of a job together; the compiled program runs only on the CPU. JAX's CUDA build is not compared.
"""
ROWS = """
| seeds | ms a step | ms a step and model | most memory, MB |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """Milliseconds by the clock of a step of all seeds, and the most MB of the device's memory."""

    seeds: int
    step: float
    memory: float

    @property
    def text(self) -> str:
        return f"| {self.seeds:,} | {self.step:.2f} | {self.step / self.seeds:.4f} | {self.memory:,.0f} |\n"


def variant(device: str) -> Variant:
    """The tutorial's setting on the digits that the repository ships."""
    return Variant.model_validate(
        {
            "regime": "gpu",
            "data": {"name": "mnist-sample", "train_size": STEPS * BATCH, "validation_size": 100},
            "model": {"name": "mlp", "hidden": [128]},
            "loss": "cross_entropy",
            "optimizer": {"name": "sgd", "lr": 0.01},
            "epochs": TURNS + 1,
            "batch_size": BATCH,
            "clip": {"name": "global_norm", "max_norm": 1.0},
            "regularization": "none",
            "statistics": {"probes": 0},
            "device": device,
        }
    )


def measured(seeds: int, digits: Digits, device: str) -> Row:
    """The median of some epochs; the first, which traces the step, does not count."""
    one = variant(device)
    batches = Batches.prepare(digits, one.data, range(seeds), device)
    replicates = Replicates.start(one, range(seeds), batches)
    recorder = Recorder.open(one, seeds, replicates.parameters)
    spent = []
    for _ in range(TURNS + 1):
        started = time.perf_counter()
        replicates.epoch(batches, recorder)  # its measurements come back to the CPU, so that it ends with the device
        spent.append(time.perf_counter() - started)
    memory = torch.cuda.max_memory_allocated() / 1e6 if device == "cuda" else 0.0
    return Row(seeds, median(spent[1:]) / STEPS * 1000, memory)


def parity() -> str:
    """The last line of the tests on the GPU; raises SystemExit where one fails."""
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "tests/gpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout)
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout.strip().splitlines()[-1]


def page(device: str, compared: str, rows: Sequence[Row]) -> str:
    """docs/gpu.md."""
    return f"{HEAD}\nOn {device}, torch {torch.__version__}. Parity: {compared}.\n{ROWS}{''.join(r.text for r in rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description="What a GPU gives.")
    parser.add_argument("--rehearse", action="store_true", help="measure on the CPU, with few seeds; writes nothing")
    rehearse, digits = parser.parse_args().rehearse, load("mnist-sample", Path())
    if rehearse:
        print(page("this CPU", "not compared", [measured(seeds, digits, "cpu") for seeds in SEEDS[:2]]))
    elif not torch.cuda.is_available():
        print("torch finds no GPU: nothing is tried, and docs/gpu.md stays as it is.")
    else:
        compared = parity()
        rows = [measured(seeds, digits, "cuda") for seeds in SEEDS]
        PAGE.write_text(page(torch.cuda.get_device_name(), compared, rows), encoding="utf-8")
        print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
