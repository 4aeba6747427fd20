from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from study.clipping.base import Rescaling
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors, norm
from study.parameters import NOT_NUMBERS, Must, NotBool, PositiveInt
from study.utils.lazy import torch

EPSILON = 1e-6  # AutoClip clips by torch's clip_grad_norm_, which adds it to the norm

Percent = Annotated[float, Field(ge=0, le=100), NotBool, Must("a number from 0 to 100", (-1, 100.5, *NOT_NUMBERS))]


class Percentile(Rescaling):
    """Scale the whole gradient to at most the p-th percentile of all norms so far, the current one included (AutoClip).

    g c_t / (||g|| + 1e-6) where ||g|| > c_t, the percentile with linear interpolation between neighbours. The history
    holds the norms before the clip. The original keeps all of them; here the last `window` norms are kept, so a
    training of at most `window` steps equals AutoClip. The state holds them twice, in order of arrival and sorted,
    [window] each, both padded with infinity.
    """

    formula: ClassVar[str] = (
        r"g_t \min\left(1, \frac{c_t}{\lVert g_t\rVert_2}\right),\quad "
        r"c_t = \operatorname{percentile}_p(\lVert g_1\rVert_2, \dots, \lVert g_t\rVert_2)"
    )
    source: ClassVar[str] = "@seetharaman2020, AutoClip"
    search: ClassVar[LogRange | None] = LogRange("percentile", 1, 99)
    name: Literal["percentile"] = "percentile"
    percentile: Percent = 10.0
    window: PositiveInt = 10_000

    def initial_state(self, parameters: Tensors) -> Tensors:
        first = next(iter(parameters.values()))
        empty = first.new_full((self.window,), torch.inf)
        return {"recent": empty, "ordered": empty, "seen": first.new_zeros((), dtype=torch.int64)}

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        size = norm(gradient)
        state = remembered(size, state)
        limit = percentile(state["ordered"], state["seen"].clamp(max=self.window), self.percentile)
        scale = torch.where(size > limit, limit / (size + EPSILON), 1.0)
        return dict.fromkeys(gradient, scale), state


def remembered(size: torch.Tensor, state: Tensors) -> Tensors:
    """Return the state with one more norm, which replaces the oldest once the window is full."""
    slot = (state["seen"] % state["recent"].numel()).view(1)
    oldest = state["recent"].gather(0, slot)
    return {
        "recent": state["recent"].scatter(0, slot, size.view(1)),
        "ordered": without(with_one(state["ordered"], size), oldest),
        "seen": state["seen"] + 1,
    }


def with_one(ordered: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Insert x into sorted numbers [n] and return them sorted, [n + 1].

    Each place holds its number, x, or the number before it.
    """
    end = ordered.new_full((1,), torch.inf)
    before, after = torch.cat([-end, ordered]), torch.cat([ordered, end])
    return torch.minimum(after, torch.maximum(before, x))


def without(ordered: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Remove x from sorted numbers [n + 1] that contain it and return them sorted, [n].

    From x on, each place takes the next number.
    """
    return torch.where(ordered[:-1] < x, ordered[:-1], ordered[1:])


def percentile(ordered: torch.Tensor, count: torch.Tensor, percent: float) -> torch.Tensor:
    """Return the percentile of the first `count` of sorted numbers, with linear interpolation as in numpy."""
    rank = (count - 1).to(torch.float64) * (percent / 100)
    below = rank.floor()
    places = torch.stack([below, rank.ceil()]).to(torch.int64)
    low, high = ordered.gather(0, places)
    return torch.lerp(low, high, (rank - below).to(ordered.dtype))
