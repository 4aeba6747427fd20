from typing import ClassVar, Literal

from study.clipping.base import Part, Rescaling
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Positive, PositiveInt, Share
from study.utils.lazy import torch


class EmaTensor(Rescaling):
    """Scale each tensor of the gradient to at most `ratio` times the average of its own clipped norms (AdaGC).

    ||g_k|| <= ratio gamma_k, where gamma_k is the exponential average with weight `smoothing` on the past. In the
    first `warm_up_steps` steps the whole gradient is scaled to a norm of at most `max_norm`, and gamma_k is the
    smallest norm of the results. A norm of 0 (a tensor behind dead units) does not count there: the average would
    start at 0 and hold the tensor at 0 for good. A tensor that has been 0 from the start stays unclipped until its
    norm is positive.
    """

    acts_per: ClassVar[Part] = "tensor"
    formula: ClassVar[str] = (
        r"g_k \min\left(1, \frac{\lambda \gamma_k}{\lVert g_k\rVert_2}\right),\quad "
        r"\gamma_k \leftarrow \beta \gamma_k + (1 - \beta) \lVert \hat g_k\rVert_2"
    )
    source: ClassVar[str] = "@wang2025, AdaGC"
    search: ClassVar[LogRange | None] = LogRange("ratio", 0.3, 3)
    name: Literal["ema_tensor"] = "ema_tensor"
    ratio: Positive = 1.05
    max_norm: Positive = 1.0
    smoothing: Share = 0.98
    warm_up_steps: PositiveInt = 100

    def initial_state(self, parameters: Tensors) -> Tensors:
        first = next(iter(parameters.values()))
        unknown = first.new_full((len(parameters),), torch.inf)
        return {"average": unknown, "seen": first.new_zeros((), dtype=torch.int64)}

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        sizes, average = torch.stack([torch.linalg.vector_norm(g) for g in gradient.values()]), state["average"]
        warm = state["seen"] < self.warm_up_steps
        limit = torch.where(warm, self.max_norm / torch.linalg.vector_norm(sizes), self.ratio * average / sizes)
        scale = torch.clamp(torch.where(sizes == 0, 1.0, limit), max=1.0)
        clipped = scale * sizes
        smallest = torch.minimum(average, torch.where(clipped == 0, torch.inf, clipped))
        smoothed = self.smoothing * average + (1 - self.smoothing) * clipped
        average = torch.where(warm | average.isinf(), smallest, smoothed)
        return dict(zip(gradient, scale.unbind(), strict=True)), {"average": average, "seen": state["seen"] + 1}
