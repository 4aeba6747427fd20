"""The numbers of the README are those of the committed studies: computed here again from their tables."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
README = re.sub(r"\s+", " ", (ROOT / "README.md").read_text(encoding="utf-8"))
# Regimes with wrong labels; the last is of clothes.
WRONG_LABELS = ("memorize", "together", "rates_", "optimizers_", "noise_label_noise=0.", "fashion")


def table(study: str, name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / f"docs/studies/{study}/{name}.csv", keep_default_na=False, na_values=[""])


def points(value: float, signed: bool = True) -> str:
    return f"{100 * value:{'+' if signed else ''}.1f}".replace("-", "−")


def gain(study: str, clip: str, metric: str) -> tuple[str, str]:
    """The gain of a clip over the baseline in `memorize`, in points, and its interval."""
    rows = table(study, "comparisons")
    alone = (rows["family"] == "clip") & (rows["regime"] == "memorize")
    (row,) = rows[alone & (rows["clip"] == clip) & (rows["metric"] == metric)].to_dict("records")
    return points(row["estimate"]), f"[{points(row['low'], False)}, {points(row['high'], False)}]"


def test_clips_on_clean_labels() -> None:
    means, rows = table("paper", "summary"), table("paper", "comparisons")
    alone = (means["clip"] == "none") & (means["regularization"] == "none")
    learns = means[alone & (means["metric"] == "best_test_accuracy") & (means["mean"] > 0.8)]["regime"]
    clean = [regime for regime in learns if not regime.startswith(WRONG_LABELS)]
    clips = rows[(rows["family"] == "clip") & (rows["metric"] == "best_test_accuracy") & rows["regime"].isin(clean)]
    higher, lower = (clips["low"] > 0).sum(), (clips["high"] < 0).sum()
    assert f"{higher} of {len(clips)} clipped settings" in README
    assert f"{lower} reached a lower one" in README


def test_clips_under_wrong_labels() -> None:
    last, best = (gain("paper", "global_norm(0.3)", metric) for metric in ("test_accuracy", "best_test_accuracy"))
    said = f"Clip to norm 0.3: {last[0]} points {last[1]} after the last epoch, {best[0]} {best[1]} when both"
    assert said in README
    sample = gain("catalogue", "per_sample_adaptive(1)", "best_test_accuracy")
    assert f"Adaptive per-sample clip: {sample[0]} points {sample[1]} over the baseline" in README


def test_rescues() -> None:
    means = table("paper", "summary")
    runs = means[means["regularization"] == "none"].drop_duplicates(["regime", "clip"])
    lost = runs[(runs["clip"] == "none") & (runs["ok"] < runs["runs"])]["regime"]
    rescued = runs[runs["regime"].isin(lost) & (runs["clip"] != "none") & (runs["ok"] == runs["runs"])]["regime"]
    said = f"Of {len(lost)} settings in which the baseline failed, a clip made every seed train in {rescued.nunique()}"
    assert said in README


def test_thresholds_and_adaptive_optimizers() -> None:
    found, tuned = table("paper", "thresholds"), table("paper", "tuned")
    ratio = found["threshold"] / found["median"]
    assert f"thresholds lay at {ratio.min():.2f} to {ratio.max():.1f} of it" in README
    adaptive = tuned["regime"].str.fullmatch("optimizers_optimizer=(adam|rmsprop|adamw)") & (tuned["kind"] == "clip")
    assert set(tuned[adaptive]["label"]) == {"none"}


@pytest.mark.parametrize(
    ("column", "best", "said"),
    [
        ("validation_accuracy", "idxmax", "by validation accuracy it lost {:.2f} points"),
        ("validation_loss", "idxmin", "by validation loss {:.2f}"),
        ("train_loss", "idxmin", "by training loss {:.1f}"),
    ],
)
def test_what_a_rule_of_choice_costs(column: str, best: str, said: str) -> None:
    rows = table("paper", "tuning")
    rows = rows[(rows["kind"] == "regularization") & (rows["method"] != "none")]
    lost = [
        each["test_accuracy"].max() - each.loc[getattr(each[column], best)(), "test_accuracy"]
        for _, each in rows.groupby(["setting", "kind", "method"])
    ]
    assert said.format(100 * sum(lost) / len(lost)) in README
