"""A small tuned study, and hand-made tables of its runs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from study.config.read import parse
from study.config.study import Study

VALUE = {"name": "value", "bound": {"grid": [1.0, 0.1, 0.01]}}
L2 = {"name": "l2", "strength": {"grid": [0.001, 0.01, 0.1]}}
DROPOUT = {"name": "dropout", "p": {"grid": [0.2, 0.5, 0.8]}}
CLIPS = ["value(1)", "value(0.1)", "value(0.01)"]
L2S, DROPOUTS = ["l2(0.001)", "l2(0.01)", "l2(0.1)"], ["dropout(0.2)", "dropout(0.5)", "dropout(0.8)"]
LABELS = ["none", *CLIPS, *L2S, *DROPOUTS]


def study(rule: str = "minimum", **changes: Any) -> Study:
    """One regime `x`, in which a clip and two regularizers are tuned, each at three strengths."""
    regime = {
        "data": {"name": "mnist-sample", "validation_size": 100},
        "clips": ["none", VALUE],
        "regularizations": ["none", L2, DROPOUT],
        "tuning": {"rule": rule, **changes.pop("tuning", {})},
        **changes,
    }
    return parse({"name": "s", "seeds": 4, "regimes": {"x": regime}})


def table(values: Mapping[str, Sequence[float]], column: str, regime: str = "x", **others: Any) -> pd.DataFrame:
    """Runs of methods alone, with these values by seed; a run without a finite value has diverged."""
    scores = (
        "validation_loss",
        "validation_accuracy",
        "train_loss",
        "test_loss",
        "test_accuracy",
        "gap_accuracy",
        "gap_loss",
    )
    rows = [
        {
            **{"study": "s", "regime": regime, "clip": "none", "regularization": "none", "seed": seed, "fold": pd.NA},
            **{"clip" if label in CLIPS else "regularization": label},
            "status": "ok" if np.isfinite(value) else "diverged",
            **dict.fromkeys(scores, 0.5 if np.isfinite(value) else np.nan),
            **{column: value},
            **others,
        }
        for label, by_seed in values.items()
        for seed, value in enumerate(by_seed)
    ]
    return pd.DataFrame(rows)


def losses(means: Mapping[str, float], spread: float = 0.01, **others: Any) -> pd.DataFrame:
    """Three tuning runs of each label around its mean validation loss, 1 where none is given."""
    return table({la: means.get(la, 1.0) + spread * np.array([-1, 0, 1]) for la in LABELS}, "validation_loss", **others)


def accuracies(means: Mapping[str, float], **others: Any) -> pd.DataFrame:
    """Four evaluation runs of each label around its mean test accuracy, 0.5 where none is given."""
    luck = np.array([-0.03, 0.01, 0.0, 0.02])
    return table({label: means.get(label, 0.5) + luck for label in LABELS}, "test_accuracy", **others)


SWEEP = {"optimizer.lr": [0.1, 1.0, 10.0], "depth": {"flat": {}, "deep": {"model": {"name": "mlp", "hidden": [9, 9]}}}}


def swept(rule: str = "minimum", **changes: Any) -> Study:
    return study(rule, **{"sweep": SWEEP, "tuning": {"along": ["optimizer.lr"]}, **changes})


def everywhere(make: Callable[..., pd.DataFrame], means: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Runs in all regimes of the sweep, with the means that are given by regime."""
    names = [f"x_lr={lr}_depth={depth}" for lr in ("0.1", "1", "10") for depth in ("flat", "deep")]
    return pd.concat([make(means.get(name, {}), regime=name) for name in names], ignore_index=True)
