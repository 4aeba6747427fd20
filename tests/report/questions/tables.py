"""Small tables whose truth is known: cells of given means, with luck by seed that all cells share."""

from collections.abc import Callable
from io import StringIO

import numpy as np
import pandas as pd

from study.analysis import questions
from study.analysis.questions.numbers import to_table
from study.report.questions.base import Answer, Told
from study.results.store import Tables
from tests.method_columns import strength, with_methods

SEEDS = 8
CellMeans = tuple[str, str, str, float] | tuple[str, str, str, float, float]


def answer(words: Callable[[Told], Answer], tables: Tables) -> Answer:
    """A question answered from tables: its numbers, written and read as the workflow does, and the words for them."""
    name = words.__name__
    numbers = to_table("study", {name: questions.QUESTIONS[name](tables)}).to_csv(index=False)
    read = pd.read_csv(StringIO(numbers), keep_default_na=False, na_values=[""], float_precision="round_trip")
    return words(Told({**tables, "answers": read}))


def runs(*cells: CellMeans, failed: tuple[tuple[str, str], ...] = (), **columns: float) -> pd.DataFrame:
    """Runs of cells: regime, clip, regularization, mean accuracy and, unless 1 less that, mean loss.

    `failed`: pairs of regime and clip of which all runs diverged.
    """
    rng = np.random.default_rng(1)
    luck, own = 0.02 * rng.standard_normal(SEEDS), 0.001 * rng.standard_normal((len(cells), SEEDS))
    defaults = {"norm_median": 2.0, "clip_rate": 0.5, "weight_zero": 0.0, "weight_small": 0.1}
    rows = []
    for at, (regime, clip, other, mean, *loss) in enumerate(cells):
        for seed in range(SEEDS):
            accuracy = mean + luck[seed] + own[at, seed]
            less = (loss[0] if loss else 1 - mean) - luck[seed] - own[at, seed]
            rows.append(
                {"regime": regime, "clip": clip, "regularization": other, "seed": seed, **defaults, **columns,
                 "status": "diverged" if (regime, clip) in failed else "ok", "test_accuracy": accuracy,
                 "validation_accuracy": accuracy, "test_loss": less, "validation_loss": less}
            )  # fmt: skip
    return with_methods(pd.DataFrame(rows))


def regimes(*points: tuple[str, str, str, float | str], setting: str = "") -> pd.DataFrame:
    """Points of sweeps: regime, part_of, axis, value."""
    columns = ["regime", "part_of", "setting", "axis", "value", "number", "position"]
    rows = [(regime, part_of, setting, axis, str(value), float("nan") if isinstance(value, str) else value, at)
            for at, (regime, part_of, axis, value) in enumerate(points)]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def tuning(*chosen: tuple[str, str, str, str, str], candidates: int = 1) -> pd.DataFrame:
    """What was chosen (setting, kind, method, regime, label), each among some learning rates."""
    keys = ("setting", "kind", "method", "regime", "label")
    both = {"chosen": True, "chosen_by_accuracy": True}
    rows = [{**dict(zip(keys, one, strict=True)), **both, "validation_loss": float(at)}
            for at, one in enumerate(chosen)]  # fmt: skip
    others = [
        {**row, "regime": f"x_lr={10**n}", "chosen": False, "chosen_by_accuracy": False}
        for row in rows
        for n in range(1, candidates)
    ]
    found = pd.DataFrame(rows + others)
    return found.assign(strength=found["label"].map(strength))


def grid(setting: str, method: str, *candidates: tuple[str, float, float, float], chosen: str) -> pd.DataFrame:
    """The candidates of a clip in one regime: label, validation loss, training loss, test accuracy."""
    table = pd.DataFrame(candidates, columns=["label", "validation_loss", "train_loss", "test_accuracy"])
    accuracy = table["test_accuracy"]
    return table.assign(
        setting=setting, kind="clip", method=method, regime=setting, validation_se=0.15, n=5, edge="",
        strength=table["label"].map(strength),
        chosen=table["label"] == chosen, chosen_by_accuracy=table.index == accuracy.argmax(),
        validation_accuracy=accuracy, regret=accuracy.max() - accuracy, regret_loss=(accuracy.max() - accuracy) * 2,
    )  # fmt: skip
