"""Steps of a generator and a discriminator beside the plain loop of torch: `python -m benchmarks.adversarial`.

64-256-256-784 against 784-256-256-1 in batches of 100 MNIST digits, with a clip of the discriminator's gradient,
without and with a penalty on its slopes. One thread; both take turns and start from the same weights. Shows first that
both come to the same weights, then processor milliseconds a step of both players.
"""

from benchmarks.speed import core

core.pin()  # before the libraries below look for cores

import time  # noqa: E402
from itertools import pairwise  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import median  # noqa: E402

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from study.config.variants import Variant  # noqa: E402
from study.data import load  # noqa: E402
from study.optim.rng import generator  # noqa: E402
from study.training.batches import Batches  # noqa: E402
from study.training.recorder import Recorder  # noqa: E402
from study.training.trainers.adversarial import Adversaries  # noqa: E402
from study.utils import malloc  # noqa: E402

TURNS = 5
CLOSE = 1e-2  # relative distance of a tensor after the first turn: rounding grows over 100 steps
CLIP, STRENGTH, LR = 1.0, 0.1, 0.05
PENALTIES = {"no penalty": "none", "R1": {"name": "r1", "strength": STRENGTH}}
VARIANT = {
    "regime": "steps",
    "workload": {"name": "adversarial", "samples": 10},
    "data": {"name": "mnist", "train_size": 10_000},
    "model": {"name": "mlp", "hidden": [256, 256]},
    "loss": "cross_entropy",
    "optimizer": {"name": "sgd", "lr": LR},
    "epochs": TURNS + 1,
    "batch_size": 100,
    "clip": {"name": "global_norm", "max_norm": CLIP},
    "regularization": "none",
    "statistics": {"every_step": False, "probes": 0},
}


class Plain:
    """What anyone would write: two modules, two optimizers."""

    def __init__(self, ours: Adversaries, batches: Batches) -> None:
        self.low, self.high = float(batches.images.min()), float(batches.images.max())
        self.generator, self.discriminator = perceptron([64, 256, 256, 784]), perceptron([784, 256, 256, 1])
        self.modules = {"discriminator": self.discriminator, "generator": self.generator}
        for name, module in self.modules.items():
            own = [p for key, p in ours.model(0).parameters.items() if key.startswith(name)]
            module.load_state_dict({key: p.clone() for key, p in zip(module.state_dict(), own, strict=True)})
        self.optimizers = {name: torch.optim.SGD(module.parameters(), LR) for name, module in self.modules.items()}
        self.latent = generator(0, "latent")

    def make(self, rows: int) -> Tensor:
        latent = torch.randn(rows, 64, generator=self.latent)
        return self.low + (self.high - self.low) * torch.sigmoid(self.generator(latent))

    def step(self, real: Tensor, strength: float) -> None:
        self.discriminator.zero_grad()
        real = real.requires_grad_() if strength else real
        with torch.no_grad():
            made = self.make(len(real))
        on_real, on_made = self.discriminator(real), self.discriminator(made)
        loss = F.softplus(-on_real).mean() + F.softplus(on_made).mean()
        if strength:
            (slopes,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
            loss = loss + strength / 2 * slopes.square().sum(1).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(self.discriminator.parameters(), CLIP)
        self.optimizers["discriminator"].step()
        self.generator.zero_grad()
        F.softplus(-self.discriminator(self.make(len(real)))).mean().backward()
        self.optimizers["generator"].step()

    def apart(self, ours: Adversaries) -> float:
        """The largest relative distance of a tensor."""
        own = [p for module in self.modules.values() for p in module.parameters()]
        both = zip(own, ours.model(0).parameters.values(), strict=True)
        return max(float((p.detach() - theirs.detach()).norm() / theirs.detach().norm()) for theirs, p in both)


def perceptron(widths: list[int]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def timed(penalty: object) -> tuple[float, float, float]:
    """Milliseconds a step of the engine and of the plain loop, and how far apart they are after the first turn."""
    v = Variant.model_validate({**VARIANT, "regularization": penalty})
    batches = Batches.prepare(load("mnist", Path("data/mnist")), v.data, [0], "cpu")
    ours = Adversaries.start(v, [0], batches)
    plain, recorder = Plain(ours, batches), Recorder.open(v, 1, ours.parameters)
    ours.note = lambda batches: None  # type: ignore[method-assign]  # scores are no part of a step
    drawn: list[tuple[Tensor, Tensor]] = []
    given = ours.rows_of_epoch
    ours.rows_of_epoch = lambda batches: drawn[-1]  # type: ignore[method-assign]
    times, apart = list[tuple[float, float]](), 0.0
    for turn in range(TURNS + 1):  # the first compiles
        drawn.append(given(batches))
        rows = drawn[-1][0][0]
        started = time.process_time()
        ours.epoch(batches, recorder)
        between = time.process_time()
        for some in rows:
            plain.step(batches.images[some], 0.0 if penalty == "none" else STRENGTH)
        times.append((between - started, time.process_time() - between))
        apart = plain.apart(ours) if turn == 0 else apart
    engine, loop = (1000 * median(side) / len(rows) for side in zip(*times[1:], strict=True))
    return engine, loop, apart


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    malloc.keep_freed()
    print("| a step of both players | this engine, ms | plain loop of torch, ms | ratio |\n|---|---|---|---|")
    for name, penalty in PENALTIES.items():
        engine, loop, apart = timed(penalty)
        if apart > CLOSE:
            raise SystemExit(f"Both must come to the same weights. Got a relative distance of {apart:.1e} instead.")
        print(f"| {name} | {engine:.2f} | {loop:.2f} | {engine / loop:.2f} |")


if __name__ == "__main__":
    main()
