"""What the oracles of clippings have in common: gradients of a small net, and other libraries' clips as functions."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor, nn

from study.clipping import Clipping

Tensors = dict[str, Tensor]
Net = tuple[Tensors, Tensors]  # gradient and parameters
SHAPES = {"layers.0.weight": (5, 7), "layers.0.bias": (5,), "layers.1.weight": (3, 5), "layers.1.bias": (3,)}
BOUNDS = st.floats(1e-3, 100.0)
FEW = settings(max_examples=30)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def nets(draw: st.DrawFn) -> Net:
    """A gradient at some scale, and parameters, one tensor of which is zero as a fresh bias may be."""
    random = torch.Generator().manual_seed(draw(SEEDS))
    scale = 10.0 ** draw(st.integers(-3, 2))
    gradient = {key: scale * torch.randn(shape, generator=random) for key, shape in SHAPES.items()}
    parameters = {key: 0.1 * torch.randn(shape, generator=random) for key, shape in SHAPES.items()}
    return gradient, {**parameters, "layers.0.bias": torch.zeros(5)}


def trajectory(seed: int, steps: int) -> list[Tensors]:
    """The gradients of a training: of norms around 8 that drift, each seventh or so a spike of up to 100 times it."""
    random = torch.Generator().manual_seed(seed)
    gradients = []
    for step in range(steps):
        spike = 10 ** (2 * float(torch.rand((), generator=random))) if torch.rand((), generator=random) < 0.15 else 1.0
        scale = spike * (1 + 0.3 * math.sin(step / 10))
        gradients.append({key: scale * torch.randn(shape, generator=random) for key, shape in SHAPES.items()})
    return gradients


def zeros() -> Tensors:
    return {key: torch.zeros(shape) for key, shape in SHAPES.items()}


def clip(method: Clipping, gradient: Tensors, parameters: Tensors) -> Tensors:
    return method.clip(gradient, parameters, {})[0]


def clip_all(method: Clipping, gradients: Iterable[Tensors]) -> list[Tensors]:
    """Each gradient of a training after the clip, which remembers."""
    parameters = zeros()
    state, clipped = method.initial_state(parameters), []
    for gradient in gradients:
        one, state = method.clip(gradient, parameters, state)
        clipped.append(one)
    return clipped


def norm(gradient: Tensors) -> float:
    return math.hypot(*(x for t in gradient.values() for x in t.flatten().tolist()))


def with_torch(rule: Callable[..., Any], gradient: Tensors, *arguments: float) -> Tensors:
    """What one of torch.nn.utils' clips, which work in place on `.grad`, makes of the gradient."""
    parameters = graded(gradient)
    rule(parameters.values(), *arguments)
    return {key: p.grad for key, p in parameters.items()}


def graded(gradient: Tensors, parameters: Tensors | None = None) -> dict[str, nn.Parameter]:
    """Parameters (of zero unless given) that bear the gradient."""
    made = {key: nn.Parameter((parameters or zeros())[key].clone()) for key in gradient}
    for key, p in made.items():
        p.grad = gradient[key].clone()
    return made


def with_optax(rule: optax.GradientTransformation, gradient: Tensors, parameters: Tensors) -> Tensors:
    """What an optax transformation makes of it; its kernels are (in, out), torch's weights (out, in)."""
    turned = [
        jax.tree.map(lambda t: jnp.asarray(t.T.numpy() if t.ndim == 2 else t.numpy()), tree)
        for tree in (gradient, parameters)
    ]
    clipped, _ = rule.update(turned[0], rule.init(turned[1]), turned[1])
    return {key: torch.from_numpy(np.array(clipped[key].T)) for key in gradient}


def with_optimizer(build: Callable[..., torch.optim.Optimizer], gradients: Sequence[Tensors]) -> list[Tensors]:
    """What an optimizer clips each gradient to: its first moment, when built to forget that at once (beta1 = 0)."""
    parameters = graded(gradients[0])
    optimizer = build(list(parameters.values()))
    clipped = []
    for gradient in gradients:
        for key, p in parameters.items():
            p.grad = gradient[key].clone()
        optimizer.step()
        first = {key: optimizer.state[p]["exp_avg"].clone() for key, p in parameters.items()}
        clipped.append({key: t.view(SHAPES[key]) for key, t in first.items()})
    return clipped


def assert_equal(ours: Tensors, theirs: Tensors, relative: float = 1e-5) -> None:
    assert list(ours) == list(theirs)
    for key in ours:
        torch.testing.assert_close(ours[key], theirs[key], rtol=relative, atol=1e-9)


def assert_all_equal(ours: Sequence[Tensors], theirs: Sequence[Tensors], relative: float = 1e-5) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert_equal(one, other, relative)
