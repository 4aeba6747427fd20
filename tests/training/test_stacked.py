"""Where the program cannot be had, torch takes the steps: said once, and with the same numbers."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import torch
from cases import SMALL, variant
from torch import Tensor

from study.clipping import Clipping
from study.data import Digits
from study.optim.optimizers import Optimizer
from study.training import engine, program
from study.training.lowering import UnknownOperatorError

Tensors = dict[str, Tensor]
LEAN: Mapping[str, Any] = {"statistics": {**SMALL["statistics"], "probes": 0}}


def test_torch_takes_the_steps_of_an_unknown_operator_and_says_so_once(digits: Digits) -> None:
    class Unknown(Clipping):
        name: Literal["unknown_operator"] = "unknown_operator"

        def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            return {key: torch.special.bessel_j0(0 * g) * g for key, g in gradient.items()}, state

    lines: list[str] = []
    try:
        (ours,) = engine.train(variant(clip="unknown_operator", **LEAN), [3], digits, lines.append)
    finally:
        del Clipping.members["unknown_operator"]
    (plain,) = engine.train(variant(clip="none", **LEAN), [3], digits)
    said = [line for line in lines if "by torch" in line]
    assert len(said) == 1
    assert "special_bessel_j0" in said[0]
    np.testing.assert_allclose(ours.steps["loss"], plain.steps["loss"], rtol=1e-4)


def test_the_numbers_are_those_of_the_program(digits: Digits, monkeypatch: Any) -> None:
    v = variant(regularization={"name": "dropout", "p": 0.5}, optimizer="adam", **LEAN)
    compiled = engine.train(v, [3, 1], digits)

    def refuse(*given: Any) -> None:
        raise UnknownOperatorError("none")

    monkeypatch.setattr(program, "lowered", refuse)
    for one, other in zip(engine.train(v, [3, 1], digits), compiled, strict=True):
        for name in ("loss", "norm_before", "norm_after", "update_ratio"):
            np.testing.assert_allclose(one.steps[name], other.steps[name], rtol=1e-3, atol=1e-6)


def test_an_optimizer_of_torch_may_take_the_place_of_a_rule(digits: Digits) -> None:
    """Scheduled, with what acts after it, and measured as the rule is that does the same."""

    class OfTorch(Optimizer):
        name: Literal["adam_of_torch"] = "adam_of_torch"

        def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
            return torch.optim.Adam(parameters, betas=(0.9, 0.999), eps=1e-6)

    more = {"schedule": {"name": "cosine"}, "regularization": {"name": "l1_proximal", "strength": 1e-3}, **LEAN}
    try:
        theirs = engine.train(variant(optimizer={"name": "adam_of_torch", "lr": 0.003}, **more), [3, 1], digits)
    finally:
        del Optimizer.members["adam_of_torch"]
    ours = engine.train(variant(optimizer={"name": "adam", "lr": 0.003, "epsilon": 1e-6}, **more), [3, 1], digits)
    for one, other in zip(ours, theirs, strict=True):
        for name in ("loss", "norm_before", "norm_after", "update_ratio"):
            np.testing.assert_allclose(one.steps[name], other.steps[name], rtol=1e-3, atol=1e-6)
