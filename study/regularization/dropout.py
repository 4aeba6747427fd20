from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.rng import Distribution
from study.optim.tensors import Tensors
from study.parameters import Share
from study.regularization.base import Place, Regularization
from study.utils.lazy import torch


class Dropout(Regularization):
    """Zero each hidden activation with probability p and scale the others by 1 / (1 - p), while training.

    `input_p` does the same to the input. Srivastava et al. 2014.
    """

    search: ClassVar[LogRange | None] = LogRange("p", 0.03, 0.9)
    name: Literal["dropout"] = "dropout"
    place: ClassVar[Place] = "model"
    formula: ClassVar[str] = r"h \leftarrow \frac{m \odot h}{1 - p}, \quad m_i \sim \mathrm{Bernoulli}(1 - p)"
    source: ClassVar[str] = "@srivastava2014"
    p: Share
    input_p: Share = 0.0

    def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Distribution]:
        return {site: Distribution(shape) for site, shape in sites.items() if self._rate(site) > 0}

    def activation(self, site: str, h: torch.Tensor, noise: Tensors) -> torch.Tensor:
        rate = self._rate(site)
        return h * (noise[site] >= rate) / (1 - rate) if rate > 0 else h

    def _rate(self, site: str) -> float:
        return self.input_p if site == "input" else self.p
