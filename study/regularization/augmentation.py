from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from study.methods.base import MethodCombination
from study.methods.ranges import LogRange
from study.optim.rng import Distribution
from study.optim.tensors import Tensors
from study.parameters import Must, NonNegative, NotBool
from study.regularization.base import Place, Regularization
from study.utils.lazy import torch

Degrees = Annotated[
    float, Field(ge=0, le=180), NotBool, Must("a number from 0 to 180", (-1, 181, "much", True, float("nan"), [1]))
]


class Augmentation(Regularization):
    """Shift each image by a random amount, and rotate it if an angle is given, while training.

    Shifts are uniform up to `shift` pixels in each direction, angles up to `degrees` in each direction. The image is
    rotated about its centre, then shifted, with bilinear interpolation and without rounding to whole pixels. Pixels
    that enter from outside take the darkest value of the image, which is black in every digit of MNIST; so the method
    need not know how the pixels were normalised. Images are square.
    """

    search: ClassVar[LogRange | None] = LogRange("shift", 0.3, 6)
    of_squares: ClassVar[bool] = True
    name: Literal["augmentation"] = "augmentation"
    place: ClassVar[Place] = "data"
    formula: ClassVar[str] = (
        r"x_i(p) \leftarrow x_i\big(R_{-\theta_i}(p - s_i)\big), \quad \theta_i \sim U(-\Theta, \Theta), \quad"
        r" s_i \sim U(-S, S)^2"
    )
    source: ClassVar[str] = "@simard2003, section 2; conventions of torchvision's `affine`"
    shift: NonNegative
    degrees: Degrees = 0.0

    def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Distribution]:
        samples = sites["input"][0]
        return {"shift": Distribution((samples, 2)), "turn": Distribution((samples,))} if self._acts else {}

    def batch(self, x: torch.Tensor, targets: torch.Tensor, noise: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        if not self._acts:
            return x, targets
        angles = (2 * noise["turn"] - 1) * math.radians(self.degrees)
        return moved(x, angles, (2 * noise["shift"] - 1) * self.shift), targets

    def conflict_with(self, combination: MethodCombination) -> str | None:
        """Refuse noise before the augmentation: it would hide which value is black."""
        names = [other.name for other in combination.regularization]
        if "input_noise" in names[: names.index(self.name)]:
            return f"regularization '{self.name}' must stand before 'input_noise', which hides what is black"
        return None

    @property
    def _acts(self) -> bool:
        return self.shift > 0 or self.degrees > 0


def moved(x: torch.Tensor, angles: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Rotate square images [B, P] clockwise by angles [B] (radians), then shift them right and down by [B, 2]."""
    side = math.isqrt(x.shape[1])
    black = x.amin(1, keepdim=True)
    places = source_places(side, angles, shifts) * (2 / side)  # grid_sample's unit is half a side
    images = (x - black).unflatten(1, (1, side, side))
    return (
        torch.nn.functional.grid_sample(
            images, places, mode="bilinear", padding_mode="zeros", align_corners=False
        ).flatten(1)
        + black
    )


def source_places(side: int, angles: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Return the source of each pixel, [B, side, side, 2]: column and row from the centre of the image, in pixels."""
    from_centre = torch.arange(side, device=angles.device) - (side - 1) / 2
    right = (from_centre - shifts[:, :1])[:, None, :]
    down = (from_centre - shifts[:, 1:])[:, :, None]
    cos, sin = angles.cos()[:, None, None], angles.sin()[:, None, None]
    return torch.stack([cos * right + sin * down, cos * down - sin * right], -1)
