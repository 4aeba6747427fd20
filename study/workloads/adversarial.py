"""Adversarial training: who plays, for what, and what the samples are scored by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from study.methods.base import MethodCombination
from study.parameters import Must, Positive, PositiveInt, Whole, listed
from study.workloads.adversarial_losses import AdversarialLossChoice, NonSaturating
from study.workloads.base import Floats, Workload

FAR = 0.5  # of the samples would have to show another digit: a run that ends there or beyond has collapsed
COLLAPSE = 0.5  # of its best coverage: a run that ends at or below it has collapsed
SCORED = ("mnist", "mnist-sample")  # data of which the shipped classifier knows the digits
Player = Literal["discriminator", "generator"]


class Adversarial(Workload):
    """A generator makes digits out of noise, and a discriminator tells them from real ones.

    The regime's `model` is the discriminator, with one logit; its optimizer serves both, at `generator_rate` times the
    learning rate for the generator. In each step the discriminator learns from a batch of real and as many generated
    digits, then, unless `updates` are simultaneous, the generator from what the new discriminator says of others.
    Regularizers act on the discriminator, `weight_averaging` on the generator; clips on the gradient of the player that
    `clip_at` names, or of both, each separately. What scores call accuracy is the coverage of digits of a part by
    `samples` generated ones, and their loss is the Frechet distance between the two.
    """

    formula: ClassVar[str] = (
        r"\psi \leftarrow \psi - \eta \operatorname{clip}(\nabla_\psi \mathcal{L}_D),\quad "
        r"\theta \leftarrow \theta - \rho \eta \nabla_\theta \mathcal{L}_G"
    )
    source: ClassVar[str] = "@goodfellow2014; two rates: @heusel2017; scores: @heusel2017, @naeem2020"
    reads_labels: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = (
        "frechet_distance",
        "density",
        "coverage",
        "digit_distance",
        "digits_shown",
        "discriminator_auc",
        "discriminator_gap",
    )
    tables: ClassVar[tuple[str, ...]] = ("samples",)
    accuracy: ClassVar[str] = "coverage"
    loss_name: ClassVar[str] = "Fréchet distance"
    name: Literal["adversarial"] = "adversarial"
    loss: AdversarialLossChoice = NonSaturating()
    generator: Annotated[
        tuple[PositiveInt, ...], Must("a list of whole numbers of at least 1", ("wide", [0], [1.5], 128))
    ] = (256, 256)
    latent: PositiveInt = 64
    generator_rate: Positive = 1.0
    updates: Annotated[
        Literal["alternating", "simultaneous"], Must("'alternating' or 'simultaneous'", ("both", True))
    ] = "alternating"
    clip_at: Annotated[
        Literal["discriminator", "generator", "both"],
        Must("'discriminator', 'generator' or 'both'", ("neither", True)),
    ] = "discriminator"
    samples: Annotated[
        Whole, Field(ge=2, le=10_000), Must("a whole number from 2 to 10,000", (0, 1, 10_001, 1.5, "many", True))
    ] = 1000

    @property
    def clipped(self) -> tuple[Player, ...]:
        """The players whose gradients the clips act on."""
        return ("discriminator", "generator") if self.clip_at == "both" else (self.clip_at,)

    @property
    def words(self) -> str:
        widths = "-".join(map(str, (self.latent, *self.generator, "pixels")))
        rate = f"{self.generator_rate:g} times the learning rate" if self.generator_rate != 1 else "the same rate"
        whose = "both gradients, each by itself" if self.clip_at == "both" else f"the {self.clip_at}'s gradient"
        return (
            f"Adversarial: loss `{self.loss.label}`, generator {widths}"
            f" at {rate}, {self.updates} updates; clips act on {whose}. Columns named `accuracy` hold the"
            " coverage: the share of real digits that have a generated one nearer than their fifth nearest real one."
            f" Columns named `loss` hold the Fréchet distance of {self.samples} generated digits from as many real"
            " ones. Training, validation and test digits are those that the samples are held against."
        )

    def chance(self, classes: int) -> float:
        return -1.0  # no coverage is: that a run collapsed is an outcome of its own

    def measures(self, tensor: str) -> bool:
        return tensor.startswith(self.clipped)

    def conflict_with(self, combination: MethodCombination) -> str | None:
        if combination.model.normalizes_batches:
            return "workload 'adversarial' shows its discriminator two kinds of rows, which batch normalization mixes"
        if combination.optimizer.by_torch:
            return "workload 'adversarial' has two optimizers, for which one of torch cannot stand"
        if combination.loss.name != "cross_entropy":
            return (
                f"loss '{combination.loss.name}' is one of labels; the workload 'adversarial' has a 'loss' of its own"
            )
        return None

    def data_fault(self, data: str) -> str | None:
        return None if data in SCORED else f"be one of {listed(SCORED)}, as which its samples are scored,"

    def outcomes(self, epochs: Mapping[str, Floats]) -> dict[str, float]:
        last = {name: float(epochs[name][-1]) for name in self.columns}
        return last | {"collapsed": float(collapsed(epochs["coverage"], epochs["digit_distance"]))}


def collapsed(coverage: Floats, digit_distance: Floats) -> bool:
    """Return whether a run ends collapsed: on few digits, at half its best coverage or less, or on no numbers.

    coverage, digit_distance: [E + 1]; a total variation distance of `FAR` means that half of the samples would have to
    show another digit for their histogram to be the real one.
    """
    if not (np.isfinite(coverage[-1]) and np.isfinite(digit_distance[-1])):
        return True
    return bool(digit_distance[-1] >= FAR or coverage[-1] <= COLLAPSE * np.fmax.reduce(coverage))
