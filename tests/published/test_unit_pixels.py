"""The perceptron of config/unit_pixels.py reads the pixels as they are stored, from 0 to 1."""

from pathlib import Path

import pytest
import torch
from torch.func import functional_call

from study.data import Digits
from study.methods import plugins
from study.models import Model
from study.models.mlp import MLP
from study.training.batches import normalised

PLUGIN = Path(__file__).parents[2] / "config/unit_pixels.py"


@pytest.mark.usefixtures("own_methods")
def test_its_logits_are_those_of_a_perceptron_on_pixels_from_0_to_1(digits: Digits) -> None:
    plugins.load([PLUGIN])
    ours, plain = Model.parse({"name": "unit_pixels", "hidden": [20]}), MLP(hidden=(20,))
    module, other = ours.build(784, 10), plain.build(784, 10)
    parameters = ours.initialise(module, torch.Generator().manual_seed(0))
    same = dict(zip(plain.initialise(other, torch.Generator().manual_seed(0)), parameters.values(), strict=True))
    standardised, unit = normalised(digits.test_images, digits), digits.test_images / digits.scale
    assert unit.amin() == 0
    assert unit.amax() == 1
    found, wanted = functional_call(module, parameters, (standardised,)), functional_call(other, same, (unit,))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
