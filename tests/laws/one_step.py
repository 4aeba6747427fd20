"""All that a regularizer may be asked in one step of a small net, whose input is an image of nine pixels."""

from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from study.regularization import Objective, Regularization

Tensors = dict[str, Tensor]
SHAPES = {"layers.0.weight": (4, 9), "layers.0.bias": (4,), "layers.1.weight": (2, 4), "layers.1.bias": (2,)}
SITES = {"input": (5, 9), "hidden0": (5, 4)}


class Step:
    """All that a regularizer may be asked in one step of a net 9-4-2, with random tensors in; `count` replicates."""

    def __init__(self, method: Regularization, seed: int, count: int = 1) -> None:
        random = torch.Generator().manual_seed(seed)
        self.method = method
        self.w = {key: torch.randn(count, *shape, generator=random) for key, shape in SHAPES.items()}
        self.g = {key: torch.randn(count, *shape, generator=random) for key, shape in SHAPES.items()}
        self.h = {site: torch.randn(count, *shape, generator=random) for site, shape in SITES.items()}
        self.targets = torch.randn(count, 5, 2, generator=random).softmax(-1)
        draws = method.noise(SITES, {key: w[0] for key, w in self.w.items()})
        self.noise = {key: torch.empty(count, *draw.shape) for key, draw in draws.items()}
        for key, draw in draws.items():
            for row in self.noise[key]:
                draw.fill(row, random)
        states = [method.initial_state({key: w[r] for key, w in self.w.items()}) for r in range(count)]
        self.state = {key: torch.stack([state[key] for state in states]) for key in states[0]}

    @property
    def given(self) -> tuple[Any, ...]:
        return self.w, self.g, self.h, self.targets, self.noise, self.state

    def alone(self, r: int) -> tuple[Any, ...]:
        return pytree.tree_map(lambda t: t[r], self.given)

    def everything(
        self, w: Tensors, g: Tensors, h: Tensors, targets: Tensor, noise: Tensors, state: Tensors
    ) -> dict[str, Any]:
        """What every hook answers."""
        method, x = self.method, h["input"]
        made: dict[str, Any] = {"batch": method.batch(x, targets, noise)}
        made |= {site: method.activation(site, each, noise) for site, each in h.items()}
        made |= {"penalized": method.penalized_gradient(g, w), "ascent": method.ascent(g, w)}
        made |= {"before": method.before_clip(g, w, noise, state), "after": method.after_clip(g, w, noise, state)}
        made |= {"update": method.update(w, 0.1, state), "evaluated": method.evaluated(w, state)}
        if method.overrides("penalty"):
            made["penalty"] = method.penalty(w)
        if method.overrides("data_penalty"):
            seen = Objective(x, lambda p: -(targets * network(p, x).log_softmax(-1)).sum(-1).mean(), network)
            made["data_penalty"] = method.data_penalty(w, seen, noise)
        return made


def network(p: Tensors, x: Tensor) -> Tensor:
    first, first_bias, last, last_bias = p.values()
    return torch.nn.functional.linear(torch.nn.functional.linear(x, first, first_bias).tanh(), last, last_bias)
