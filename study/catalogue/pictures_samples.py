"""Pictures of what a per-sample clipping does to a batch."""

from __future__ import annotations

import math

import torch
from matplotlib.axes import Axes
from torch import Tensor

from study.catalogue.panels import AFTER, BEFORE, Panel, plane
from study.catalogue.toys import LAYOUTS, randomness
from study.clipping import PerSample

STEPS, B = 60, 8


def panels_of_samples(clip: PerSample) -> list[Panel]:
    """A batch, and a series of batches if the clip remembers."""
    parameters = LAYOUTS["two tensors"](torch.ones(2))
    state = clip.initial_state(parameters)
    return [batch_of(clip), series_of(clip) if state else growth_of(clip)]


def batch(outlier: float = 2.2) -> Tensor:
    """The gradients [B, 2] of a batch, the last of which stands out."""
    random = randomness(5)
    angles = math.pi * (0.1 + 0.4 * torch.rand(B - 1, generator=random))
    sizes = 0.5 + 1.0 * torch.rand(B - 1, generator=random)
    usual = sizes[:, None] * torch.stack([angles.cos(), angles.sin()], -1)
    return torch.cat([usual, outlier * torch.tensor([[0.77, -0.64]])])


def weighted(clip: PerSample, samples: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """The samples [B, 2], each coordinate a tensor of its own, times their weights; the next state."""
    norms = {"a.weight": samples[:, 0].abs(), "b.weight": samples[:, 1].abs()}
    weights, state = clip.weights(norms, state)
    return samples * torch.stack(list(weights.values()), -1), state


def fresh(clip: PerSample) -> dict[str, Tensor]:
    """The state before the first step."""
    return clip.initial_state(LAYOUTS["two tensors"](torch.ones(2)))


def batch_of(clip: PerSample) -> Panel:
    """The gradients of a batch's samples and their mean, before and after."""
    samples = batch()
    clipped, _ = weighted(clip, samples, fresh(clip))

    def draw(axes: Axes) -> None:
        plane(axes, 1.9, "g")
        for each, color, width, name in ((samples, BEFORE, 0.8, "before"), (clipped, AFTER, 1.2, "after")):
            for x, y in each.tolist():
                axes.plot([0, x], [0, y], color=color, linewidth=width, alpha=0.8)
            mean = each.mean(0)
            axes.plot(
                *mean[:, None].numpy(),
                "*",
                color=color,
                markersize=9,
                markeredgecolor="white",
                markeredgewidth=0.6,
                label=name,
                zorder=4,
            )
        axes.legend(loc="lower left", handlelength=1.0, borderaxespad=0.1, title="mean", alignment="left")

    words = f"A batch: the gradients of {B} samples as lines, the mean of them as a star; each coordinate is a tensor."
    return Panel("A batch", draw, words, square=True)


def growth_of(clip: PerSample) -> Panel:
    """Return how far one sample can move the mean."""
    sizes = torch.logspace(-1.3, 2.3, 61)
    batches = [batch(float(size)) for size in sizes]

    def norms(means: list[Tensor]) -> list[float]:
        return [float(torch.linalg.vector_norm(mean)) for mean in means]

    def draw(axes: Axes) -> None:
        before = norms([each.mean(0) for each in batches])
        after = norms([weighted(clip, each, fresh(clip))[0].mean(0) for each in batches])
        axes.plot(sizes.numpy(), before, color=BEFORE, label="before")
        axes.plot(sizes.numpy(), after, color=AFTER, label="after")
        axes.set(xscale="log", yscale="log", xlabel="norm of one sample", ylabel="norm of the mean", ylim=(0.2, 30))
        axes.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        axes.set_yticks([0.3, 1, 3, 10], ["0.3", "1", "3", "10"])
        axes.legend(loc="upper left", handlelength=1.2, borderaxespad=0.1)

    return Panel(
        "One sample grows", draw, "One sample grows: the norm of the mean where the last sample's gradient grows."
    )


def series_of(clip: PerSample) -> Panel:
    """The norms of the samples of a series of batches, before and after."""
    random, state = randomness(6), fresh(clip)
    before, after = [], []
    for _ in range(STEPS):
        samples = torch.randn(B, 2, generator=random) * 2.0
        clipped, state = weighted(clip, samples, state)
        before.append(torch.linalg.vector_norm(samples, dim=-1))
        after.append(torch.linalg.vector_norm(clipped, dim=-1))

    def draw(axes: Axes) -> None:
        steps = torch.arange(STEPS).repeat_interleave(B).numpy()
        for norms, color, size, name in ((before, BEFORE, 1.8, "before"), (after, AFTER, 1.8, "after")):
            axes.plot(steps, torch.cat(norms).numpy(), "o", color=color, markersize=size, markeredgewidth=0, label=name)
        axes.set(xlabel="step", ylabel="norm of each sample", xlim=(-1, STEPS), ylim=(0, 9.5))
        axes.legend(loc="upper right", handlelength=0.8, borderaxespad=0.1, ncols=2, columnspacing=0.8)

    return Panel(
        "A series of batches", draw, f"A series of batches: the norms of the {B} samples' gradients, step by step."
    )
