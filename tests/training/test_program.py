"""The compiled steps are the steps that torch takes, to the accuracy of float32, for every method there is."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from cases import CLIP_MODES, each_method, variant
from torch import Tensor
from torch.utils import _pytree as pytree

from study.config.variants import Variant
from study.models import sites
from study.optim.rng import Noise, NoiseStreams
from study.optim.tensors import one_hot
from study.training.program import Program
from study.training.step import Chain
from study.training.update import State, Update

pytestmark = pytest.mark.slow

STEPS, BATCH = 5, 20  # and as many images as in a training: other tests' programs of a method are loaded, not compiled
IMAGES = torch.rand(1000, 784, generator=torch.Generator().manual_seed(0)) * 2 - 0.5
LABELS = torch.randint(0, 10, (1000,), generator=torch.Generator().manual_seed(1))
ROWS = torch.randint(0, 1000, (STEPS, BATCH), generator=torch.Generator().manual_seed(2))


class Case:
    """One model of a variant before its first step, and what its steps are given."""

    def __init__(self, v: Variant, every_step: bool = True, seed: int = 3) -> None:
        module = v.model.build(784, 10)
        self.parameters = v.model.initialise(module, torch.Generator().manual_seed(seed))
        chain = Chain(v, module)
        self.update = Update(chain, every_step)
        self.draws = chain.draws(sites(module, BATCH, 784), self.parameters)
        self.noise = self.drawn(seed)
        self.rates = torch.tensor([v.optimizer.lr * v.schedule.factor(step, STEPS) for step in range(STEPS)])

    @property
    def state(self) -> State:
        return self.update.initial_state({key: p.clone() for key, p in self.parameters.items()})

    def drawn(self, seed: int) -> Noise:
        streams = NoiseStreams.open(self.draws, [seed])
        each = [pytree.tree_map(lambda t: t[0].clone(), streams.draw(torch.device("cpu"))) for _ in range(STEPS)]
        return pytree.tree_map(lambda *t: torch.stack(t), *each)

    def by_torch(self) -> tuple[State, Mapping[str, Tensor]]:
        state, logs = self.state, []
        for step, rows in enumerate(ROWS):
            noise = pytree.tree_map(lambda t, step=step: t[step], self.noise)
            given = (IMAGES[rows], one_hot(LABELS[rows], 10), noise, self.rates[step])
            with torch.no_grad():
                state, measured = self.update(state, *given)
            logs.append(measured)
        return state, {name: torch.stack([log[name] for log in logs]) for name in logs[0]}

    def program(self, steps: int = STEPS) -> Program:
        return Program.of(self.update, self.state, self.draws, IMAGES, BATCH, 10, steps)

    def compiled(self, program: Program, measure: bool = True) -> tuple[State, Mapping[str, Tensor]]:
        return program.run(self.state, ROWS, LABELS[ROWS], self.noise, self.rates, measure)


def by_sample(changes: Mapping[str, Any]) -> bool:
    """Whether they are of a model whose gradients of single samples can be had."""
    return "model" in changes and not changes["model"].get("batch_norm")


BY_SAMPLE = CLIP_MODES["per_sample(0.5)"](0.05)
CASES: dict[str, dict[str, Any]] = {
    **each_method(),
    **{f"{name} by sample": {**one, "clip": BY_SAMPLE} for name, one in each_method().items() if by_sample(one)},
    "squared_error": {"loss": "squared_error"},
    "cosine": {"schedule": {"name": "cosine", "warmup": 2}, "optimizer": {"name": "adam"}},
}


def assert_close(one: Any, other: Any) -> None:
    a, b = (pytree.tree_flatten(tree) for tree in (one, other))
    assert a[1] == b[1]
    for ours, theirs in zip(a[0], b[0], strict=True):
        assert ours.dtype == theirs.dtype
        torch.testing.assert_close(ours, theirs, rtol=2e-4, atol=2e-6, equal_nan=True)


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_compiled_steps_are_those_of_torch(changes: dict[str, Any]) -> None:
    case = Case(variant(**changes))
    assert_close(case.compiled(case.program()), case.by_torch())
