"""Adversarial trainings for tests: their variants, and the players after some epochs."""

from typing import Any

from cases import variant
from torch.func import vmap

from study.config.variants import Variant
from study.data import Digits
from study.training.recorder import Recorder
from study.training.stacked import Stacked
from study.training.trainers.adversarial import Adversaries
from tests.workloads import trainings

LEAN = {"statistics": {"every_step": True, "windows": 50, "probes": 0}}
SIZES = {"latent": 6, "generator": [9, 7], "samples": 60}


def adversarial(workload: dict[str, Any] | None = None, **changes: Any) -> Variant:
    settings = {"name": "adversarial", **SIZES, **(workload or {})}
    adam = {"name": "adam", "lr": 0.01, "beta1": 0.5, "epsilon": 1e-4}  # rounding is not made steps of
    return variant(**{"workload": settings, "optimizer": adam, "clip": "none", **LEAN, **changes})


def trained(v: Variant, seeds: list[int], digits: Digits, compiled: bool = True) -> tuple[Adversaries, Recorder]:
    """The players after the last epoch, by the compiled program or by the step as it stands."""
    players, recorder = trainings.trained(v, seeds, digits, None if compiled else mapped)
    assert isinstance(players, Adversaries)
    return players, recorder


def mapped(update: Any) -> Stacked:
    """The step of one pair, mapped over pairs and not traced."""
    return Stacked(update, vmap(update))
