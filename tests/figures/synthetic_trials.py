"""A study tuned by trials, as its configuration is read, with plausible scores and no training."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from study.analysis.budgets import budgets, robustness
from study.analysis.gains import gains, leaderboard
from study.analysis.regimes import regime_table
from study.analysis.trials import trial_table
from study.config.read import parse
from study.config.study import Study
from study.config.variants import RunSpec, Variant, expand, expand_trials, trials
from study.results.trial_choice import SCORES, chosen_variant

EPOCHS = 8
CONFIG: dict[str, Any] = {
    "name": "synthetic",
    "seeds": 8,
    "defaults": {"grid": "alone", "from": "small", "epochs": EPOCHS, "optimizer": {"name": "sgd", "lr": 0.1}},
    "regimes": {
        **{
            name: {
                "clips": ["none", "global_norm", "value", "per_sample", "adaptive_unit"],
                "regularizations": ["none", "l1", "l2", "dropout", ["dropout", "l2"], "label_smoothing", "mixup"],
                "pairs": [["global_norm", "dropout"]],
                "tuning": {"trials": 12, "seeds": 2, "metric": "best_validation_loss"},
            }
            for name in ("few", "wrong_labels", "convolutions", "transformer")
        },
        "map": {
            "sweep": {"optimizer.lr": [0.01, 0.03, 0.1, 0.3, 1.0, 3.0]},
            "clips": ["none", {"name": "global_norm", "max_norm": {"grid": [0.01, 0.1, 1.0, 10.0]}}],
        },
    },
}
EFFECTS = {"dropout": 0.012, "per_sample": 0.008, "mixup": 0.01, "value": -0.012, "l1": -0.002}


@cache
def trial_tables() -> Mapping[str, pd.DataFrame]:
    """The tables of the study, by name."""
    study, rng = parse(CONFIG), np.random.default_rng(0)
    trial_runs = pd.DataFrame(
        [
            _row(study, one, seed, rng)
            for variant in expand_trials(study)
            for one in trials(variant)
            for seed in variant.tuned.seeds  # type: ignore[union-attr]
        ]
    )
    evaluated = [chosen_variant(one, trial_runs) if one.tuned else one for one in expand(study)]
    runs = pd.DataFrame([_row(study, one, seed, rng) for one in evaluated for seed in study.seeds])
    tried = trial_table(trial_runs, study)
    tuned = runs[runs["regime"].isin(study.tried_regimes)]
    found = gains(tuned, study, seed=0)
    return {
        "runs": runs,
        "regimes": regime_table(study),
        "epochs": pd.concat([_epochs(row) for row in runs.to_dict("records")], ignore_index=True),
        "trials": tried,
        "budgets": budgets(tried),
        "robustness": robustness(tried, study),
        "gains": found,
        "leaderboard": leaderboard(tuned, found, study, seed=0),
    }


def _row(study: Study, one: Variant, seed: int, rng: np.random.Generator) -> dict[str, Any]:
    """A run: best at a learning rate of 0.3, less far away from it, and what each method adds."""
    away = np.log10(one.optimizer.lr / 0.3)
    step = getattr(one.clip, "max_norm", 10.0)
    effect = sum(EFFECTS.get(part.name, 0.0) for part in (one.clip, *one.regularization))
    place = {"few": 0.9, "wrong_labels": 0.8, "convolutions": 0.95, "transformer": 0.93}.get(one.regime, 0.9)
    common = 0.004 * np.random.default_rng(seed).standard_normal()
    gone = away > 0.7 and step > 1
    best = 0.1 if gone else place - 0.03 * (away + 0.3 * np.log10(step / 3.0)) ** 2 + effect + common
    best += 0.003 * rng.standard_normal()
    last = best - (0.05 if one.regime == "wrong_labels" else 0.005)
    scores = {"test_accuracy": last, "validation_accuracy": last, "best_test_accuracy": best}
    scores |= {"best_validation_accuracy": best + 0.002 * rng.standard_normal()}
    losses = {key.replace("accuracy", "loss"): 3 * (1 - value) for key, value in scores.items()}
    gaps = {"gap_accuracy": 1 - last, "gap_loss": 1.0, "best_gap_accuracy": 0.98 - best + effect, "best_gap_loss": 0.5}
    names = [one.clip.name, " + ".join(part.name for part in one.regularization)]
    keys = {"study": study.name, "regime": one.regime, "clip": one.clip_label}
    methods = {"clip_method": names[0], "regularization_method": names[1]}
    assert set(SCORES) <= {*scores, *losses}
    return {
        **keys,
        "regularization": one.regularization_label,
        **methods,
        "clip_strength": getattr(one.clip, "max_norm", np.nan),
        "seed": seed,
        "fold": None,
        "digest": RunSpec(one, seed).digest,
        "status": "diverged" if gone else "ok",
        "best_epoch": 4,
        **scores,
        **losses,
        **gaps,
    }


def _epochs(run: Mapping[Any, Any]) -> pd.DataFrame:
    epochs = np.arange(EPOCHS + 1)
    rise = 1 - np.exp(-epochs / 1.5)
    after = np.maximum(epochs - run["best_epoch"], 0) / (EPOCHS - run["best_epoch"])
    curve = 0.1 + (run["best_test_accuracy"] - 0.1) * rise - (run["best_test_accuracy"] - run["test_accuracy"]) * after
    keys = {key: run[key] for key in ("study", "regime", "clip", "regularization", "seed")}
    return pd.DataFrame({**keys, "epoch": epochs, "test_accuracy": curve})
