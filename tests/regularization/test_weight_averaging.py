"""The moving average against torch's AveragedModel: by itself, and in a plain training loop."""

import numpy as np
import pytest
import torch
from cases import variant
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from study.config.regime import Regime
from study.config.variants import Variant
from study.data import Digits
from study.optim.rng import generator
from study.regularization.weight_averaging import WeightAveraging
from study.training import engine
from study.training.batches import Batches
from study.training.engine import Replicates
from study.training.records import RunRecord

Tensors = dict[str, Tensor]


def averaged(method: WeightAveraging, history: list[Tensors], start: Tensors) -> Tensors:
    """What is evaluated after steps that led to these parameters."""
    state = method.initial_state(start)
    for w in history:
        left, state = method.update(w, 0.1, state)
        assert left is w, "training goes on without it"
    return method.evaluated(history[-1], state)


@given(decay=st.floats(0, 0.9999), seed=st.integers(0, 1000), steps=st.integers(1, 8))
@settings(max_examples=30)
def test_the_average_is_torchs(decay: float, seed: int, steps: int) -> None:
    random = torch.Generator().manual_seed(seed)
    model = nn.Linear(4, 3)
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    history = []
    for _ in range(steps):
        for p in model.parameters():
            p.data = torch.randn(p.shape, generator=random)
        history.append({key: p.detach().clone() for key, p in model.named_parameters()})
        theirs.update_parameters(model)
    start = {key: torch.full_like(w, 1e6) for key, w in history[0].items()}
    ours = averaged(WeightAveraging(decay=decay), history, start)
    for key, p in theirs.module.named_parameters():
        torch.testing.assert_close(ours[key], p.detach(), rtol=1e-6, atol=1e-7)


def test_before_the_first_step_the_initial_weights_are_evaluated_and_after_it_those_it_led_to() -> None:
    method, start = WeightAveraging(), {"weight": torch.ones(2, 2), "bias": torch.ones(2)}
    state = method.initial_state(start)
    moved = {key: w + 3 for key, w in start.items()}
    assert all(torch.equal(w, start[key]) for key, w in method.evaluated(moved, state).items())
    assert all(torch.equal(w, moved[key]) for key, w in averaged(method, [moved], start).items())


def test_what_it_remembers_shares_no_memory_with_the_parameters() -> None:
    """The optimizer changes them in place."""
    method, w = WeightAveraging(decay=0), {"weight": torch.ones(2)}
    state = method.initial_state(w)
    _, later = method.update(w, 0.1, state)
    w["weight"].fill_(9)
    assert state["weight"].tolist() == later["weight"].tolist() == [1, 1]


LONG = {
    "data": {"name": "mnist-sample", "train_size": 200, "validation_size": 50},
    "epochs": 5,
    "optimizer": {"name": "sgd", "lr": 0.3},
    "clip": "none",
}  # 50 steps


def plain_loop(digits: Digits, v: Variant, seed: int, decay: float) -> list[tuple[float, float]]:
    """Validation loss of the raw and of the averaged model after each epoch; digits and streams are the study's."""
    batches = Batches.prepare(digits, v.data, [seed], "cpu")
    model = nn.Sequential(nn.Linear(784, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 10))
    initial = v.model.initialise(v.model.build(784, 10), generator(seed, "init"))
    model.load_state_dict(dict(zip(model.state_dict(), initial.values(), strict=True)))
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    stepper, scored = torch.optim.SGD(model.parameters(), lr=0.3), []
    for _ in range(v.epochs):
        rows, labels = (t[0] for t in batches.epoch())
        for at in range(0, len(rows) - v.batch_size + 1, v.batch_size):
            batch = slice(at, at + v.batch_size)
            stepper.zero_grad()
            F.cross_entropy(model(batches.images[rows[batch]]), labels[batch]).backward()
            stepper.step()
            average.update_parameters(model)
        with torch.no_grad():
            held_out, right = batches.images[batches.validation[0]], batches.validation_labels[0]
            scored.append(tuple(float(F.cross_entropy(net(held_out), right)) for net in (model, average)))
    return scored


@pytest.mark.parametrize("decay", [0.5, 0.95])
def test_training_is_the_plain_loop_with_an_averaged_model(digits: Digits, decay: float) -> None:
    averaging = {"name": "weight_averaging", "decay": decay}
    for record in engine.train(variant(**LONG, regularization=averaging), [5, 3], digits):
        raw, average = zip(*plain_loop(digits, record.variant, record.seed, decay), strict=True)
        np.testing.assert_allclose(record.epochs["validation_loss"][1:], average, rtol=2e-3)  # roundings grow
        assert record.final["validation"].loss == pytest.approx(average[-1], rel=2e-3)
        assert not np.allclose(raw, average, rtol=1e-2)


def test_scores_are_of_the_average_and_training_goes_on_with_the_raw_weights(digits: Digits) -> None:
    raw, average = (
        engine.train(variant(**LONG, regularization=r), [0, 1], digits)
        for r in ("none", {"name": "weight_averaging", "decay": 0.9})
    )
    for one, other in zip(raw, average, strict=True):
        for name in ("loss", "norm_before", "norm_after"):
            assert np.array_equal(one.steps[name], other.steps[name])
        assert one.epochs["train_loss"][0] == other.epochs["train_loss"][0]
        assert (one.epochs["train_loss"][1:] != other.epochs["train_loss"][1:]).all()
        assert scores(one) != scores(other)
        assert {k: h.norm for k, h in one.weights.items()} != {k: h.norm for k, h in other.weights.items()}


def scores(record: RunRecord) -> list[float]:
    return [score.loss for score in record.final.values()]


def test_in_a_combination_it_averages_what_the_others_leave(digits: Digits) -> None:
    both = [{"name": "max_norm", "bound": 0.5}, {"name": "weight_averaging", "decay": 0.0}]
    v = variant(**LONG, regularization=both)
    batches = Batches.prepare(digits, v.data, [0], "cpu")
    models = Replicates.start(v, [0], batches)
    x, targets = batches.gather(*(t[:, : v.batch_size] for t in batches.epoch()))
    with torch.no_grad():
        after, _ = models.update(models.model(0), x[0], targets[0], {}, torch.tensor(0.3))
    found = models.update.chain.evaluated(after.parameters, after.memory)
    assert all(torch.equal(found[key], p) for key, p in after.parameters.items())
    assert float(found["layers.0.weight"].norm(dim=1).max()) == pytest.approx(0.5, rel=1e-5)


def test_elsewhere_than_last_it_is_refused() -> None:
    average, bound = {"name": "weight_averaging"}, {"name": "max_norm", "bound": 2}
    assert Regime.model_validate({"regularizations": ["none", average, [bound, average]]})
    with pytest.raises(ValidationError) as caught:
        Regime.model_validate({"regularizations": ["none", [average, bound]]})
    assert "regularization 'weight_averaging' must come last, to average what 'max_norm' leaves" in str(caught.value)
