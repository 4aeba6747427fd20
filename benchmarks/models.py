"""What a step costs by model and by number of replicates, stacked or one by one; and the ways to write a convolution.

    .venv/bin/python benchmarks/models.py [--turns 15] [--only lenet]

Milliseconds of processor time per step and replicate, on one thread: gradient and clip of batches of 64, traced, no
optimizer. The ways take turns, so that a busy machine slows all of them; the median over the turns is shown, and
written with the least to results/bench/models.json. Peak memory is that of a process of its own, above what it had
before its first step.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from study.models import Site, untouched  # noqa: E402
from study.models import lenet as ours  # noqa: E402
from study.tracing import traced  # noqa: E402
from study.training import Chain, one_hot  # noqa: E402
from study.variants import Variant  # noqa: E402

BATCH, REPLICATES = 64, (1, 5, 10)
Step = Callable[[], object]
MODELS: Mapping[str, Any] = {
    "mlp": {"name": "mlp", "hidden": [128]},
    "mlp 20x50": {"name": "mlp", "hidden": [50] * 20, "activation": "tanh", "init": "xavier"},
    "lenet": {"name": "lenet"},
    "row_rnn": {"name": "row_rnn"},
}


def by_functional_unfold(maps: Tensor, side: int) -> Tensor:
    """F.unfold, brought to the order of rows, columns, channels."""
    high, wide = (size - side + 1 for size in maps.shape[1:3])
    found = F.unfold(maps.movedim(-1, 1), side).unflatten(1, (maps.shape[-1], -1))
    return found.permute(0, 3, 2, 1).flatten(2).unflatten(1, (high, wide))


def by_tensor_unfold(maps: Tensor, side: int) -> Tensor:
    """Views of windows, copied when they are flattened."""
    return maps.unfold(1, side, 1).unfold(2, side, 1).movedim(3, -1).flatten(3)


def by_slices(maps: Tensor, side: int) -> Tensor:
    """Each shift of both axes a slice."""
    high, wide = (size - side + 1 for size in maps.shape[1:3])
    return torch.cat([maps[:, i : i + high, j : j + wide] for i in range(side) for j in range(side)], dim=-1)


class ByConvolution(ours.Convolutional):
    """torch's own convolution, which vmap turns into one of as many groups as replicates; no layer is called in it."""

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        maps = F.pad(site("input", x).unflatten(1, (1, 28, 28)), (2, 2, 2, 2))
        for kernel in self.kernels:
            weight = kernel.weight.unflatten(1, (5, 5, -1)).permute(0, 3, 1, 2)
            maps = F.avg_pool2d(self.activation(F.conv2d(maps, weight, kernel.bias)), 2)
        h = maps.flatten(1)
        for layer in self.layers[:-1]:
            h = self.activation(layer(h))
        return self.layers[-1](h)


CONVOLUTIONS: Mapping[str, Any] = {
    "shifted rows, then columns (the model's)": ours.patches,
    "shifted slices": by_slices,
    "F.unfold": by_functional_unfold,
    "Tensor.unfold": by_tensor_unfold,
    "torch's convolution": None,
}


def chain(model: Any) -> Chain:
    variant = Variant.model_validate(
        {
            "regime": "bench",
            "data": {"name": "mnist-sample", "train_size": 10 * BATCH, "validation_size": 100},
            "model": model,
            "loss": "cross_entropy",
            "optimizer": {"name": "sgd", "lr": 0.01},
            "epochs": 1,
            "batch_size": BATCH,
            "clip": {"name": "global_norm", "max_norm": 1.0},
            "regularization": "none",
            "statistics": {"every_step": False},
        }
    )
    return Chain(variant, variant.model.build(784, 10))


def arguments(c: Chain, seed: int) -> tuple[Any, ...]:
    """What a step of one model takes."""
    random = torch.Generator().manual_seed(seed)
    parameters = c.variant.model.initialise(c.module, random)
    targets = one_hot(torch.randint(0, 10, (BATCH,), generator=random), 10)
    return parameters, c.initial_memory(parameters), torch.randn(BATCH, 784, generator=random), targets, {}


def together(arguments: list[Any]) -> Any:
    """Trees of tensors, stacked."""
    if isinstance(arguments[0], Tensor):
        return torch.stack(arguments)
    return {key: together([one[key] for one in arguments]) for key in arguments[0]}


def stacked(c: Chain, replicates: int) -> Step:
    """As the engine does it: mapped over the replicates, traced once."""
    inputs = tuple(together(list(each)) for each in zip(*(arguments(c, r) for r in range(replicates)), strict=True))
    graph = traced(c.plain_gradient_step, inputs)
    return lambda: graph(*inputs)


def one_by_one(c: Chain, replicates: int) -> Step:
    """The step of one model, traced once and called for each replicate."""
    each = [arguments(c, r) for r in range(replicates)]
    graph = make_fx(lambda *given: c.plain_gradient_step(*given))(*each[0])
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return lambda: [graph(*one) for one in each]


def with_convolution(way: Any, make: Callable[[Chain, int], Step], replicates: int) -> Step:
    """A step of lenet with its patches made another way, or with torch's convolution."""
    c = chain({"name": "lenet"})
    if way is None:
        module: nn.Module = ByConvolution(10, torch.tanh)
        return make(Chain(c.variant, module), replicates)
    with patch.object(ours, "patches", way):
        return make(c, replicates)


def timed(steps: Mapping[str, Step], replicates: int, turns: int) -> dict[str, dict[str, float]]:
    """Median and least milliseconds per step and replicate, the steps taking turns."""
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(turns + 2):
        for name, step in steps.items():
            started = time.process_time()
            step()
            if turn >= 2:  # the first warm up
                spent[name].append((time.process_time() - started) * 1000 / replicates)
    return {name: {"median": statistics.median(ms), "least": min(ms)} for name, ms in spent.items()}


def peak(model: str, replicates: int) -> float:
    """MB that two stacked steps need beyond what was there before, in a process of its own."""
    command = [sys.executable, __file__, "--peak", model, str(replicates)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def own_peak(model: str, replicates: int) -> float:
    step = stacked(chain(MODELS["mlp"]), 1)  # what torch loads at its first step is no model's
    step()
    before = most_used()
    step = stacked(chain(MODELS[model]), replicates)
    step()
    step()
    return most_used() - before


def most_used() -> float:
    """The most memory that this process ever had, in MB; getrusage would count in the process that started it."""
    line = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert line
    return int(line[1]) / 1024


def shown(found: Mapping[str, Mapping[str, float]]) -> None:
    for name, ms in found.items():
        print(f"  {name:<55} {ms['median']:8.3f}  (least {ms['least']:.3f})", flush=True)


def measure(models: list[str], turns: int) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for replicates in REPLICATES:
        steps = {
            f"{name}, {way.__name__}": way(chain(MODELS[name]), replicates)
            for name in models
            for way in (stacked, one_by_one)
        }
        print(f"{replicates} replicates: ms per step and replicate")
        shown(found := timed(steps, replicates, turns))
        results[f"models, {replicates} replicates"] = found
    if "lenet" in models:
        for replicates in (1, 10):
            steps = {
                f"{name}, {make.__name__}": with_convolution(way, make, replicates)
                for name, way in CONVOLUTIONS.items()
                for make in (stacked, one_by_one)
            }
            print(f"convolutions, {replicates} replicates: ms per step and replicate")
            shown(found := timed(steps, replicates, turns))
            results[f"convolutions, {replicates} replicates"] = found
    results["peak MB of 10 stacked replicates"] = {name: peak(name, 10) for name in models}
    print("peak MB of 10 stacked replicates:", results["peak MB of 10 stacked replicates"])
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--only", choices=sorted(MODELS), nargs="*", default=list(MODELS))
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.peak:
        print(own_peak(given.peak[0], int(given.peak[1])))
        return
    results = measure(given.only, given.turns)
    path = ROOT / "results/bench/models.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
