"""Pictures of data-dependent penalties on the smallest network, w2 tanh(w1 x)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import torch
from matplotlib.axes import Axes
from torch import Tensor
from torch.func import grad, vmap

from study.catalogue.panels import AFTER, BEFORE, Panel, moves, plane
from study.catalogue.toys import grid, numbers, randomness
from study.figures._style import FAINT
from study.optim.tensors import Tensors
from study.regularization import Objective, Regularization

LIMIT, START, RATE, STEPS = 2.6, (-0.2, 2.2), 0.04, 600
X = torch.linspace(-1.5, 1.5, 7)[:, None]
Y = 1.2 * torch.tanh(2.5 * X) + 0.15 * torch.cos(9 * X)

Height = Callable[[Tensor], Tensor]
Ways = Callable[[], dict[str, Tensor]]


def network(parameters: Tensors, x: Tensor) -> Tensor:
    """x [B, 1] -> outputs [B, 1]."""
    return torch.tanh(x @ parameters["first"].T) @ parameters["second"].T


def tensors(w: Tensor) -> Tensors:
    """Two weights as two layers."""
    return {"first": w[0].reshape(1, 1), "second": w[1].reshape(1, 1)}


def data_loss(parameters: Tensors) -> Tensor:
    """Half the mean squared error."""
    return 0.5 * (network(parameters, X) - Y).square().mean()


def loss(w: Tensor) -> Tensor:
    """The data loss of two weights."""
    return data_loss(tensors(w))


def penalty_of(method: Regularization) -> Height:
    """The penalty of two weights [2], with the random numbers of one step."""
    noise = numbers(method.noise({"input": tuple(X.shape)}, tensors(torch.ones(2))), randomness(9))
    return lambda w: method.data_penalty(tensors(w), Objective(X, data_loss, network), noise)


def panels_of_network(method: Regularization) -> list[Panel]:
    """The penalty, the way of descent, and the function that is found."""
    penalty = penalty_of(method)
    both = cache(lambda: {"without": _way(loss), "with": _way(lambda w: loss(w) + penalty(w))})
    return [
        Panel(
            "Penalty",
            partial(_penalty, penalty),
            "Penalty: its contours over the weights of the network $w_2 \\tanh(w_1 x)$, and its pull as arrows.",
            square=True,
        ),
        Panel("Descent", partial(_descent, both), "Descent: on the loss (contours), with and without.", square=True),
        Panel("Function", partial(_functions, both), "Function: the data and what is found, with and without."),
    ]


def _way(height: Height) -> Tensor:
    w = [torch.tensor(START)]
    for _ in range(STEPS):
        w.append(w[-1] - RATE * grad(height)(w[-1]))
    return torch.stack(w)


def _contours(axes: Axes, height: Height, color: str, share: float) -> None:
    axis, points = torch.linspace(-LIMIT, LIMIT, 81), grid(-LIMIT, LIMIT, 81)
    values = vmap(height)(points).reshape(81, 81)
    low, high = float(values.min()), float(values.quantile(share))
    levels = (low + (high - low) * torch.linspace(0, 1, 11))[1:].tolist()
    axes.contour(axis.numpy(), axis.numpy(), values.numpy(), levels=levels, colors=[color], linewidths=0.6)


def _penalty(penalty: Height, axes: Axes) -> None:
    plane(axes, LIMIT, "w")
    _contours(axes, penalty, AFTER, 0.95)
    points = grid(-2.2, 2.2, 6)
    arrows = -vmap(grad(penalty))(points)
    sizes = arrows.norm(dim=-1, keepdim=True)
    moves(axes, points, points + 0.7 * arrows / sizes.clamp(min=1e-9) * (sizes / sizes.max()).sqrt())


def _descent(ways: Ways, axes: Axes) -> None:
    plane(axes, LIMIT, "w")
    _contours(axes, loss, FAINT, 0.9)
    for (name, way), color in zip(ways().items(), (BEFORE, AFTER), strict=True):
        axes.plot(*way.T.numpy(), "-", color=color, linewidth=1.0, label=name)
        axes.plot(*way[-1].numpy(), "o", color=color, markersize=3)
    axes.legend(loc="lower left", handlelength=1.2, borderaxespad=0.1)


def _functions(ways: Ways, axes: Axes) -> None:
    fine = torch.linspace(-1.8, 1.8, 121)[:, None]
    for (name, way), color in zip(ways().items(), (BEFORE, AFTER), strict=True):
        axes.plot(fine.numpy(), network(tensors(way[-1]), fine).numpy(), color=color, label=name)
    axes.plot(X.numpy(), Y.numpy(), "o", color="black", markersize=2.5)
    axes.set(xlabel="$x$", ylabel="output")
    axes.legend(loc="upper left", handlelength=1.2, borderaxespad=0.1)
