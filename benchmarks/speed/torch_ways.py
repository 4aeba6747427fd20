"""The same training by PyTorch alone: the loop of its MNIST example, a loop in memory, its recipe for ensembles."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset

from benchmarks.speed.clock import Way
from benchmarks.speed.task import FOLDER, LR, MAX_NORM, Task, digits
from study.models.networks.patch_transformer import positions
from study.optim.tensors import Tensors

Pairs = Iterable[tuple[Tensor, Tensor]]


class LeNet(nn.Module):
    """The engine's `lenet`, of torch's own layers."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = nn.ModuleList([nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)])
        self.layers = nn.ModuleList([nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)])

    def forward(self, x: Tensor) -> Tensor:
        x = x.view(-1, 1, 28, 28)
        for kernel in self.kernels:
            x = F.avg_pool2d(torch.tanh(kernel(x)), 2)
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return self.layers[-1](x)


class RowRNN(nn.Module):
    """The engine's `row_rnn`, of torch's own recurrent layer, whose second bias stays zero."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(28, 128, batch_first=True)
        self.output = nn.Linear(128, 10)
        nn.init.zeros_(self.rnn.bias_hh_l0.requires_grad_(False))

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.rnn(x.view(-1, 28, 28))[0][:, -1])


class PatchTransformer(nn.Module):
    """The engine's `patch_transformer`, as `TRANSFORMER` has it, of torch's own functions."""

    def __init__(self, blocks: int = 2, width: int = 32) -> None:
        super().__init__()
        self.embed, self.output = nn.Linear(49, width), nn.Linear(width, 10)
        self.blocks = nn.ModuleList(AttentionBlock(width) for _ in range(blocks))
        self.register_buffer("positions", positions(16, width))

    def forward(self, x: Tensor) -> Tensor:
        patches = F.unfold(x.view(-1, 1, 28, 28), 7, stride=7).mT
        h = self.embed(patches) + self.positions
        for block in self.blocks:
            h = block(h)
        return self.output(F.layer_norm(h, h.shape[-1:]).mean(1))


class AttentionBlock(nn.Module):
    """Four heads of attention, then a perceptron of twice the width; pre-norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value, self.mix = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, h: Tensor) -> Tensor:
        read = F.layer_norm(h, h.shape[-1:])
        q, k, v = (part(read).unflatten(-1, (4, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        h = h + self.mix(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2))
        return h + self.down(F.gelu(self.up(F.layer_norm(h, h.shape[-1:]))))


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


# torch's name of each of the engine's parameters, and torch's module
PLAIN = {
    "mlp": (perceptron, {f"layers.{i}.{p}": f"{2 * i + 1}.{p}" for i in (0, 1) for p in ("weight", "bias")}),
    "lenet": (LeNet, {}),
    "patch_transformer": (PatchTransformer, {}),
    "row_rnn": (
        RowRNN,
        {
            "inputs.weight": "rnn.weight_ih_l0",
            "inputs.bias": "rnn.bias_ih_l0",
            "recurrent.weight": "rnn.weight_hh_l0",
        },
    ),
}


@dataclass(frozen=True, eq=False)
class Plain:
    """One of torch's own modules with the weights of a seed, and the engine's names of them."""

    module: nn.Module
    names: dict[str, str]  # engine's -> torch's

    @classmethod
    def of(cls, task: Task, seed: int) -> Plain:
        make, renamed = PLAIN[task.model["name"]]
        initial = task.initial(seed)
        plain = cls(make(), {key: renamed.get(key, key) for key in initial})
        with torch.no_grad():
            for key, value in initial.items():
                own = plain.module.get_parameter(plain.names[key])
                own.copy_(_laid_out(value, own) if own.ndim == 4 else value)
        return plain

    def parameters(self) -> Tensors:
        """The weights [1, ...] as the engine has them."""
        own = {key: self.module.get_parameter(name).detach() for key, name in self.names.items()}
        return {key: (p.permute(0, 2, 3, 1).flatten(1) if p.ndim == 4 else p)[None] for key, p in own.items()}


def _laid_out(patches: Tensor, kernel: Tensor) -> Tensor:
    """Weights [out, rows columns in] of patches, as those of a convolution, [out, in, rows, columns]."""
    out, channels, high, wide = kernel.shape
    return patches.view(out, high, wide, channels).permute(0, 3, 1, 2)


@dataclass(eq=False)
class Loop:
    """The loop that everyone writes, over some batches of images and labels."""

    plain: Plain
    batches: Pairs
    clips: bool = True

    def __post_init__(self) -> None:
        self.weights = [p for p in self.plain.module.parameters() if p.requires_grad]
        self.optimizer = torch.optim.SGD(self.weights, lr=LR)

    def turn(self) -> None:
        self.plain.module.train()
        for x, y in self.batches:
            self.optimizer.zero_grad()
            F.cross_entropy(self.plain.module(x), y).backward()
            if self.clips:
                nn.utils.clip_grad_norm_(self.weights, MAX_NORM)
            self.optimizer.step()

    @torch.no_grad()
    def right(self, images: Iterable[Tensor], labels: Iterable[Tensor]) -> int:
        """How many labels are met."""
        self.plain.module.eval()
        pairs = zip(images, labels, strict=True)
        return sum(int((self.plain.module(x).argmax(1) == y).sum()) for x, y in pairs)

    def parameters(self) -> Tensors:
        return self.plain.parameters()


@dataclass(frozen=True, eq=False)
class InMemory:
    """Batches of one seed, picked from images that are normalised already."""

    images: Tensor
    rows: Tensor
    labels: Tensor

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return ((self.images[rows], labels) for rows, labels in zip(self.rows, self.labels, strict=True))


def in_memory(task: Task, seed: int = 0, clips: bool = True) -> Loop:
    images, rows, labels = task.epoch
    return Loop(Plain.of(task, seed), InMemory(images, rows[seed], labels[seed]), clips)


def without_clip(task: Task) -> Loop:
    return in_memory(task, clips=False)


def mnist(folder: Path, train: bool) -> torch.utils.data.Dataset[tuple[Tensor, int]]:
    """torchvision's MNIST with the transforms of PyTorch's example, from the files that the study has fetched."""
    from torchvision import transforms
    from torchvision.datasets import MNIST

    place = folder / "MNIST" / "raw"
    place.mkdir(parents=True, exist_ok=True)
    for file in FOLDER.resolve().iterdir():
        if not (place / file.name).exists():
            (place / file.name).symlink_to(file)
    scale = transforms.Normalize((digits().mean,), (digits().std,))
    return MNIST(str(folder), train=train, transform=transforms.Compose([transforms.ToTensor(), scale]))


def stock(task: Task) -> Loop:
    order = task.epoch[1][0].flatten().tolist()
    with tempfile.TemporaryDirectory() as folder:  # torchvision keeps the images in memory
        data = Subset(mnist(Path(folder), train=True), order)
    return Loop(Plain.of(task, 0), DataLoader(data, batch_size=task.batch))


@dataclass(eq=False)
class Ensemble:
    """PyTorch's recipe for ensembles: stacked weights, `vmap(grad)` called at each step; the perceptron."""

    task: Task

    def __post_init__(self) -> None:
        models = [Plain.of(self.task, seed) for seed in range(self.task.seeds)]
        self.weights, self.buffers = stack_module_state([one.module for one in models])
        self.names = models[0].names
        base = copy.deepcopy(models[0].module).to("meta")

        def loss(weights: Tensors, buffers: Tensors, x: Tensor, y: Tensor) -> Tensor:
            return F.cross_entropy(functional_call(base, (weights, buffers), (x,)), y)

        self.gradient = vmap(grad(loss))

    def turn(self) -> None:
        images, rows, labels = self.task.epoch
        for step in range(self.task.steps):
            gradient = self.gradient(self.weights, self.buffers, images[rows[:, step]], labels[:, step])
            self.move(gradient)

    @torch.no_grad()
    def move(self, gradient: Tensors) -> None:
        """Each model's gradient clipped by its own norm, then descent."""
        each = torch.stack([torch.linalg.vector_norm(g.flatten(1), dim=1) for g in gradient.values()])
        scale = torch.clamp(MAX_NORM / (torch.linalg.vector_norm(each, dim=0) + 1e-6), max=1.0)
        for key, weight in self.weights.items():
            weight.sub_(LR * scale.view(-1, *[1] * (weight.ndim - 1)) * gradient[key])

    def parameters(self) -> Tensors:
        return {key: self.weights[name].detach() for key, name in self.names.items()}


STOCK = Way("stock PyTorch loop (DataLoader, transforms)", stock, single=True)
IN_MEMORY = Way("eager loop in memory", in_memory, single=True)
UNCLIPPED = Way("eager loop in memory, no clip", without_clip, single=True)
ENSEMBLE = Way("PyTorch's ensembling recipe (vmap)", Ensemble)
