from typing import ClassVar, Literal

from study.clipping.base import Part, PerSample
from study.clipping.per_sample import bounded
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Positive


class PerSampleLayer(PerSample):
    """Scale each sample's gradient of each of K tensors to a norm of at most C / sqrt(K), before the mean.

    The norm of all tensors together is then at most C. McMahan et al. 2018, per-layer clipping; optax's
    `per_example_layer_norm_clip`, which returns the sum instead of the mean.
    """

    formula: ClassVar[str] = (
        r"\frac1B \sum_{i=1}^B g_{i,k} \min\left(1, \frac{C / \sqrt K}{\lVert g_{i,k}\rVert_2 + 10^{-6}}\right)"
    )
    source: ClassVar[str] = "@mcmahan2018, per-layer clipping"
    acts_per: ClassVar[Part] = "tensor"  # one tensor of a sample's gradient
    search: ClassVar[LogRange | None] = LogRange("max_norm", 0.003, 3)
    name: Literal["per_sample_layer"] = "per_sample_layer"
    max_norm: Positive

    def weights(self, norms: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        bound = self.max_norm / len(norms) ** 0.5
        return {key: bounded(each, bound) for key, each in norms.items()}, state

    def norm_bound(self, state: Tensors) -> float:
        return self.max_norm
