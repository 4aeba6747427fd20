"""What clipping by sample costs: ms of one processor per step and replicate, side by side in one run on one thread.

    .venv/bin/python benchmarks/per_sample.py

A net 784-128-10, batches of 64, 10 replicates at once. The ways take turns and the processor's time is counted, so that
a busy machine slows none of them alone; the median over the turns is shown and written to
results/bench/per_sample.json.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value, vmap

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from study.batches import Batches  # noqa: E402
from study.data import load  # noqa: E402
from study.journal import Journal  # noqa: E402
from study.replicates import Replicates  # noqa: E402
from study.tracing import traced  # noqa: E402
from study.training import Chain, Direction, Memory  # noqa: E402
from study.variants import Variant  # noqa: E402

Tensors = dict[str, Tensor]
Step = Callable[[], None]
REPLICATES, BATCH, BOUND = 10, 64, 1.0
CLIPS: Mapping[str, Any] = {
    "none": "none",
    "global_norm": {"name": "global_norm", "max_norm": BOUND},
    "per_sample": {"name": "per_sample", "max_norm": BOUND},
}
NAIVE = "per_sample by vmap(grad)"


def variant(clip: Any, every_step: bool) -> Variant:
    return Variant.model_validate(
        {
            "regime": "bench",
            "data": {"name": "mnist-sample", "train_size": 10 * BATCH, "validation_size": 100},
            "model": {"name": "mlp", "hidden": [128]},
            "loss": "cross_entropy",
            "optimizer": {"name": "sgd", "lr": 0.01},
            "epochs": 1000,
            "batch_size": BATCH,
            "clip": clip,
            "regularization": "none",
            "statistics": {"every_step": every_step, "probes": 0},
        }
    )


def prepared(clip: Any, every_step: bool = False, naive: bool = False) -> Step:
    """A training that has taken its first step, as a function that takes one more."""
    v, seeds = variant(clip, every_step), range(REPLICATES)
    batches = Batches.prepare(load("mnist-sample", Path()), v.data, seeds, v.device)
    replicates = Replicates.start(v, seeds, batches)
    journal = Journal.open(v, REPLICATES, replicates.parameters)
    rows, labels = batches.epoch()
    x, targets = batches.gather(rows[:, :BATCH], labels[:, :BATCH])
    if naive:
        inputs = (dict(replicates.parameters), replicates.memory, x, targets, {})
        replicates.gradient_step = traced(naive_step(replicates.chain), inputs)

    @torch.no_grad()
    def step() -> None:
        replicates.step(x, targets, journal)

    step()
    return step


def naive_step(chain: Chain) -> Callable[..., tuple[Direction, Memory, Tensors]]:
    """The clip by a gradient of every sample, each as large as the model."""

    def sample_loss(parameters: Tensors, x: Tensor, target: Tensor) -> Tensor:
        return chain.variant.loss.value(functional_call(chain.module, parameters, (x[None],)), target[None])

    def step(parameters: Tensors, memory: Memory, x: Tensor, targets: Tensor, noise: Any) -> Any:
        each, losses = vmap(grad_and_value(sample_loss), in_dims=(None, 0, 0))(parameters, x, targets)
        norms = torch.stack([torch.linalg.vector_norm(g.flatten(1), dim=1) for g in each.values()])
        weights = torch.clamp(BOUND / (torch.linalg.vector_norm(norms, dim=0) + 1e-6), max=1.0) / BATCH
        mean = {key: torch.tensordot(weights, g, 1) for key, g in each.items()}
        return Direction(mean, {}), memory, {"loss": losses.mean()}

    return step


def ways() -> dict[str, Step]:
    """Every way, ready to step."""
    made = {
        f"{name}, statistics {'on' if on else 'off'}": prepared(clip, on)
        for name, clip in CLIPS.items()
        for on in (False, True)
    }
    return {**made, NAIVE: prepared(CLIPS["per_sample"], naive=True)}


def measured(steps: Mapping[str, Step], turns: int, steps_a_turn: int) -> dict[str, float]:
    """Median ms of processor time per step and replicate of each way."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(turns):
        for name, step in steps.items():
            started = time.process_time()
            for _ in range(steps_a_turn):
                step()
            times[name].append(1e3 * (time.process_time() - started) / steps_a_turn / REPLICATES)
    return {name: statistics.median(each) for name, each in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=31)
    parser.add_argument("--steps", type=int, default=2, help="steps a turn")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench" / "per_sample.json")
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = measured(ways(), given.turns, given.steps)
    reference = found["none, statistics off"]
    print(f"{'way':32} {'ms':>8} {'times none':>11}")
    for name, ms in found.items():
        print(f"{name:32} {ms:8.3f} {ms / reference:11.2f}")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    setting = {"net": [784, 128, 10], "batch": BATCH, "replicates": REPLICATES, "threads": 1}
    result = {**setting, "torch": torch.__version__, "ms_per_step_and_replicate": found}
    given.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
