from typing import Annotated, ClassVar, Literal

from study.methods.base import MethodCombination
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors, norm
from study.parameters import Must, NonNegative
from study.regularization.base import Place, Regularization

EPSILON = 1e-12  # a zero gradient gives no direction


class Sam(Regularization):
    """Sharpness-aware minimisation: take the gradient at w + rho g / ||g||, where g is the gradient at w.

    A step takes two gradients of the same batch with the same noise. `clip` names the one that is clipped: that of the
    descent, which the optimizer gets, or g, that of the ascent. A clip that only rescales the whole of g leaves the
    ascent as it is, so nothing is clipped then. Penalties of the loss count in both. Each normalizes by the batch; the
    running statistics of batch normalization are those of the first.
    """

    search: ClassVar[LogRange | None] = LogRange("rho", 0.003, 0.3)
    name: Literal["sam"] = "sam"
    place: ClassVar[Place] = "gradient"
    formula: ClassVar[str] = r"g_t \leftarrow \nabla\mathcal{L}\Big(w_t + \rho\, \frac{g_t}{\lVert g_t\rVert_2}\Big)"
    source: ClassVar[str] = "@foret2021"
    rho: NonNegative
    clip: Annotated[Literal["descent", "ascent"], Must("'descent' or 'ascent'", ("both", True))] = "descent"

    def ascent(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        if self.rho == 0:
            return parameters
        scale = self.rho / (norm(gradient) + EPSILON)
        return {key: p + scale * gradient[key] for key, p in parameters.items()}

    @property
    def clips_ascent(self) -> bool:
        return self.clip == "ascent" and self.rho > 0  # at rho 0 there is no ascent

    def conflict_with(self, combination: MethodCombination) -> str | None:
        others = [r.name for r in combination.regularization if r.overrides("ascent") and r.name != self.name]
        return f"regularization '{self.name}' has its own ascent, and so has '{others[0]}'" if others else None
