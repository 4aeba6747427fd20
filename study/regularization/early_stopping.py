import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.parameters import Flag, NonNegative, PositiveInt
from study.regularization.base import Place, Regularization


class EarlyStopping(Regularization):
    """Stop once the validation loss has not improved for `patience` epochs.

    An epoch improves if its loss is more than `min_delta` below that of the last epoch that improved; a loss that is
    not finite never improves. No training uses the validation digits. A training that is stopped hands over its last
    parameters, or with `restore_best` those of the epoch with the lowest validation loss; one that reaches its last
    epoch hands over the last. The other seeds of the job go on.
    """

    search: ClassVar[LogRange | None] = LogRange("patience", 1, 20, whole=True)
    name: Literal["early_stopping"] = "early_stopping"
    place: ClassVar[Place] = "stopping"
    formula: ClassVar[str] = r"\text{stop at } t = b + p,\ b \text{ the last epoch with } v_b < v_{b'} - \delta"
    source: ClassVar[str] = "@prechelt1998"
    patience: PositiveInt = 5
    min_delta: NonNegative = 0.0
    restore_best: Flag = False

    def stops(self, validation_losses: Sequence[float]) -> bool:
        best, waited = math.inf, 0
        for loss in validation_losses:
            improved = math.isfinite(loss) and loss < best - self.min_delta
            best, waited = (loss, 0) if improved else (best, waited + 1)
        return waited >= self.patience

    @property
    def hands_over_best(self) -> bool:
        return self.restore_best
