"""Pictures of what a regularizer does to digits, targets and activations."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from matplotlib.axes import Axes
from torch import Tensor

from study.catalogue.panels import AFTER, BEFORE, Panel
from study.catalogue.toys import example_digits, numbers, randomness
from study.data import load
from study.optim.losses import CrossEntropy
from study.optim.tensors import Tensors, one_hot
from study.regularization import Regularization

LABELS, SIDE, CLASSES = (5, 0, 4, 1, 9, 2), 28, 10
DRAWS = 2
HIDDEN = 16


@cache
def digits() -> Tensor:
    """One digit of each label, [6, P]."""
    return example_digits(load("mnist-sample", Path()), LABELS)


def noise_of(method: Regularization, draw: int) -> Tensors:
    """The random numbers of one step for the six digits and sixteen hidden activations."""
    sites = {"input": (len(LABELS), SIDE * SIDE), "hidden0": (len(LABELS), HIDDEN)}
    return numbers(method.noise(sites, {"weight": torch.ones(CLASSES, SIDE * SIDE)}), randomness(10 + draw))


def learned_from(method: Regularization, draw: int) -> tuple[Tensor, Tensor]:
    """The digits [6, P] and targets [6, K] of one step, as the method changes them; input that it hides, too."""
    noise = noise_of(method, draw)
    x, targets = method.batch(digits(), one_hot(torch.tensor(LABELS), CLASSES), noise)
    return method.activation("input", x, noise), targets


def panels_of_data(method: Regularization) -> list[Panel]:
    """The digits if they change, the targets if they do, the hidden activations if they do."""
    x, targets = learned_from(method, 0)
    changed = not torch.equal(x, digits())
    panels = [digits_of(method)] if changed else []
    if not torch.equal(targets, one_hot(torch.tensor(LABELS), CLASSES)):
        panels += [targets_of(method), *([] if changed else [loss_by_logit(method)])]
    elif method.overrides("activation"):
        panels.append(activations_of(method))
    elif changed:
        panels.append(pixels_of(method))
    return panels


def digits_of(method: Regularization) -> Panel:
    """Six digits as they are and as they are learned from."""
    rows = [digits(), *(learned_from(method, draw)[0] for draw in range(DRAWS))]

    def draw(axes: Axes) -> None:
        sheet = torch.stack(rows).reshape(len(rows), len(LABELS), SIDE, SIDE).permute(0, 2, 1, 3)
        low, high = float(rows[0].min()), float(rows[0].max())
        axes.imshow(sheet.reshape(len(rows) * SIDE, -1).numpy(), cmap="gray_r", vmin=low, vmax=high, aspect="auto")
        axes.set_xticks([])
        axes.set_yticks([SIDE * (row + 0.5) for row in range(len(rows))], ["before", "once", "again"])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    words = "Digits: a batch of six as it is, and as two steps learn from it."
    return Panel("Digits", draw, words, span=2)


def targets_of(method: Regularization) -> Panel:
    """The target of the first digit, before and after."""
    before, after = one_hot(torch.tensor(LABELS), CLASSES)[0], learned_from(method, 0)[1][0]

    def draw(axes: Axes) -> None:
        classes = torch.arange(CLASSES)
        axes.bar((classes - 0.2).numpy(), before.numpy(), 0.38, color=BEFORE, label="before")
        axes.bar((classes + 0.2).numpy(), after.numpy(), 0.38, color=AFTER, label="after")
        axes.set(xlabel="class", ylabel="target", ylim=(0, 1.32), xticks=range(CLASSES), yticks=[0, 0.5, 1])
        axes.legend(loc="upper left", handlelength=1.0, borderaxespad=0.1, ncols=2, columnspacing=1.0)

    return Panel("Targets", draw, f"Targets: that of the first digit, a {LABELS[0]}, by class.")


def loss_by_logit(method: Regularization) -> Panel:
    """The cross-entropy of one sample by the logit of its class, the others' being 0."""
    targets = one_hot(torch.tensor(LABELS), CLASSES)[:1]
    after = learned_from(method, 0)[1][:1]
    axis = torch.linspace(-2, 12, 141)

    def draw(axes: Axes) -> None:
        for target, color, name in ((targets, BEFORE, "before"), (after, AFTER, "after")):
            losses = [float(CrossEntropy().value(logit * targets, target)) for logit in axis]
            axes.plot(axis.numpy(), losses, color=color, label=name)
        axes.set(xlabel="logit of the right class", ylabel="loss", ylim=(0, 4.5))
        axes.legend(loc="upper right", handlelength=1.2, borderaxespad=0.1)

    return Panel("Loss", draw, "Loss: the cross-entropy of a sample by the logit of its class, all others being 0.")


def activations_of(method: Regularization) -> Panel:
    """Hidden activations of one sample, before and after."""
    h = 0.2 + torch.rand(len(LABELS), HIDDEN, generator=randomness(8))
    after = method.activation("hidden0", h, noise_of(method, 0))

    def draw(axes: Axes) -> None:
        units = torch.arange(HIDDEN)
        axes.bar((units - 0.2).numpy(), h[0].numpy(), 0.4, color=BEFORE, label="before")
        axes.bar((units + 0.2).numpy(), after[0].numpy(), 0.4, color=AFTER, label="after")
        top = 1.3 * float(after[0].max())
        axes.set(xlabel="hidden unit", ylabel="activation", ylim=(0, top), xticks=[0, 5, 10, 15])
        axes.legend(loc="upper left", handlelength=1.0, borderaxespad=0.1, ncols=2, columnspacing=1.0)

    return Panel("Activations", draw, f"Activations: those of {HIDDEN} hidden units for one sample.")


def pixels_of(method: Regularization) -> Panel:
    """A row of pixels through the middle of the first digit, before and after."""
    row = slice(SIDE * 14, SIDE * 15)
    before, after = digits()[0, row], learned_from(method, 0)[0][0, row]

    def draw(axes: Axes) -> None:
        for pixels, color, name in ((before, BEFORE, "before"), (after, AFTER, "after")):
            axes.plot(pixels.numpy(), color=color, linewidth=0.9, label=name)
        top = 1.35 * float(torch.stack([before, after]).max())
        axes.set(xlabel="pixel", ylabel="brightness", ylim=(None, top))
        axes.legend(loc="upper left", handlelength=1.2, borderaxespad=0.1, ncols=2, columnspacing=1.0)

    return Panel("Pixels", draw, "Pixels: the middle row of the first digit, once; normalised brightness.")
