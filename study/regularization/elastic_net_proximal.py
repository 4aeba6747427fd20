from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Flag, NonNegative
from study.regularization.base import Place, Rate, Regularization, penalized, soft_threshold


class ElasticNetProximal(Regularization):
    """Apply the penalty of `elastic_net` as a proximal step after the optimizer's: soft threshold, then shrink.

    The penalty is strength/2 sum(lambda1 |w| + lambda2 w^2), with the parameters of `elastic_net`. lambda1 = 2 s,
    lambda2 = 0 is `l1_proximal` of strength s. lambda1 = 0, lambda2 = s is w / (1 + lr s), the implicit form of
    `decoupled_decay`, equal to it to first order in lr s. The step size is the scheduled learning rate under any
    optimizer, as in `l1_proximal`.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 0.0001, 0.1)
    name: Literal["elastic_net_proximal"] = "elastic_net_proximal"
    place: ClassVar[Place] = "update"
    formula: ClassVar[str] = (
        r"w \leftarrow \frac{\mathrm{sign}(w)\,\max(|w| - \eta\lambda\lambda_1/2,\, 0)}{1 + \eta\lambda\lambda_2}"
    )
    source: ClassVar[str] = "@zou2005; @parikh2014"
    lambda1: NonNegative
    lambda2: NonNegative
    strength: NonNegative = 1.0
    biases: Flag = False

    def update(self, parameters: Tensors, lr: Rate, state: Tensors) -> tuple[Tensors, Tensors]:
        threshold, shrink = lr * self.strength * self.lambda1 / 2, 1 + lr * self.strength * self.lambda2
        chosen = penalized(parameters, self.biases)
        return parameters | {key: soft_threshold(w, threshold) / shrink for key, w in chosen.items()}, state
