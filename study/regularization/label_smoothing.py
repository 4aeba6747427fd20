from typing import ClassVar, Literal

from torch import Tensor

from study.optim.tensors import Tensors
from study.parameters import Share
from study.regularization.base import Place, Regularization


class LabelSmoothing(Regularization):
    """Learn from targets that give a share of their weight to all K classes alike, the right one among them.

    The scores of an evaluation are not smoothed.
    """

    name: Literal["label_smoothing"] = "label_smoothing"
    place: ClassVar[Place] = "data"
    formula: ClassVar[str] = r"y \leftarrow (1 - \varepsilon)\, y + \frac{\varepsilon}{K}"
    source: ClassVar[str] = "@szegedy2016, section 7"
    smoothing: Share

    def batch(self, x: Tensor, targets: Tensor, noise: Tensors) -> tuple[Tensor, Tensor]:
        return x, targets * (1 - self.smoothing) + self.smoothing / targets.shape[-1]
