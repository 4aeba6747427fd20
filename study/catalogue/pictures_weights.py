"""Pictures of what a regularizer does to weights and gradients: maps, pulls, paths of descent."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from matplotlib.axes import Axes
from torch import Tensor
from torch.func import vmap

from study.catalogue.panels import AFTER, BEFORE, MARKED, UNCHANGED, Panel, identity, moves, plane
from study.catalogue.toys import LAYOUTS, Bowl, Combined, grid, numbers, randomness
from study.figures._style import FAINT
from study.optim.tensors import Tensors
from study.regularization import Regularization

LIMIT, RATE = 2.6, 0.5
LAYOUT_WORDS = {
    "one unit": "both are weights of one unit",
    "two units": "each enters a unit of its own, both from one input",
    "two units, an input each": "each joins an input and a unit of its own",
}
BOWL = Bowl()
STEPS_OF_NOISE = 200

Map = Callable[[Tensor], Tensor]


def updated(method: Regularization, layout: str) -> Map:
    """Weights [n, 2] -> what one step of learning rate 0.5 without a gradient leaves of them."""

    def one(w: Tensor) -> Tensor:
        parameters = LAYOUTS[layout](w)
        still = {key: torch.zeros_like(p) for key, p in parameters.items()}
        _, state = method.after_clip(still, parameters, {}, method.initial_state(parameters))
        after, _ = method.update(parameters, RATE, state)
        return torch.cat([_entries(after[key], layout) for key in parameters])

    mapped: Map = vmap(one)
    return mapped


def _entries(p: Tensor, layout: str) -> Tensor:
    return p.diagonal() if layout.endswith("an input each") else p.flatten()


def maps_of(method: Regularization) -> list[Panel]:
    """The map of weights in the first two layouts that differ; where none do, the map and one weight."""
    points = grid(-LIMIT, LIMIT, 9)
    first, *others = (layout for layout in LAYOUTS if layout != "two tensors")
    here = updated(method, first)
    differ = [layout for layout in others if not torch.allclose(updated(method, layout)(points), here(points))]
    second = weight_map(method, differ[0]) if differ else one_weight(here)
    return [weight_map(method, first), second]


def weight_map(method: Regularization, layout: str) -> Panel:
    """Draw where one step takes two weights."""
    title = layout.capitalize()
    words = f"where a step of learning rate {RATE:g} takes two weights; {LAYOUT_WORDS[layout]}"
    return Panel(title, partial(_map, updated(method, layout)), f"{title}: {words}.", True)


def _map(after: Map, axes: Axes) -> None:
    plane(axes, LIMIT, "w")
    fine = torch.linspace(-LIMIT, LIMIT, 121)
    flat = grid(-LIMIT, LIMIT, 121)
    stays = ((after(flat) - flat).abs().amax(-1) < 1e-5).reshape(121, 121)
    if stays.any():
        axes.contourf(fine.numpy(), fine.numpy(), stays.float().numpy(), levels=[0.5, 1.5], colors=[UNCHANGED])
    points = grid(-2.2, 2.2, 6)
    moves(axes, points, after(points))


def one_weight(after: Map) -> Panel:
    """The first weight before and after, beside a small second one."""
    axis = torch.linspace(-3, 3, 241)
    points = torch.stack([axis, torch.full_like(axis, 0.3)], -1)

    def draw(axes: Axes) -> None:
        identity(axes, (-3.0, 3.0))
        axes.plot(axis.numpy(), after(points)[:, 0].numpy(), color=AFTER, label="after")
        axes.set(xlabel="$w_1$ before", ylabel="$w_1$ after", xlim=(-3, 3), ylim=(-3, 3))

    return Panel("One weight", draw, "One weight: the first of the two, before and after.", square=True)


def pull_of(method: Regularization) -> Callable[[Tensor], Tensor]:
    """Weights [n, 2] -> what it adds to the gradient of the loss, downhill."""

    def one(w: Tensor) -> Tensor:
        parameters = LAYOUTS["one unit"](w)
        gradient = {key: torch.zeros_like(p) for key, p in parameters.items()}
        state = method.initial_state({key: torch.zeros_like(p) for key, p in parameters.items()})  # it started from 0
        gradient = method.penalized_gradient(gradient, parameters)
        gradient, state = method.before_clip(gradient, parameters, {}, state)
        gradient, _ = method.after_clip(gradient, parameters, {}, state)
        return -torch.cat([g.flatten() for g in gradient.values()])

    mapped: Map = vmap(one)
    return mapped


def pulls(method: Regularization) -> list[Panel]:
    """Draw the pull on two weights, over the contours of the penalty if there is one, and the pull on one weight."""
    pull = pull_of(method)
    return [Panel("Pull", partial(_pull, method, pull), _pull_words(method), square=True), pull_on_one(pull)]


def _pull_words(method: Regularization) -> str:
    contours = "contours of the penalty over two weights, and " if method.overrides("penalty") else ""
    return f"Pull: {contours}what is added to each step at some weights, as arrows."


def _pull(method: Regularization, pull: Map, axes: Axes) -> None:
    plane(axes, LIMIT, "w")
    if method.overrides("penalty"):
        _contours(axes, lambda w: method.penalty(LAYOUTS["one unit"](w)))
    points = grid(-2.2, 2.2, 6)
    arrows = pull(points)
    longest = float(arrows.norm(dim=-1).max())
    moves(axes, points, points + arrows * (0.75 / longest if longest > 0 else 0.0))


def _contours(axes: Axes, height: Callable[[Tensor], Any]) -> None:
    fine = torch.linspace(-LIMIT, LIMIT, 81)
    mapped: Map = vmap(height)
    values = mapped(grid(-LIMIT, LIMIT, 81)).reshape(81, 81)
    if float(values.max()) > float(values.min()):
        levels = torch.linspace(0, float(values.max()), 9)[1:].tolist()
        axes.contour(fine.numpy(), fine.numpy(), values.numpy(), levels=levels, colors=[AFTER], linewidths=0.6)


def pull_on_one(pull: Map) -> Panel:
    """The pull on the first weight by its size, for a small and a large second one."""
    axis = torch.linspace(-3, 3, 240)

    def draw(axes: Axes) -> None:
        for other, color, dashes in ((0.3, AFTER, "-"), (2.0, MARKED, "--")):
            points = torch.stack([axis, torch.full_like(axis, other)], -1)
            axes.plot(
                axis.numpy(), pull(points)[:, 0].numpy(), color=color, linestyle=dashes, label=f"$w_2$ = {other:g}"
            )
        axes.axhline(0, color=FAINT, linewidth=0.5, zorder=0)
        axes.set(xlabel="$w_1$", ylabel="pull on $w_1$", xlim=(-3, 3))
        axes.legend(loc="upper right", handlelength=1.4, borderaxespad=0.1)

    return Panel("Pull on one weight", draw, "Pull on the first weight, for a small and a large second one.")


def descent(method: Combined, title: str = "Descent") -> Panel:
    """The way of gradient descent in a bowl, with and without the regularizer."""

    def draw(axes: Axes) -> None:
        bowl(axes)
        for regularization, color, size in (("none", BEFORE, 1.3), (method, AFTER, 1.6)):
            way = BOWL.path(regularization)
            name = "without" if color == BEFORE else "with"
            axes.plot(*way.T.numpy(), "o-", color=color, linewidth=0.9, markersize=size, label=name)
        axes.legend(loc="lower left", handlelength=1.0, borderaxespad=0.1)

    return Panel(
        title, draw, f"{title}: gradient descent on a quadratic loss (contours), with and without.", square=True
    )


def bowl(axes: Axes) -> None:
    """The contours of the quadratic loss and its minimum."""
    plane(axes, LIMIT, "w")
    axis = torch.linspace(-LIMIT, LIMIT, 81)
    values = BOWL.loss(grid(-LIMIT, LIMIT, 81)).reshape(81, 81)
    levels = [0.05, 0.25, 0.7, 1.5, 3.0, 5.0, 8.0]
    axes.contour(axis.numpy(), axis.numpy(), values.numpy(), levels=levels, colors=[FAINT], linewidths=0.8)
    axes.plot(*BOWL.minimum, "+", color=MARKED, markersize=5, zorder=4)


def noises(method: Regularization) -> list[Panel]:
    """Draw what is added to each coordinate of a gradient, step by step, and its standard deviation."""
    added = cache(lambda: torch.stack(_added(method, {"a.weight": torch.ones(8, 8)})).flatten(1))

    def scatter(axes: Axes) -> None:
        steps = torch.arange(STEPS_OF_NOISE).repeat_interleave(6)
        axes.plot(steps.numpy(), added()[:, :6].flatten().numpy(), "o", color=AFTER, markersize=1.4)
        axes.axhline(0, color=BEFORE, linewidth=0.6)
        axes.set(xlabel="step", ylabel="added", xlim=(0, STEPS_OF_NOISE))

    def deviation(axes: Axes) -> None:
        axes.plot(added().std(1).numpy(), color=AFTER, linewidth=0.9)
        axes.set(xlabel="step", ylabel="standard deviation", xlim=(0, STEPS_OF_NOISE), ylim=(0, None))

    return [
        Panel("Noise", scatter, "Noise: what is added to each of six coordinates of the gradient, step by step."),
        Panel("Its spread", deviation, "Its spread: the standard deviation over 64 coordinates."),
    ]


def _added(method: Regularization, parameters: Tensors) -> list[Tensor]:
    """The sum of what both hooks of the gradient add to a gradient of zeros."""
    random, state = randomness(4), method.initial_state(parameters)
    added = []
    for _ in range(STEPS_OF_NOISE):
        noise = numbers(method.noise({"input": (8, 8)}, parameters), random)
        gradient = {key: torch.zeros_like(p) for key, p in parameters.items()}
        gradient, state = method.before_clip(gradient, parameters, noise, state)
        gradient, state = method.after_clip(gradient, parameters, noise, state)
        added.append(gradient["a.weight"])
    return added
