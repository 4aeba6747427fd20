"""A plain training loop of torch's own layers, for one seed: what the stacked, traced engine must come to."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import lr_scheduler

from study.config.variants import Variant
from study.data import Digits, split
from study.optim.rng import generator, stream_seed

Loop = dict[str, list[float]]
GLOBAL = {"name": "global_norm", "max_norm": 0.5}
LONG = {
    "data": {"name": "mnist-sample", "train_size": 200, "validation_size": 50, "label_noise": 0.1},
    "epochs": 5,
    "optimizer": {"name": "sgd", "lr": 0.3},
    "clip": "none",
}  # 50 steps


def nothing(parameters: Sequence[Tensor]) -> None:
    """No clip."""


def no_penalty(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> float:
    return 0.0


def unscheduled(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
    return lr_scheduler.ConstantLR(optimizer, factor=1)


class PlainDropout(nn.Module):
    """Inverted dropout that draws its uniform numbers from a given generator."""

    def __init__(self, p: float, random: torch.Generator) -> None:
        super().__init__()
        self.p, self.random = p, random

    def forward(self, h: Tensor) -> Tensor:
        return h * (torch.rand(h.shape, generator=self.random) >= self.p) / (1 - self.p) if self.training else h


def plain_loop(
    digits: Digits,
    v: Variant,
    seed: int,
    optimizer: Callable[[Any], torch.optim.Optimizer],
    clip: Callable[[Sequence[Tensor]], object] = nothing,
    penalty: Callable[[Sequence[Tensor], Sequence[Tensor]], Any] = no_penalty,
    dropout: float = 0.0,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    schedule: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler] = unscheduled,
) -> Loop:
    """What anyone would write with torch for one seed; only the random streams are the study's."""
    data, streams = v.data, {name: stream_seed(seed, name) for name in ("split", "label-noise")}
    chosen = split(
        digits,
        train_size=data.train_size,
        validation_size=data.validation_size,
        label_noise=data.label_noise,
        split_seed=streams["split"],
        noise_seed=streams["label-noise"],
    )
    images = ((digits.train_images.float() / 255) - digits.mean) / digits.std
    x, y = images[chosen.train], chosen.labels
    masks = generator(seed, "dropout")
    layers: list[nn.Module] = []
    for a, b in pairwise((784, *v.model.hidden)):
        norm = v.model.batch_norm
        layers += [nn.Linear(a, b, bias=not norm), *([nn.BatchNorm1d(b)] if norm else [])]
        layers += [{"relu": nn.ReLU(), "tanh": nn.Tanh()}[v.model.activation]]
        layers += [PlainDropout(dropout, masks)]
    model = nn.Sequential(*layers, nn.Linear(v.model.hidden[-1], 10))
    initial = v.model.initialise(v.model.build(784, 10), generator(seed, "init"))
    started = {kind: iter([p for key, p in initial.items() if key.startswith(kind)]) for kind in ("layers", "norms")}
    for layer in model:
        for p in layer.parameters():
            p.detach().copy_(next(started["norms" if isinstance(layer, nn.BatchNorm1d) else "layers"]))
    stepper, order = optimizer(model.parameters()), generator(seed, "order")
    scheduler = schedule(stepper)
    log: Loop = {"loss": [], "norm_before": [], "norm_after": [], "update_ratio": [], "validation_loss": []}
    for _ in range(v.epochs):
        permutation = torch.randperm(len(x), generator=order)
        for at in range(0, len(x) - v.batch_size + 1, v.batch_size):
            rows = permutation[at : at + v.batch_size]
            parameters = list(model.parameters())
            value = loss(model(x[rows]), y[rows])
            stepper.zero_grad()
            weights, biases = ([p for p in parameters if (p.ndim > 1) == heavy] for heavy in (True, False))
            (value + penalty(weights, biases)).backward()
            log["loss"].append(float(value.detach()))
            log["norm_before"].append(size([p.grad for p in parameters]))
            clip(parameters)
            log["norm_after"].append(size([p.grad for p in parameters]))
            old = [p.detach().clone() for p in parameters]
            stepper.step()
            scheduler.step()
            moved = [p.detach() - q for p, q in zip(parameters, old, strict=True)]
            log["update_ratio"].append(size(moved) / size(parameters))
        model.eval()
        with torch.no_grad():
            held_out = F.cross_entropy(model(images[chosen.validation]), digits.train_labels[chosen.validation])
        log["validation_loss"].append(float(held_out))
        model.train()
    return log


def size(tensors: Sequence[Tensor | None]) -> float:
    return float(torch.cat([t.detach().flatten() for t in tensors]).norm())


def sgd(**more: Any) -> Callable[[Any], torch.optim.Optimizer]:
    return lambda parameters: torch.optim.SGD(parameters, lr=0.3, **more)
