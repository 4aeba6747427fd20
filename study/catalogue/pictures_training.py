"""Pictures of regularizers that look around, stop, or score other weights than they train."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

import torch
from matplotlib.axes import Axes
from torch import Tensor
from torch.func import grad, vmap

from study.catalogue.panels import AFTER, BEFORE, MARKED, Panel
from study.catalogue.pictures_weights import BOWL, bowl
from study.catalogue.toys import Bowl, grid, randomness
from study.regularization import Regularization
from study.regularization.gradient_noise import GradientNoise

NOISY, FAST = GradientNoise(eta=1.0), Bowl(lr=0.5)
EPOCHS = 40


def ascents(method: Regularization) -> list[Panel]:
    """Draw where the gradient is taken in the bowl, and the loss seen from there along a line."""
    return [
        Panel(
            "Look-ahead",
            partial(_ascents, method),
            "Look-ahead: from where the weights are (grey) to where the gradient is taken (blue), uphill on the loss.",
            square=True,
        ),
        Panel(
            "Loss seen",
            partial(_seen, method),
            "Loss seen: one with a sharp and a flat minimum, and that at where the gradient is taken.",
        ),
    ]


def ascended(method: Regularization, points: Tensor) -> Tensor:
    """Return where the gradient is taken, for weights [n, 2] in the bowl."""

    def one(w: Tensor) -> Tensor:
        return method.ascent({"w": grad(BOWL.loss)(w)}, {"w": w})["w"]

    taken: Tensor = vmap(one)(points)
    return taken


def _ascents(method: Regularization, axes: Axes) -> None:
    bowl(axes)
    points = grid(-2.0, 2.0, 5)
    there = ascended(method, points)
    for a, b in zip(points.tolist(), there.tolist(), strict=True):
        axes.annotate("", b, a, arrowprops={"arrowstyle": "->", "color": BEFORE, "linewidth": 0.7, "shrinkA": 0})
    axes.plot(*points.T.numpy(), "o", color=BEFORE, markersize=2, label="before")
    axes.plot(*there.T.numpy(), "o", color=AFTER, markersize=2.6, label="after")


def two_minima(w: Tensor) -> Tensor:
    """A loss of one weight: a sharp minimum at -1.7, a flat one of the same depth at 1."""
    return 1.1 - torch.exp(-0.5 * ((w + 1.7) / 0.2) ** 2) - torch.exp(-0.5 * ((w - 1.0) / 0.7) ** 2)


def _seen(method: Regularization, axes: Axes) -> None:
    axis = torch.linspace(-2.6, 2.6, 400)
    there = torch.stack([method.ascent({"w": grad(two_minima)(w)}, {"w": w})["w"] for w in axis])
    axes.plot(axis.numpy(), two_minima(axis).numpy(), color=BEFORE, label="at $w$")
    axes.plot(axis.numpy(), two_minima(there).numpy(), color=AFTER, label="where taken")
    axes.set(xlabel="$w$", ylabel="loss", xlim=(-2.6, 2.6), ylim=(0, 1.75), yticks=[0, 0.5, 1])
    axes.legend(loc="upper right", handlelength=1.2, borderaxespad=0.1, ncols=2, columnspacing=1.0)


def stops(method: Regularization) -> list[Panel]:
    """Curves of the validation loss, up to where it stops."""
    epochs = torch.arange(EPOCHS).float()
    falling = 0.25 + torch.exp(-epochs / 5)
    noise = 0.06 * torch.randn(EPOCHS, generator=randomness(1))
    curves = {
        "It overfits": falling + 0.012 * (epochs - 10).clamp(min=0),
        "It falls in jumps": 0.2 + torch.exp(-epochs / 16) + noise,
        "It falls for long": 0.2 + torch.exp(-epochs / 12),
    }
    words = {
        "It overfits": "It overfits: a validation loss that turns up. Where training stops, if it does, is orange.",
        "It falls in jumps": "It falls in jumps: one that falls with noise.",
        "It falls for long": "It falls for long: one that goes on falling.",
    }
    return [Panel(title, partial(_stop, method, curve.tolist()), words[title]) for title, curve in curves.items()]


def stopped_at(method: Regularization, losses: Sequence[float]) -> int | None:
    """The epoch after which it stops, or None."""
    return next((t for t in range(len(losses)) if method.stops(losses[: t + 1])), None)


def _stop(method: Regularization, losses: list[float], axes: Axes) -> None:
    last = stopped_at(method, losses)
    end = len(losses) if last is None else last + 1
    axes.plot(losses, color=BEFORE, linewidth=0.8, linestyle=(0, (2.5, 1.5)), label="without")
    axes.plot(losses[:end], "o-", color=AFTER, linewidth=0.9, markersize=1.8, label="trained")
    if last is not None:
        axes.axvline(last, ymax=0.8, color=MARKED, linewidth=1.0, label="stop")
    axes.set(xlabel="epoch", ylabel="validation loss", xlim=(-1, EPOCHS), ylim=(0, 1.5), yticks=[0, 0.5, 1])
    axes.legend(loc="upper right", handlelength=1.1, borderaxespad=0.0, ncols=3, columnspacing=0.7, handletextpad=0.4)


def averages(method: Regularization) -> list[Panel]:
    """The noisy way of descent in the bowl, and the weights that are scored."""
    paths = cache(lambda: FAST.paths([NOISY, method], 200))

    def way(axes: Axes) -> None:
        bowl(axes)
        for path, color, width, name in zip(paths(), (BEFORE, AFTER), (0.6, 1.2), ("trained", "scored"), strict=True):
            axes.plot(*path.T.numpy(), "-", color=color, linewidth=width, label=name)
        axes.legend(loc="lower left", handlelength=1.2, borderaxespad=0.1)

    def over_time(value: Callable[[Tensor], Tensor], ylabel: str, scale: str, axes: Axes) -> None:
        for path, color, width in zip(paths(), (BEFORE, AFTER), (0.6, 1.2), strict=True):
            axes.plot(value(path).numpy(), color=color, linewidth=width, label=ylabel)
        axes.set(xlabel="step", ylabel=ylabel, xlim=(0, len(path)), yscale=scale)
        if scale == "log":
            axes.set(ylim=(0.0003, 3), yticks=[0.001, 0.01, 0.1, 1])
            axes.set_yticklabels(["0.001", "0.01", "0.1", "1"])

    return [
        Panel("Way", way, "Way: of descent with noisy gradients, and of the weights that are scored.", square=True),
        Panel(
            "One weight",
            partial(over_time, lambda w: w[:, 0], "$w_1$", "linear"),
            "One weight: the first of the two, by step.",
        ),
        Panel("Loss", partial(over_time, FAST.loss, "loss", "log"), "Loss: of both, by step."),
    ]
