from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from study.models.base import ACTIVATIONS, SIDE, Model, among
from study.models.initialisations import InitialisationChoice, PyTorch
from study.utils.lazy import torch


class PrivateCNN(Model):
    """The small convolutional network of the literature on private learning of digits, for 28 x 28 pixels.

    Convolution 8 x 8 to 16 maps (stride 2, padding 3), maximum of 2 x 2 pixels at every pixel, convolution 4 x 4 to 32
    maps (stride 2), the maximum again, then 32-classes. Opacus' example on MNIST uses it with `relu`, Papernot et al.
    with `tanh`. The hidden sites are the pooled maps [B, C, H, W] and the linear layer. Weights of a convolution are
    [out, 64 in] and [out, 16 in], the inputs in the order of squares of 2 x 2 pixels, and within one of rows, columns,
    channels.
    """

    formula: ClassVar[str] = (
        r"h_l = \max\nolimits_{2 \times 2} \phi(W_l *_2 h_{l-1} + b_l),\ l = 1, 2;\quad "
        r"h_3 = \phi(W_3 h_2 + b_3),\quad z = W_4 h_3 + b_4"
    )
    source: ClassVar[str] = "@papernot2021; Opacus' example `mnist.py`"
    reads: ClassVar[tuple[int, int] | None] = (SIDE, SIDE)
    name: Literal["private_cnn"] = "private_cnn"
    activation: Annotated[str, *among(ACTIVATIONS)] = "relu"
    init: InitialisationChoice = PyTorch()

    def network(self, inputs: int, classes: int) -> torch.nn.Module:
        self.needs_images(inputs)
        from study.models.networks.private_cnn import Strided

        return Strided(classes, ACTIVATIONS[self.activation])

    def initialise(self, module: torch.nn.Module, random: torch.Generator) -> dict[str, torch.Tensor]:
        from study.models.networks.private_cnn import KERNELS

        pixels = {f"kernels.{index}": side**2 for index, side in enumerate(KERNELS)}
        return self.init.initialise(module, random, pixels)
