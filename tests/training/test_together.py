"""Every method on every model: it works, or the configuration is refused with the reason before anything runs."""

from typing import Any

import pytest
import torch
from cases import CLIPPINGS, REGULARIZATIONS, variant
from torch.func import vmap
from torch.utils import _pytree as pytree

from study.clipping import Clipping, PerSample
from study.config.read import ConfigError, parse
from study.config.variants import Variant
from study.methods.base import MethodCombination
from study.models import sites
from study.optim.rng import Distribution
from study.optim.tensors import one_hot
from study.regularization import Regularization
from study.training.step import Chain

MODELS: dict[str, dict[str, Any]] = {
    "deep mlp": {"name": "mlp", "hidden": [8] * 6, "activation": "tanh"},
    "mlp with batch norm": {"name": "mlp", "hidden": [8], "batch_norm": True},
    "lenet": {"name": "lenet"},
    "lenet with batch norm": {"name": "lenet", "batch_norm": True},
    "row_rnn": {"name": "row_rnn", "units": 6},
    "patch_transformer": {"name": "patch_transformer", "blocks": 1, "width": 12, "heads": 3},
}
BATCH, SEEDS = 3, 2


def one_each() -> dict[str, dict[str, Any]]:
    """The first mode of every method."""
    clips = {f"clip {name}": {"clip": {"name": name, **modes[0](0.1)}} for name, modes in CLIPPINGS.items()}
    return clips | {
        f"with {name}": {"regularization": {"name": name, **modes[0](0.1)}} for name, modes in REGULARIZATIONS.items()
    }


def step(v: Variant) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """One step of two replicates, mapped: the parameters after it, and what was measured."""
    random = torch.Generator().manual_seed(0)
    module = v.model.build(784, 10)
    each = [v.model.initialise(module, random) for _ in range(SEEDS)]
    chain = Chain(v, module)
    parameters, memory = (
        pytree.tree_map(lambda *t: torch.stack(t), *several)
        for several in (each, [chain.initial_memory(one) for one in each])
    )
    draws = chain.draws(sites(module, BATCH, 784), each[0])
    noise = {
        name: {key: torch.stack([drawn(draw, random) for _ in each]) for key, draw in needed.items()}
        for name, needed in draws.items()
    }
    x = torch.randn(SEEDS, BATCH, 784, generator=random)
    targets = one_hot(torch.randint(0, 10, (SEEDS, BATCH), generator=random), 10)
    direction, memory, measured = vmap(chain.gradient_step)(parameters, memory, x, targets, noise)
    moved = {key: p - v.optimizer.lr * direction.product()[key] for key, p in parameters.items()}
    moved, memory = vmap(lambda p, m: chain.after_update(p, m, v.optimizer.lr))(moved, memory)
    return vmap(chain.evaluated)(moved, memory), measured


@pytest.mark.parametrize("changes", one_each().values(), ids=one_each())
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_method_takes_a_finite_step_on_every_model(model: dict[str, Any], changes: dict[str, Any]) -> None:
    v = variant(**{"model": model, "clip": "none", **changes})
    needs_samples = isinstance(v.clip, PerSample) or v.regularization[0].name == "jacobian"
    methods = MethodCombination(v.workload, v.model, v.loss, v.optimizer, v.clip, v.regularization)
    refused = [reason for reason in methods.conflicts() if "batch normalization" in reason]
    assert len(refused) == (v.model.normalizes_batches and needs_samples)
    if refused:
        return
    after, measured = step(v)
    assert all(bool(p.isfinite().all()) for p in after.values())
    assert all(bool(m.isfinite().all()) for m in measured.values())
    assert {p.shape[0] for p in after.values()} == {SEEDS}


def drawn(draw: Distribution, random: torch.Generator) -> torch.Tensor:
    numbers = torch.empty(draw.shape)
    draw.fill(numbers, random)
    return numbers


def errors(clip: object, regularization: object) -> list[str]:
    regime = {"clips": ["none", clip][clip == "none" :], "regularizations": ["none", regularization]}
    try:
        parse({"name": "a", "regimes": {"x": regime}})
    except ConfigError as error:
        return error.messages
    return []


PER_SAMPLE = {"name": "per_sample", "max_norm": 1.0}
REFUSED = {
    "noise before the clip": (PER_SAMPLE, {"name": "gradient_noise", "eta": 0.1, "when": "before"}),
    "a penalty of the batch": (PER_SAMPLE, {"name": "gradient_penalty", "strength": 0.1}),
    "another penalty of the batch": (PER_SAMPLE, {"name": "jacobian", "strength": 0.1}),
    "an average that is not last": (
        "none", [{"name": "weight_averaging", "decay": 0.9}, {"name": "max_norm", "bound": 2.0}],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("clip", "regularization"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_together_is_refused_with_the_reason(clip: object, regularization: object) -> None:
    (line,) = errors(clip, regularization)
    assert line.startswith("regimes.x.clips: The 'clips' parameter of regime must go with the workload, every")
    assert "Got '" in line


def test_noise_after_a_clip_of_samples_is_allowed_and_so_is_a_penalty_of_the_weights() -> None:
    assert errors(PER_SAMPLE, {"name": "gradient_noise", "eta": 0.1, "when": "after"}) == []
    assert errors(PER_SAMPLE, {"name": "l2", "strength": 0.1}) == []


def test_every_per_sample_clip_refuses_what_has_no_gradient_by_sample() -> None:
    for name, modes in CLIPPINGS.items():
        if issubclass(Clipping.members[name], PerSample):
            assert errors({"name": name, **modes[0](0.1)}, {"name": "jacobian", "strength": 0.1})


def test_where_methods_are_alone_only_what_meets_is_refused() -> None:
    regime = {"grid": "alone", "clips": ["none", PER_SAMPLE],
              "regularizations": ["none", {"name": "jacobian", "strength": 0.1}]}  # fmt: skip
    assert parse({"name": "a", "regimes": {"x": regime}}).regimes["x"].cells
    assert Regularization.members["jacobian"].overrides("data_penalty")
