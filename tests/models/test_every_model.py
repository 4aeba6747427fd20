"""What every model keeps to: its layers, its sites, one sample at a time, stacked and traced as it is alone."""

from typing import Any

import pytest
import torch
from cases import MODELS
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from study.models import Model
from study.optim.losses import CrossEntropy
from study.training.graph import traced
from study.training.probes import probe

pytestmark = pytest.mark.slow

Tensors = dict[str, Tensor]
EVERY = {f"{name} {i}": {"name": name, **given} for name, several in MODELS.items() for i, given in enumerate(several)}
each = pytest.mark.parametrize("given", EVERY.values(), ids=EVERY)


class Setting:
    """Three models of one kind, and a batch of nine for each."""

    def __init__(self, given: dict[str, Any]) -> None:
        model = Model.parse(given)
        self.module = model.build(784, 10)
        self.each = [model.initialise(self.module, torch.Generator().manual_seed(seed)) for seed in range(3)]
        self.x = torch.randn(3, 9, 784, generator=torch.Generator().manual_seed(9))

    @property
    def stacked(self) -> Tensors:
        return {key: torch.stack([one[key] for one in self.each]) for key in self.each[0]}

    def logits(self, parameters: Tensors, x: Tensor, *site: Any) -> Tensor:
        return functional_call(self.module, parameters, (x, *site))

    def gradient(self, parameters: Tensors, x: Tensor) -> Tensors:
        return grad(lambda p: self.logits(p, x).log_softmax(1)[:, 3].mean())(parameters)


def test_every_model_has_an_example() -> None:
    assert set(MODELS) == {name for name, method in Model.members.items() if method.__module__.startswith("study.")}


@each
def test_every_parameter_but_of_norms_is_of_a_linear_layer_that_is_called_on_samples(given: dict[str, Any]) -> None:
    s = Setting(given)
    seen: dict[str, list[torch.Size]] = {}
    for name, layer in s.module.named_modules():
        if type(layer) is nn.Linear:
            layer.register_forward_hook(lambda _, x, z, name=name: seen.setdefault(name, []).append(x[0].shape))
    assert s.logits(s.each[0], s.x[0]).shape == (9, 10)
    assert set(seen) == {key.rpartition(".")[0] for key in s.each[0] if not key.startswith("norms.")}
    for name, shapes in seen.items():
        assert all(shape[0] == 9 and shape[-1] == s.each[0][f"{name}.weight"].shape[1] for shape in shapes)


@each
def test_sites_come_in_order_and_what_they_return_is_gone_on_with(given: dict[str, Any]) -> None:
    s, order = Setting(given), list[str]()

    def record(name: str, h: Tensor) -> Tensor:
        order.append(name)
        return h.clone()

    plain = s.logits(s.each[0], s.x[0])
    assert torch.equal(s.logits(s.each[0], s.x[0], record), plain), "a site that returns what it got changes nothing"
    assert order == ["input", *(f"hidden{i}" for i in range(len(order) - 1))]
    for site in order:
        blank = s.logits(s.each[0], s.x[0], lambda name, h, site=site: h * 0 if name == site else h)
        torch.testing.assert_close(blank, blank[:1].expand(9, 10), msg=f"{site} hides the samples")
        assert not torch.equal(blank, plain)


@each
def test_a_sample_does_not_feel_the_others(given: dict[str, Any]) -> None:
    s = Setting(given)
    together = s.logits(s.each[0], s.x[0])
    torch.testing.assert_close(s.logits(s.each[0], s.x[0, 4:5]), together[4:5], rtol=1e-4, atol=1e-5)


@each
def test_stacked_and_traced_it_is_the_same_as_alone(given: dict[str, Any]) -> None:
    s = Setting(given)
    inputs = (s.stacked, s.x)
    graph = traced(s.gradient, inputs)
    for found in (vmap(s.gradient)(*inputs), graph(*inputs)):
        for r, one in enumerate(s.each):
            for key, alone in s.gradient(one, s.x[r]).items():
                torch.testing.assert_close(found[key][r], alone, rtol=1e-4, atol=1e-7)
    assert not any("vmap" in node.name or "unfold_backward" in node.name for node in graph.graph.nodes)


@each
def test_gradients_are_those_of_finite_differences(given: dict[str, Any]) -> None:
    """Along a random direction, in double precision."""
    s, random = Setting(given), torch.Generator().manual_seed(1)
    w = {key: p.double() for key, p in s.each[0].items()}
    x = s.x[0].double()
    along = {key: torch.randn(p.shape, generator=random, dtype=p.dtype) for key, p in w.items()}
    slope = sum(float((g * along[key]).sum()) for key, g in s.gradient(w, x).items())
    kinks = given.get("activation") == "relu" or given["name"] == "private_cnn"
    h = 1e-8 if kinks else 1e-6  # a step that crosses no kink
    ahead, behind = (
        s.logits({key: p + sign * h * along[key] for key, p in w.items()}, x).log_softmax(1)[:, 3].mean()
        for sign in (1, -1)
    )
    assert float(ahead - behind) / (2 * h) == pytest.approx(slope, rel=1e-4, abs=1e-7)


@each
def test_probes_see_it(given: dict[str, Any]) -> None:
    """Per-sample gradients, dead units and the Hessian are all found."""
    s = Setting(given)
    found = probe(s.module, CrossEntropy(), s.each[0], s.x[0], torch.arange(9), 10)
    assert found[:3].isfinite().all()
    assert (found[:3] > 0).all()
    assert not found.isnan().any()


@pytest.mark.parametrize("name", ["lenet", "private_cnn", "row_rnn", "patch_transformer"])
def test_a_model_of_images_refuses_other_inputs(name: str) -> None:
    model = Model.parse(name)
    wanted = f"The number of inputs of model '{name}' must be 784, the pixels of an image of 28 x 28."
    with pytest.raises(ValueError, match=f"^{wanted} Got 100 instead.$"):
        model.build(100, 10)


@pytest.mark.usefixtures("global_randomness_untouched")
@each
def test_building_draws_nothing(given: dict[str, Any]) -> None:
    Model.parse(given).build(784, 10)
