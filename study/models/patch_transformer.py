from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from study.models.base import ACTIVATIONS, SIDE, Model, among
from study.models.initialisations import InitialisationChoice, Xavier
from study.parameters import Must, NotBool, PositiveInt
from study.utils.lazy import torch


class PatchTransformer(Model):
    """A pre-norm transformer encoder whose tokens are the patches of an image, 28 x 28 pixels.

    Layer normalization has no gain and bias, and positions are fixed, so that every parameter belongs to a linear
    layer and clips of single samples apply. `expansion`: width of a block's hidden layer, in widths of the state.
    """

    formula: ClassVar[str] = (
        r"H \leftarrow H + \text{softmax}\left(\tfrac{Q K^\top}{\sqrt{d}}\right) V W_o,\quad "
        r"H \leftarrow H + \phi(\text{LN}(H) W_1) W_2\quad\text{with } Q, K, V \text{ linear in } \text{LN}(H)"
    )
    source: ClassVar[str] = "@vaswani2017; images as patches: @dosovitskiy2021; pre-norm: @xiong2020"
    reads: ClassVar[tuple[int, int] | None] = (SIDE, SIDE)
    name: Literal["patch_transformer"] = "patch_transformer"
    blocks: Annotated[int, Field(ge=1, le=12), NotBool, Must("a whole number from 1 to 12", (0, 13, 1.5, True))] = 2
    width: PositiveInt = 64
    heads: PositiveInt = 4
    patch: Annotated[Literal[1, 2, 4, 7, 14, 28], Must("a divisor of 28: 1, 2, 4, 7, 14 or 28", (3, 0, "7x7"))] = (
        7  # pixels
    )
    expansion: PositiveInt = 2
    activation: Annotated[str, *among(ACTIVATIONS)] = "gelu"
    init: InitialisationChoice = Xavier()

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.width % (2 * self.heads):
            self.refuse(("width", f"be a multiple of {2 * self.heads}, twice the number of heads", self.width))
        return self

    def network(self, inputs: int, classes: int) -> torch.nn.Module:
        self.needs_images(inputs)
        from study.models.networks.patch_transformer import Patches

        return Patches(self, classes)

    def initialise(self, module: torch.nn.Module, random: torch.Generator) -> dict[str, torch.Tensor]:
        return self.init.initialise(module, random)
