from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from study.models.base import ACTIVATIONS, SIDE, Model, among
from study.models.initialisations import InitialisationChoice, PyTorch
from study.parameters import Flag
from study.utils.lazy import torch


class LeNet(Model):
    """A small convolutional network: LeNet-5 without its trained pooling and partial connections, for 28 x 28 pixels.

    Convolution 5 x 5 to 6 maps (padding 2), pooling, convolution 5 x 5 to 16 maps, pooling, then 120-84-classes.
    Pooling takes the mean of 2 x 2 pixels, as the original does; their maximum takes longer here. The hidden sites are
    the pooled maps [B, C, H, W], so that dropout zeroes single pooled pixels, and the two linear layers. Weights of a
    convolution are [out, 25 in], the inputs in the order of rows, columns, channels. With `batch_norm` each map and
    each unit of the linear layers is normalized over the batch before its activation, gain and shift in place of the
    bias. They are parameters as all others: clips act on them, penalties count them with the biases.
    """

    formula: ClassVar[str] = (
        r"h_l = \mathrm{pool}(\phi(W_l * h_{l-1} + b_l)),\ l = 1, 2;\quad "
        r"h_l = \phi(W_l h_{l-1} + b_l),\ l = 3, 4;\quad z = W_5 h_4 + b_5"
    )
    source: ClassVar[str] = "@lecun1998, section II.B; batch normalization: @ioffe2015"
    reads: ClassVar[tuple[int, int] | None] = (SIDE, SIDE)
    name: Literal["lenet"] = "lenet"
    activation: Annotated[str, *among(ACTIVATIONS)] = "tanh"
    init: InitialisationChoice = PyTorch()
    batch_norm: Flag = False

    def network(self, inputs: int, classes: int) -> torch.nn.Module:
        self.needs_images(inputs)
        from study.models.networks.lenet import Convolutional

        return Convolutional(classes, ACTIVATIONS[self.activation], self.batch_norm)

    def initialise(self, module: torch.nn.Module, random: torch.Generator) -> dict[str, torch.Tensor]:
        from study.models.networks.lenet import KERNEL

        return self.init.initialise(module, random, {"kernels.0": KERNEL**2, "kernels.1": KERNEL**2})
