"""A study that sweeps and tunes, as its configuration is read, with plausible scores and no training."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from study.analysis.regimes import regime_table
from study.analysis.selection import choose
from study.config.read import parse
from study.config.study import Study
from study.config.variants import Variant, expand, expand_tuning
from study.methods.labels import method_of

from .synthetic_profiles import profile_tables

STRONG = {"grid": [1e-4, 1e-3, 1e-2, 1e-1, 1.0]}
WEAK_TO_STRONG = {"grid": [10.0, 3.0, 1.0, 0.3, 0.1]}
PENALTIES = [
    "none",
    {"name": "l1", "strength": STRONG},
    {"name": "l2", "strength": STRONG},
    {"name": "elastic_net", "lambda1": 0.1, "lambda2": 1.0, "strength": {"grid": [2e-4, 2e-3, 2e-2, 0.2, 2.0]}},
    {"name": "dropout", "p": {"grid": [0.1, 0.2, 0.35, 0.5, 0.7]}},
    [{"name": "dropout", "p": 0.5}, {"name": "max_norm", "bound": {"grid": [5.0, 4.0, 3.0, 2.0, 1.0]}}],
]
CLIPS = [
    "none",
    {"name": "global_norm", "max_norm": WEAK_TO_STRONG},
    {"name": "value", "bound": {"grid": [0.1, 0.03, 0.01, 0.003, 0.001]}},
    {"name": "layer_norm", "max_norm": WEAK_TO_STRONG},
]
FEW = ["none", {"name": "global_norm", "max_norm": {"grid": [1.0, 0.1, 0.01]}}]
CONFIG = {
    "name": "synthetic",
    "seeds": 5,
    "defaults": {"grid": "alone", "from": "small", "optimizer": {"name": "sgd", "lr": 0.1}},
    "regimes": {
        "plain": {"clips": CLIPS, "regularizations": PENALTIES, "tuning": {"folds": 5, "seeds": 2}},
        "rates": {
            "from": "decades",
            "clips": [*CLIPS, {"name": "percentile", "percentile": {"grid": [90.0, 75.0, 50.0, 25.0, 10.0]}}],
            "tuning": {"seeds": 3, "along": ["optimizer.lr"], "rule": "one_standard_error"},
        },
        "optimizers": {
            "sweep": {
                "optimizer": {
                    "sgd": {"optimizer": {"name": "sgd", "lr": 0.1}},
                    "adam": {"optimizer": {"name": "adam", "lr": 0.001}},
                }
            },
            "clips": FEW,
            "regularizations": ["none", {"name": "l2", "strength": {"grid": [1e-4, 1e-3, 1e-2]}}],
            "tuning": {"seeds": 3},
        },
        "deep": {
            "from": "depths_and_activations",
            "clips": ["none", {"name": "global_norm", "max_norm": 0.1}, {"name": "sign", "magnitude": 0.003}, "zscore"],
        },
        "sizes": {
            "from": "sizes",
            "regularizations": ["none", {"name": "l2", "strength": 1e-3}, {"name": "dropout", "p": 0.5}],
        },
        "noise": {"from": "label_noise", "clips": FEW},
        "alone": {"clips": FEW},
    },
}


def swept_tables(seed: int = 0) -> dict[str, pd.DataFrame]:
    """The tables of the study which the figures of sweeps and of tuning are drawn from."""
    study, rng = parse(CONFIG), np.random.default_rng(seed)
    runs = _scored(study, expand(study), study.seeds, rng)
    tuned = {variant.regime: variant for variant in expand_tuning(study)}
    seeds = {seed for regime in tuned for seed in study.regimes[regime].tuning.seeds}
    tried = _scored(study, expand_tuning(study), sorted(seeds), rng)
    tuning = choose(tried, runs, study)
    return {"runs": runs, "regimes": regime_table(study), "tuning": tuning, **profile_tables(tuning, runs)}


def _scored(study: Study, variants: Sequence[Variant], seeds: Sequence[int], rng: np.random.Generator) -> pd.DataFrame:
    rows = [
        {"study": study.name, "regime": variant.regime, "clip": variant.clip_label,
         "regularization": variant.regularization_label, "seed": seed, **_scores(study, variant, rng)}
        for variant in variants
        for seed in seeds
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _scores(study: Study, variant: Variant, rng: np.random.Generator) -> dict[str, object]:
    """A clip takes heat out of a training, so that it bears a higher rate; a regularization narrows the gap."""
    regime = study.regimes[variant.regime]
    clip = _strength(regime.clip_labels, variant.clip_label)
    other = _strength(regime.regularization_labels, variant.regularization_label)
    rate = np.log10(getattr(variant.optimizer, "lr", 0.1) / 0.1)
    depth = len(getattr(variant.model, "hidden", (1,)))
    heat = rate + 0.05 * depth - 2.5 * clip + 0.1 * rng.standard_normal()
    if heat > 1.5:
        return _diverged(rng)
    noise = 0.4 * variant.data.label_noise
    train = 0.98 + 0.01 * min(rate, 1.0) - 0.02 * heat**2 - 0.15 * other**3 + 0.003 * rng.standard_normal()
    gap = max(0.09 * (1 - other) + 0.02 * abs(other - 0.4) + noise, 0.0) + 0.003 * rng.standard_normal()
    test = train - gap
    return {
        "status": "ok", "cause": "", "train_accuracy": train, "test_accuracy": test, "gap_accuracy": gap,
        "train_loss": -np.log(train), "validation_loss": -np.log(test - 0.001), "test_loss": -np.log(test),
        "validation_accuracy": test - 0.001,
        "clip_rate": 0.0 if clip == 0 else float(np.clip(1.1 * clip - 0.1 + 0.02 * rng.standard_normal(), 0, 1)),
        "norm_median": 0.6 * 10 ** (0.3 * heat),
    }  # fmt: skip


def _diverged(rng: np.random.Generator) -> dict[str, object]:
    losses = dict.fromkeys(("train_loss", "validation_loss", "test_loss"), 9.0)
    scores = {
        "train_accuracy": 0.11,
        "test_accuracy": 0.1,
        "validation_accuracy": 0.1,
        "gap_accuracy": 0.01,
        "clip_rate": 1.0,
        "norm_median": 30.0,
    }
    lost = {"status": "diverged", "cause": "chance level", **losses, **scores}
    exploded = {"status": "diverged", "cause": "non-finite loss", **dict.fromkeys([*losses, *scores], np.nan)}
    return exploded if rng.random() < 0.3 else lost


def _strength(labels: Sequence[str], label: str) -> float:
    """The place of a label in its grid, in (0, 1]; 0 for none."""
    grid = [one for one in labels if method_of(one) == method_of(label)]
    return 0.0 if label == "none" else (grid.index(label) + 1) / len(grid)
