from typing import ClassVar, Literal

from study.methods.base import MethodCombination
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Share
from study.regularization.base import Place, Rate, Regularization
from study.utils.lazy import torch


class WeightAveraging(Regularization):
    """Score and hand over an exponential moving average of the weights, biases included; train on without it.

    After each step a <- decay a + (1 - decay) w. The first step copies w, as torch's AveragedModel does, so the
    initial weights do not linger. In a combination it comes last, so that it averages the result of the others.
    Running statistics of batch normalization are averaged with the weights, as with AveragedModel's `use_buffers`.
    """

    search: ClassVar[LogRange | None] = LogRange("decay", 0.001, 0.5, of_complement=True)
    name: Literal["weight_averaging"] = "weight_averaging"
    place: ClassVar[Place] = "evaluation"
    formula: ClassVar[str] = r"a_1 = w_1,\quad a_t = \beta a_{t-1} + (1 - \beta) w_t"
    source: ClassVar[str] = "@polyak1992; as a moving average @tarvainen2017"
    decay: Share = 0.999

    def initial_state(self, parameters: Tensors) -> Tensors:
        first = next(iter(parameters.values()))
        copies = {key: w.clone() for key, w in parameters.items()}  # the optimizer changes parameters in place
        return {**copies, "steps": torch.zeros((), dtype=torch.int64, device=first.device)}

    def update(self, parameters: Tensors, lr: Rate, state: Tensors) -> tuple[Tensors, Tensors]:
        share = torch.where(state["steps"] == 0, 1.0, 1 - self.decay)
        averages = {key: torch.lerp(state[key], w, share.to(w.dtype)) for key, w in parameters.items()}
        return parameters, {**averages, "steps": state["steps"] + 1}

    def evaluated(self, parameters: Tensors, state: Tensors) -> Tensors:
        return {key: state[key] for key in parameters}

    def conflict_with(self, combination: MethodCombination) -> str | None:
        *_, last = combination.regularization
        if last.name == self.name:
            return None
        return f"regularization '{self.name}' must come last, to average what '{last.name}' leaves"
