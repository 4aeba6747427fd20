from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import NonNegative
from study.regularization.base import Place, Regularization, add_scaled


class FedProx(Regularization):
    """Pull all parameters, biases included, towards those that training started from: add mu (w - w_0) to the gradient.

    A client of a federated training starts each round from the server's parameters, which makes this FedProx. Elsewhere
    it is L2-SP, a pull towards the initial weights. The pull belongs to the loss, so it is clipped with it.
    """

    name: Literal["fedprox"] = "fedprox"
    place: ClassVar[Place] = "gradient"
    formula: ClassVar[str] = r"\frac{\mu}{2} \lVert w - w_0\rVert_2^2 \text{ added to the loss}"
    source: ClassVar[str] = "@li2020, algorithm 2; as L2-SP @xuhong2018"
    search: ClassVar[LogRange | None] = LogRange("mu", 1e-3, 1.0)
    mu: NonNegative

    def initial_state(self, parameters: Tensors) -> Tensors:
        return {key: p.clone() for key, p in parameters.items()}  # torch changes parameters in place

    def before_clip(
        self, gradient: Tensors, parameters: Tensors, noise: Tensors, state: Tensors
    ) -> tuple[Tensors, Tensors]:
        away = {key: p - state[key] for key, p in parameters.items()}
        return add_scaled(gradient, away, self.mu), state
