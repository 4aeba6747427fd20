"""Small nets of linear layers used in different ways, and the gradients of their samples by a loop of autograd."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from study.optim.losses import CrossEntropy, Loss, SquaredError
from study.training.per_sample import SampleGradients, sample_gradients

Tensors = dict[str, Tensor]
INPUTS, CLASSES = 12, 4
LOSSES: dict[str, Loss] = {"cross_entropy": CrossEntropy(), "squared_error": SquaredError()}


class Deep(nn.Module):
    """Layers used once a sample, one of them without a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(INPUTS, 7), nn.Linear(7, 5, bias=False), nn.Linear(5, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.second(torch.tanh(self.first(x)))))


class Patches(nn.Module):
    """A layer over positions: of 3 positions (products of positions), then over 6 (the gradients themselves)."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow, self.last = nn.Linear(4, 6), nn.Linear(3, 2), nn.Linear(12, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.wide(x.view(-1, 1, 3, 4)))
        return self.last(torch.tanh(self.narrow(h.view(-1, 2, 3, 3))).flatten(1))


class Recurrent(nn.Module):
    """Layers called again and again, on other inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.remember, self.last = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(len(x), 6)
        for row in x.view(-1, 3, 4).unbind(1):
            h = torch.tanh(self.read(row) + self.remember(h))
        return self.last(h)


NETS: dict[str, Callable[[], nn.Module]] = {
    "deep": Deep,
    "patches": Patches,
    "recurrent": Recurrent,
    "one layer": lambda: nn.Linear(INPUTS, CLASSES),
}


class Setting:
    """A net with fresh parameters and a batch with soft targets."""

    def __init__(self, net: str, loss: str = "cross_entropy", seed: int = 0, batch: int = 5) -> None:
        random = torch.Generator().manual_seed(seed)
        with torch.device("meta"):  # draws no random numbers
            self.module = NETS[net]()
        self.loss = LOSSES[loss]
        self.parameters = {
            key: 0.5 * torch.randn(p.shape, generator=random) for key, p in self.module.named_parameters()
        }
        self.x = torch.randn(batch, INPUTS, generator=random)
        self.targets = torch.randn(batch, CLASSES, generator=random).softmax(-1)
        self.weights = {key: torch.rand(batch, generator=random) for key in self.parameters}

    def network(self, parameters: Tensors, x: Tensor) -> Tensor:
        return functional_call(self.module, parameters, (x,))

    def found(self) -> tuple[SampleGradients, Tensor]:
        def loss(logits: Tensor) -> Tensor:
            return self.loss.value(logits, self.targets)

        return sample_gradients(self.network, self.module, loss, self.parameters, self.x)

    def slow(self, rows: slice = slice(None)) -> tuple[Tensors, Tensor]:
        """By torch.autograd: the gradient of the mean loss of some samples, and that loss."""
        leaves = {key: p.clone().requires_grad_() for key, p in self.parameters.items()}
        value = self.loss.value(self.network(leaves, self.x[rows]), self.targets[rows])
        return dict(zip(leaves, torch.autograd.grad(value, list(leaves.values())), strict=True)), value.detach()

    def each(self) -> list[Tensors]:
        return [self.slow(slice(i, i + 1))[0] for i in range(len(self.x))]


def assert_close(a: Tensors, b: Tensors) -> None:
    assert list(a) == list(b)
    for key in a:
        torch.testing.assert_close(a[key], b[key], rtol=1e-4, atol=1e-6)
