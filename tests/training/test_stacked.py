"""Where the program cannot be had, torch takes the steps: said once, and with the same numbers."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from cases import SMALL, variant
from torch import Tensor

from study.clipping import Clipping
from study.data import Digits
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
