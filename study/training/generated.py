"""Scores of generated digits against real ones, by the features of the shipped classifier."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from study.optim.rng import generator
from study.training.digit_features import Read

NEIGHBOURS = 5  # Naeem et al. 2020
CLASSES = 10
SHOWN = 0.01  # share of the samples from which on a digit counts as shown: a tenth of its usual one


class Scored(NamedTuple):
    """Comparison of a set of generated digits with one of real digits; all NaN if a pixel is not finite.

    frechet_distance: of normal distributions fitted to the features; density, coverage: shares of neighbourhoods;
    digit_distance: total variation distance of the histograms of digits; digits_shown: number of the ten digits.
    """

    frechet_distance: float
    density: float
    coverage: float
    digit_distance: float
    digits_shown: float


UNDEFINED = Scored(*[float("nan")] * len(Scored._fields))


def scored(real: Read, made: Read) -> Scored:
    """Return the scores of generated digits against real ones."""
    if not bool(made.features.isfinite().all()):
        return UNDEFINED
    shown = shares(made.digits)
    return Scored(
        frechet_distance(real.features, made.features),
        *density_and_coverage(real.features, made.features),
        float((shown - shares(real.digits)).abs().sum() / 2),
        float((shown >= SHOWN).sum()),
    )


def latent_to_score(samples: int, size: int) -> Tensor:
    """Return what scored samples are made of, [samples, size], the same for every run."""
    return torch.randn(samples, size, generator=generator(0, "scored-samples"))


def shares(digits: Tensor) -> Tensor:
    """Return the share [10] of each digit."""
    return torch.bincount(digits, minlength=CLASSES).double() / len(digits)


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Return |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) of features [N, F] and [M, F].

    The trace of the root is the sum of the roots of the eigenvalues of C_a^(1/2) C_b C_a^(1/2). Biased upwards by the
    finite number of samples. Source: Heusel et al. 2017, equation 6.
    """
    first, second = torch.cov(a.T), torch.cov(b.T)
    values, vectors = torch.linalg.eigh(first)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    shared = torch.linalg.eigvalsh(root @ second @ root).clamp(min=0).sqrt().sum()
    return float((a.mean(0) - b.mean(0)).square().sum() + first.trace() + second.trace() - 2 * shared)


def density_and_coverage(real: Tensor, made: Tensor) -> tuple[float, float]:
    """Return density and coverage (Naeem et al. 2020, equations 3 and 4) of features [N, F] and [M, F].

    A real sample's neighbourhood reaches to its fifth nearest other real sample. Density: the mean number of
    neighbourhoods that a generated sample lies in, over five; coverage: the share of neighbourhoods with one in it.
    """
    others = torch.cdist(real, real, compute_mode="donot_use_mm_for_euclid_dist")
    reach = others.kthvalue(min(NEIGHBOURS + 1, len(real)), dim=1).values  # the nearest of all is itself
    inside = torch.cdist(real, made, compute_mode="donot_use_mm_for_euclid_dist") < reach[:, None]
    return float(inside.sum() / (NEIGHBOURS * len(made))), float(inside.any(1).double().mean())


def auc(real: Tensor, made: Tensor) -> float:
    """Return the probability that a real sample's logit [N] is above a generated one's [M], ties half."""
    logits = torch.cat([real, made]).double()
    if not bool(logits.isfinite().all()):
        return float("nan")
    _, place, counts = logits.unique(return_inverse=True, return_counts=True)
    rank = counts.cumsum(0) - (counts - 1) / 2  # mean rank of equal logits
    n, m = len(real), len(made)
    return float((rank[place[:n]].sum() - n * (n + 1) / 2) / (n * m))
