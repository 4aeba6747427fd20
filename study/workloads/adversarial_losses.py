"""Losses of two players: of a discriminator that tells real from generated samples, and of the generator."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from study.methods.base import Method, entry
from study.utils.lazy import torch


class AdversarialLoss(Method):
    """Losses of a discriminator and of the generator that it judges."""

    family: ClassVar[str] = "adversarial_loss"

    def value(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the discriminator's loss, a scalar.

        logits [2B, 1]: above 0 where it takes a sample for real; targets [2B, 2]: how generated and how real each is.
        """
        raise NotImplementedError

    def of_generator(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the generator's loss, a scalar, given what the discriminator says [B, 1] of its samples."""
        raise NotImplementedError


class NonSaturating(AdversarialLoss):
    """Binary cross-entropy of the discriminator; the generator maximises the logarithm of D(G(z))."""

    formula: ClassVar[str] = (
        r"\mathcal{L}_D = -\mathbb{E} \log \sigma(D(x)) - \mathbb{E} \log \sigma(-D(G(z))),\quad "
        r"\mathcal{L}_G = -\mathbb{E} \log \sigma(D(G(z)))"
    )
    source: ClassVar[str] = "@goodfellow2014, section 3"
    name: Literal["non_saturating"] = "non_saturating"

    def value(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return -2 * (targets * log_odds(logits)).sum(-1).mean()

    def of_generator(self, logits: torch.Tensor) -> torch.Tensor:
        return -log_odds(logits)[..., 1].mean()


class Wasserstein(AdversarialLoss):
    """Difference of the mean logits of real and of generated samples."""

    formula: ClassVar[str] = (
        r"\mathcal{L}_D = \mathbb{E} D(G(z)) - \mathbb{E} D(x),\quad \mathcal{L}_G = -\mathbb{E} D(G(z))"
    )
    source: ClassVar[str] = "@arjovsky2017, equations 2 and 3"
    name: Literal["wasserstein"] = "wasserstein"

    def value(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        generated, real = targets.unbind(-1)
        return 2 * ((generated - real) * logits.squeeze(-1)).mean()

    def of_generator(self, logits: torch.Tensor) -> torch.Tensor:
        return -logits.mean()


def log_odds(logits: torch.Tensor) -> torch.Tensor:
    """Return log(1 - sigmoid(z)) and log sigmoid(z), [B, 2], for logits z [B, 1]."""
    return torch.nn.functional.log_softmax(torch.cat([torch.zeros_like(logits), logits], -1), dim=-1)


if TYPE_CHECKING:  # a type checker sees what a field holds, pydantic also how it is read
    AdversarialLossChoice = AdversarialLoss
else:
    AdversarialLossChoice = entry(AdversarialLoss)
