"""What each proximal step and projection minimises, in plain numpy: infinite at points it may not go to.

x, w: what comes out of the optimizer's step and any other point, by tensor; biases are those of one dimension.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float64]]
Function = Callable[[Any, Arrays, Arrays, float], float]
ROUNDING = 1e-6  # of a bound; the power method's included


def proximal(penalty: Callable[[Any, Arrays], float]) -> Function:
    """1/2 ||x - w||^2 + lr penalty(x)."""

    def objective(method: Any, x: Arrays, w: Arrays, lr: float) -> float:
        biases = getattr(method, "biases", False)
        counted = {key: t for key, t in x.items() if biases or t.ndim > 1}
        return sum(float(np.square(x[key] - w[key]).sum()) for key in x) / 2 + lr * penalty(method, counted)

    return objective


def elastic_net(method: Any, x: Arrays) -> float:
    entries = [float(v) for t in x.values() for v in t.flat]
    return method.strength / 2 * sum(method.lambda1 * abs(v) + method.lambda2 * v * v for v in entries)


def group_lasso(method: Any, x: Arrays) -> float:
    groups = [g for t in x.values() for g in (t.T if method.groups == "outgoing" else t)]
    return method.strength * sum(len(g) ** 0.5 * float(np.linalg.norm(g)) for g in groups)


def max_norm(method: Any, x: Arrays, w: Arrays, lr: float) -> float:
    """The distance to w, each unit's incoming weights being within the ball."""
    units = [row for t in x.values() if t.ndim > 1 for row in t]
    if any(np.linalg.norm(row) > method.bound * (1 + ROUNDING) for row in units):
        return float("inf")
    return sum(float(np.square(x[key] - w[key]).sum()) for key in x)


def weight_clipping(method: Any, x: Arrays, w: Arrays, lr: float) -> float:
    """The distance to w, each entry being within the bounds."""
    if any(float(np.abs(t).max()) > method.bound * (1 + ROUNDING) for t in x.values()):
        return float("inf")
    return sum(float(np.square(x[key] - w[key]).sum()) for key in x)


def spectral_norm(method: Any, x: Arrays, w: Arrays, lr: float) -> float:
    """The same in the spectral norm: in the Frobenius norm the nearest matrix would have its singular values cut."""
    matrices = [key for key in x if x[key].ndim > 1]
    if any(np.linalg.norm(x[key], 2) > method.bound * (1 + ROUNDING) for key in matrices):
        return float("inf")
    others = sum(float(np.square(x[key] - w[key]).sum()) for key in x if key not in matrices)
    return others + sum(float(np.linalg.norm(x[key] - w[key], 2)) for key in matrices)


MINIMA: dict[str, Function] = {
    "l1_proximal": proximal(lambda method, x: method.strength * sum(float(np.abs(t).sum()) for t in x.values())),
    "elastic_net_proximal": proximal(elastic_net),
    "group_lasso": proximal(group_lasso),
    "decoupled_decay": proximal(
        lambda method, x: method.strength / 2 * sum(float(np.square(t).sum()) for t in x.values())
    ),
    "max_norm": max_norm,
    "spectral_norm": spectral_norm,
    "weight_clipping": weight_clipping,
}


def nearby(x: Arrays, w: Arrays, random: np.random.Generator) -> Iterator[Arrays]:
    """Points around x: on the way to w and to zero, in random directions, in one tensor or one entry alone."""
    for step in (0.3, 0.03, 0.003):
        noise = {key: random.standard_normal(t.shape) for key, t in x.items()}
        one = {key: t * (random.random(t.shape) < 1 / t.size) for key, t in noise.items()}
        ways = [{key: w[key] - x[key] for key in x}, x, noise, one]
        ways += [{key: noise[key] * (key == only) for key in x} for only in x]
        for way in ways:
            for sign in (-1, 1):
                moved = {key: x[key] + sign * step * way[key] for key in x}
                yield moved
                yield {key: (1 - step**2) * t for key, t in moved.items()}  # back into a ball that it left sideways
