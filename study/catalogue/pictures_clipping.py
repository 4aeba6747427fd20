"""Pictures of clippings, drawn by clipping gradients."""

from __future__ import annotations

from functools import partial

import torch
from matplotlib.axes import Axes
from torch import Generator, Tensor

from study.catalogue.panels import AFTER, BEFORE, MARKED, UNCHANGED, Panel, identity, moves, plane
from study.catalogue.pictures_samples import panels_of_samples
from study.catalogue.toys import LAYOUTS, SPIKES, Warm, joined, length, normal_net, of_length, randomness, warmed
from study.clipping import Clipping, PerSample

LIMIT = 2.6
NORMS = torch.logspace(-1.3, 1.7, 121)
WEIGHTS = torch.tensor([2.0, 1.0])
WORDS = {
    "one unit": "both are weights of one unit of one tensor",
    "two units": "each is the weight of a unit of its own, in one tensor",
    "two tensors": "each a separate tensor",
}


def panels_of(clip: Clipping) -> list[Panel]:
    """Three panels that suit what the clip acts on."""
    if isinstance(clip, PerSample):
        return [map_of(clip, "two tensors", "One sample"), *panels_of_samples(clip)]
    second = series_of(clip) if remembers(clip) else second_of(clip)
    return [map_of(clip, first_layout(clip)), second, norms_of(clip)]


def remembers(clip: Clipping) -> bool:
    """Return whether the clipping has a state."""
    return bool(clip.initial_state(normal_net(randomness())))


def first_layout(clip: Clipping) -> str:
    """Return the layout of the two coordinates of the first map."""
    return {"tensor": "two tensors", "unit": "two units", "model": "two tensors"}.get(clip.acts_per, "one unit")


def second_of(clip: Clipping) -> Panel:
    """The panel in the middle of a clip without a state."""
    if clip.acts_per in ("unit", "tensor"):
        return map_of(clip, "one unit")
    return coordinate_of(clip)


def warm_in(clip: Clipping, layout: str) -> Warm:
    """The clip after a series of gradients of two coordinates; one of samples at its start."""
    put = LAYOUTS[layout]
    if isinstance(clip, PerSample):
        return Warm(clip, put(WEIGHTS), clip.initial_state(put(WEIGHTS)), (), ())
    return warmed(clip, lambda random: put(either_sign(random)), put(WEIGHTS))


def either_sign(random: Generator) -> Tensor:
    """Two coordinates of similar size, of any sign."""
    return (1 + 0.2 * torch.randn(2, generator=random)) * torch.randn(2, generator=random).sign()


def map_of(clip: Clipping, layout: str, title: str = "") -> Panel:
    """Return where points of a plane are moved, and which stay."""
    start, later = "at the first step", "after the series of gradients in the middle up to its first spike"
    state = f", {start if isinstance(clip, PerSample) else later}" if remembers(clip) else ""
    words = f"{title or layout.capitalize()}: a gradient of two coordinates, {WORDS[layout]}{state}{_weights(clip)}."
    return Panel(title or layout.capitalize(), partial(_map, clip, layout), words, square=True)


def _weights(clip: Clipping) -> str:
    return f", weights {WEIGHTS[0]:g} and {WEIGHTS[1]:g}" if clip.acts_per == "unit" else ""


def _map(clip: Clipping, layout: str, axes: Axes) -> None:
    warm, put = warm_in(clip, layout), LAYOUTS[layout]

    def clipped(points: Tensor) -> Tensor:
        return joined(warm.mapped(put(points)))

    plane(axes, LIMIT, "g")
    fine = torch.linspace(-LIMIT, LIMIT, 161)
    points = torch.stack(torch.meshgrid(fine, fine, indexing="xy"), -1)
    flat = points.reshape(-1, 2)
    stays = ((clipped(flat) - flat).abs().amax(-1) < 1e-5).reshape(161, 161)
    if stays.any():
        axes.contourf(fine.numpy(), fine.numpy(), stays.float().numpy(), levels=[0.5, 1.5], colors=[UNCHANGED])
    coarse = torch.tensor([-2.2, -1.32, -0.44, 0.44, 1.32, 2.2])
    before = torch.stack(torch.meshgrid(coarse, coarse, indexing="xy"), -1).reshape(-1, 2)
    moves(axes, before, clipped(before))


def coordinate_of(clip: Clipping) -> Panel:
    """One coordinate before and after, for several values of the other."""
    axis = torch.linspace(-3, 3, 241)

    def draw(axes: Axes) -> None:
        warm = warm_in(clip, "one unit")
        identity(axes, (-3.0, 3.0))
        for other, color, dashes in ((0.3, AFTER, "-"), (2.0, MARKED, "--")):
            points = torch.stack([axis, torch.full_like(axis, other)], -1)
            after = joined(warm.mapped(LAYOUTS["one unit"](points)))[:, 0]
            axes.plot(axis.numpy(), after.numpy(), color=color, linestyle=dashes, label=f"$g_2$ = {other:g}")
        axes.set(xlabel="$g_1$ before", ylabel="$g_1$ after", xlim=(-3, 3), ylim=(-3, 3))
        axes.legend(loc="lower right", handlelength=1.2, borderaxespad=0.1)

    return Panel("One coordinate", draw, "One coordinate: the first, for a small and a large second one.", square=True)


def norms_of(clip: Clipping) -> Panel:
    """The norm before and after, for gradients of a small net that spread over all coordinates or sit in one."""
    random = randomness(7)
    parameters, direction = normal_net(random), normal_net(random)
    first = next(iter(direction))
    lone = {key: torch.zeros_like(t) for key, t in direction.items()}
    lone[first][0, 0] = 1.0

    def draw(axes: Axes) -> None:
        warm = warmed(clip, normal_net, parameters)
        identity(axes, (float(NORMS[0]), float(NORMS[-1])))
        for gradient, color, name in ((direction, AFTER, "spread"), (lone, MARKED, "in one place")):
            after = [length(warm(of_length(gradient, float(norm)))) for norm in NORMS]
            dashes = "-" if color == AFTER else (0, (3, 1.2))
            axes.plot(NORMS.numpy(), after, color=color, linestyle=dashes, label=name)
        logarithmic(axes, "norm before", "norm after")
        axes.legend(loc="lower right", handlelength=1.6, borderaxespad=0.1)

    count = sum(t.numel() for t in parameters.values())
    state = ", after the same series" if remembers(clip) else ""
    words = f"Norms: of a small net's whole gradient of {count} coordinates, spread over all or held by one"
    return Panel("Norms", draw, f"{words}{state}.", square=True)


def logarithmic(axes: Axes, xlabel: str, ylabel: str) -> None:
    """Both axes logarithmic over the range of norms."""
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    ends = float(NORMS[0]), float(NORMS[-1])
    axes.set(xlim=ends, ylim=ends, xticks=[0.1, 1, 10], yticks=[0.1, 1, 10])
    axes.set_xticklabels(["0.1", "1", "10"])
    axes.set_yticklabels(["0.1", "1", "10"])


def series_of(clip: Clipping) -> Panel:
    """The norms of a series of gradients with two spikes, before and after."""

    def draw(axes: Axes) -> None:
        warm = warmed(clip, normal_net, normal_net(randomness(7)))
        axes.plot(warm.before, color=BEFORE, linewidth=0.8, label="before")
        axes.plot(warm.after, color=AFTER, linewidth=0.8, label="after")
        axes.set(yscale="log", xlabel="step", ylabel="norm", xlim=(0, len(warm.before)), ylim=(0.15, 40))
        axes.set_yticks([0.3, 1, 3, 10], ["0.3", "1", "3", "10"])
        axes.legend(loc="upper left", handlelength=1.2, borderaxespad=0.1)

    words = f"A series of gradients of the small net, with spikes at steps {SPIKES[0]} and {SPIKES[1]}."
    return Panel("A series of norms", draw, f"A series of norms: {words[0].lower()}{words[1:]}")
