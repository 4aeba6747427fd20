from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Must, NonNegative
from study.regularization.base import Place, Rate, Regularization, penalized
from study.utils.lazy import torch


class GroupLasso(Regularization):
    """Shorten each group of weights by lr strength sqrt(its size) after the optimizer's step; short groups become zero.

    A group holds all weights that leave one pixel or unit for the next layer: a column of torch's weight (out, in). A
    zero group is a pixel or unit that the next layer ignores. `groups: incoming` takes the weights that enter one unit
    instead, a row. In a convolution of `lenet` a column is one position of the kernel in one input channel, and a row
    is one output channel. Biases belong to no group. This is the proximal step of strength sum_g sqrt(d_g) ||w_g||,
    with the scheduled learning rate as its step size.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 1e-5, 0.01)
    name: Literal["group_lasso"] = "group_lasso"
    place: ClassVar[Place] = "update"
    formula: ClassVar[str] = (
        r"w_g \leftarrow w_g \max\left(0,\, 1 - \frac{\eta\lambda\sqrt{d_g}}{\lVert w_g\rVert}\right)"
    )
    source: ClassVar[str] = "@yuan2006; @scardapane2017"
    strength: NonNegative
    groups: Annotated[Literal["outgoing", "incoming"], Must("'outgoing' or 'incoming'", ("both", "rows", 1))] = (
        "outgoing"
    )

    def update(self, parameters: Tensors, lr: Rate, state: Tensors) -> tuple[Tensors, Tensors]:
        chosen = penalized(parameters, biases=False)
        return parameters | {key: self._shortened(w, lr * self.strength) for key, w in chosen.items()}, state

    def _shortened(self, w: torch.Tensor, by: Rate) -> torch.Tensor:
        norms = group_norms(w, self.groups)
        size = w.numel() / norms.numel()
        # A zero group divides by the smallest number instead: it stays zero, and at strength zero too.
        return w * torch.clamp(1 - by * size**0.5 / norms.clamp(min=torch.finfo(w.dtype).tiny), min=0)


def group_norms(w: torch.Tensor, groups: str) -> torch.Tensor:
    """Return the norm of the weights that leave each input (or enter each output), broadcastable to w (out, in)."""
    kept = 1 if groups == "outgoing" else 0
    others = [d for d in range(w.ndim) if d != kept]
    return w.square().sum(others, keepdim=True).sqrt()  # along columns ten times as fast as vector_norm
