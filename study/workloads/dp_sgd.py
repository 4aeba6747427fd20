"""Training with differential privacy of each digit: what is drawn, how much noise, and what it buys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from study.clipping import PerSample
from study.clipping.per_sample_adaptive import PerSampleAdaptive
from study.methods.base import MethodCombination
from study.parameters import Inside, NonNegative
from study.workloads.base import Floats, Workload

DEVIATIONS = 6  # of the number of drawn digits above its mean, for which a step has rows
BREAKING: Mapping[str, str] = {  # what a regularizer overrides, and what it then does to a private step
    "batch": "changes what the rows of a batch teach, also those that stand for no digit",
    "data_penalty": "takes a gradient of the whole batch",
    "ascent": "moves the weights by a gradient without noise",
}


class DPSGD(Workload):
    """One model learns from random batches, whose samples are clipped and whose sum gets noise: DP-SGD.

    Each step draws every training digit with the same probability, `batch_size` of them on average, and adds normal
    noise of z = `noise_multiplier` times the bound of the clip to the sum of the clipped gradients; the sum is divided
    by `batch_size`, whatever was drawn. A run without a clip has no noise, and no privacy. What follows the clip, such
    as weight decay, costs no privacy.
    """

    formula: ClassVar[str] = (
        r"g = \frac1B \left(\sum_{i \in S} \operatorname{clip}_C(g_i) + z C\, \epsilon\right),\quad "
        r"\Pr(i \in S) = \frac{B}{n},\quad \epsilon \sim N(0, I)"
    )
    source: ClassVar[str] = "@abadi2016, algorithm 1; Opacus' `PrivacyEngine.make_private`"
    columns: ClassVar[tuple[str, ...]] = ("drawn", "noise_std", "epsilon")
    name: Literal["dp_sgd"] = "dp_sgd"
    noise_multiplier: NonNegative = 1.0
    delta: Inside = 1e-5

    @property
    def words(self) -> str:
        return f"DP-SGD: batches drawn at random, noise multiplier {self.noise_multiplier:g}, delta {self.delta:g}."

    def rows(self, digits: int, batch_size: int) -> int:
        """Return the most digits that a step can hold: six standard deviations above the mean number drawn."""
        share = batch_size / digits
        return min(digits, math.ceil(batch_size + DEVIATIONS * math.sqrt(batch_size * (1 - share))))

    def conflict_with(self, combination: MethodCombination) -> str | None:
        if combination.model.normalizes_batches:
            return "workload 'dp_sgd' needs gradients of single samples, which batch normalization mixes"
        if combination.loss.name != "cross_entropy":
            return "workload 'dp_sgd' needs the loss 'cross_entropy', which is 0 for a row that stands for no digit"
        clip = combination.clip
        if clip.name != "none" and not (isinstance(clip, PerSample) and clip.bounds_norm):
            return f"clipping '{clip.name}' bounds the gradient of no single sample, by which noise could be measured"
        if isinstance(clip, PerSampleAdaptive):
            return f"clipping '{clip.name}' looks at the samples' norms without noise, which DP-SGD may not"
        for hook, why in BREAKING.items():
            for other in combination.regularization:
                if other.overrides(hook):
                    return f"regularization '{other.name}' {why}, which DP-SGD may not"
        return None

    def outcomes(self, epochs: Mapping[str, Floats]) -> dict[str, float]:
        return {"epsilon": float(epochs["epsilon"][-1])}
