"""What the laws of clippings are stated over: gradients of small nets, and clips brought to a bound."""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pytest
import torch
from cases import CLIP_MODES, Make
from hypothesis import strategies as st
from statements import marks_of
from torch import Tensor

from study.clipping import Clipping
from study.methods.laws import CLIPPING_LAWS

Tensors = dict[str, Tensor]
Net = tuple[Tensors, Tensors]  # gradient and parameters

# A method may keep in one mode a law that it waives for another: (law, label).
KEPT = {("bound_met", "value_as_printed(0.5)"), ("idempotent", "value_as_printed(0.5)")}
STATED: set[str] = set()  # the laws that tests bear


def each(law: str = "") -> pytest.MarkDecorator:
    """Parametrises a test by every clipping in every mode; those that waive the law must break it."""
    assert law in {"", *CLIPPING_LAWS}
    STATED.add(law)

    def row(label: str, make: Make) -> Any:
        reason = None if (law, label) in KEPT else make(0.5).waives.get(law)
        return pytest.param(make, id=label, marks=marks_of(law, reason))

    return pytest.mark.parametrize("make", [row(*item) for item in CLIP_MODES.items()])


def warm_percentile(method: Any, c: float, w: Tensors) -> Tensors:
    """Norms of c alone, enough of them for one more not to move the percentile."""
    start = method.initial_state(w)
    count = min(100, method.window)
    norms = torch.cat([torch.full_like(start["recent"][:count], c), start["recent"][count:]])
    return {"recent": norms, "ordered": norms, "seen": torch.full_like(start["seen"], count)}


def warm_zscore(method: Any, c: float, w: Tensors) -> Tensors:
    """A mean and a deviation of a fifth of it, z times which above the mean is c."""
    start = method.initial_state(w)
    mean = torch.full_like(start["mean"], c / (1 + method.z_threshold / 5))
    return {"mean": mean, "variance": (mean / 5) ** 2, "seen": start["seen"] + method.warm_up_steps}


def warm_ema_tensor(method: Any, c: float, w: Tensors) -> Tensors:
    start = method.initial_state(w)
    average = torch.full_like(start["average"], c / method.ratio)
    return {"average": average, "seen": start["seen"] + method.warm_up_steps}


def warm_spike(method: Any, c: float, w: Tensors) -> Tensors:
    start = method.initial_state(w)
    squares = {key: torch.full_like(v, c**2 / method.threshold) for key, v in start.items() if key != "seen"}
    return {**squares, "seen": start["seen"] + method.warm_up_steps}


# Of the methods whose bound is in what they remember: the state that makes it c. All others have it from the start.
WARM: Mapping[str, Callable[[Any, float, Tensors], Tensors]] = {
    "percentile": warm_percentile,
    "zscore": warm_zscore,
    "ema_tensor": warm_ema_tensor,
    "spike": warm_spike,
}


def warm(method: Clipping, c: float, w: Tensors) -> Tensors:
    """The state in which the bound of the method made for c is c."""
    return WARM[method.name](method, c, w) if method.name in WARM else method.initial_state(w)


def states(method: Clipping, c: float, w: Tensors) -> list[Tensors]:
    """The state before the first step, and the one with bound c where that is another."""
    return [method.initial_state(w), *([warm(method, c, w)] if method.name in WARM else [])]


def clip(make: Make, c: float, g: Tensors, w: Tensors) -> Tensors:
    """The gradient after the clip of bound c."""
    method = make(c)
    return method.clip(g, w, warm(method, c, w))[0]


def clips(make: Make, c: float, g: Tensors, w: Tensors) -> list[Tensors]:
    """The gradient after the clip, as the first one of a training and with bound c."""
    method = make(c)
    return [method.clip(g, w, state)[0] for state in states(method, c, w)]


@st.composite
def tensors_of_a_net(draw: st.DrawFn, dtype: torch.dtype = torch.float32) -> Net:
    """The gradient and the parameters of a net of two or three layers."""
    widths = draw(st.lists(st.integers(1, 6), min_size=3, max_size=4))
    shapes = {}
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        shapes |= {f"layers.{i}.weight": (outputs, inputs), f"layers.{i}.bias": (outputs,)}
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    scales = [10.0 ** draw(st.integers(-3, 3)) for _ in shapes]
    gradient = {
        key: scale * torch.randn(shape, generator=random, dtype=dtype)
        for scale, (key, shape) in zip(scales, shapes.items(), strict=True)
    }
    weights = draw(st.sampled_from([0.0, 0.1, 3.0]))
    return gradient, {k: weights * torch.randn(s, generator=random, dtype=dtype) for k, s in shapes.items()}


def one_net(seed: int = 0) -> Net:
    random = torch.Generator().manual_seed(seed)
    shapes = {
        "layers.0.weight": (4, 3),
        "layers.0.bias": (4,),
        "layers.1.weight": (2, 4),
        "layers.1.bias": (2,),
    }
    g, w = ({key: torch.randn(shape, generator=random) for key, shape in shapes.items()} for _ in range(2))
    return g, w


def spoiled(g: Tensors, at: int, value: float) -> Tensors:
    """The gradient with one coordinate set to `value`."""
    key = list(g)[at % len(g)]
    t = g[key].clone()
    t.view(-1)[at % t.numel()] = value
    return {**g, key: t}


def finite(g: Tensors) -> bool:
    return all(bool(t.isfinite().all()) for t in g.values())


def same(a: Tensors, b: Tensors) -> bool:
    return list(a) == list(b) and all(torch.equal(a[key], b[key]) for key in a)


def assert_close(a: Tensors, b: Tensors, relative: float = 5e-4) -> None:
    """Close beside each tensor's largest entry (the epsilon of a norm is 1e-6, of bounds from 0.01)."""
    assert list(a) == list(b)
    for key in a:
        largest = max(float(b[key].abs().max()), 1e-30)
        torch.testing.assert_close(a[key] / largest, b[key] / largest, rtol=0, atol=relative)


def units(tensor: Tensor) -> list[list[float]]:
    """The coordinates of each output unit; a vector is one unit."""
    return tensor.flatten(1).tolist() if tensor.ndim > 1 else [tensor.tolist()]


def pieces(g: Tensors, part: str) -> list[list[float]]:
    """The coordinates of each part of a gradient; a sample's, here of a batch of one, is the whole of it."""
    by_unit = {key: units(t) for key, t in g.items()}
    if part == "unit":
        return [unit for each in by_unit.values() for unit in each]
    by_tensor = [[x for unit in each for x in unit] for each in by_unit.values()]
    return by_tensor if part == "tensor" else [[x for tensor in by_tensor for x in tensor]]


def cosine_is_one(a: list[float], b: list[float]) -> bool:
    inner = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return inner == pytest.approx(math.hypot(*a) * math.hypot(*b), rel=1e-4)
