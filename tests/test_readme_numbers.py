"""The numbers of the README are those of the committed studies: computed here again from their tables."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
README = re.sub(r"\s+", " ", (ROOT / "README.md").read_text(encoding="utf-8"))
NUMBERS = {5: "five", 6: "six", 7: "seven"}


def table(study: str, name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / f"docs/studies/{study}/{name}.csv", keep_default_na=False, na_values=[""])


def points(value: float, signed: bool = True) -> str:
    return f"{100 * value:{'+' if signed else ''}.1f}".replace("-", "−")


def hypothesis(name: str) -> pd.DataFrame:
    """A hypothesis of the frozen benchmark: a row for each workload, by its name."""
    rows = table("confirm", "hypotheses")
    return rows[rows["hypothesis"] == name].set_index("regime")


def told(row: pd.Series, signed: bool = True) -> str:
    """A gain in points with its interval."""
    return f"{points(row['gain'], signed)} points [{points(row['low'], False)}, {points(row['high'], False)}]"


def test_a_clip_where_training_works() -> None:
    rows = hypothesis("clip_accuracy")
    assert list(rows.index[rows["verdict"] == "supported"]) == ["recurrent"]
    assert f"in a recurrent net ({told(rows.loc['recurrent'])}) and in no other of {NUMBERS[len(rows)]}" in README
    saved = hypothesis("clip_rescues")
    assert set(saved["against_mean"]) == {1}
    assert set(saved["mean"]) == {0}


def test_a_clip_under_wrong_labels() -> None:
    last, best = (hypothesis(f"clip_wrong_{epoch}").loc["wrong_40"] for epoch in ("last", "best"))
    assert (last["verdict"], best["verdict"]) == ("supported", "undecided")
    said = (
        f"the clip gained {told(last, False)} after the last epoch, and {told(best, False).replace(' points', '')} over"
    )
    assert said in README


def test_what_regularizers_gain() -> None:
    more = hypothesis("augmentation_accuracy")
    few, wrong = told(more.loc["few"]), told(more.loc["wrong_40"]).replace(" points", "")
    assert f"{few} on 2,000 digits, {wrong} at 40 % wrong labels" in README
    boards = table("confirm", "gains")
    own = boards[(boards["metric"] == "best_test_accuracy") & boards["regime"].isin(["few", "wrong_40"])]
    best = own.loc[own.groupby("regime")["gain"].idxmax()]
    assert set(best["regularization_method"]) == {"augmentation"}
    clean = pd.concat([hypothesis("l2_accuracy"), hypothesis("dropout_accuracy")]).loc[["digits", "few"]]
    assert (clean["high"] < 0.005).all()


def test_the_page_of_the_benchmark() -> None:
    page = re.sub(r"\s+", " ", (ROOT / "docs/benchmark.md").read_text(encoding="utf-8"))
    once = table("confirm", "hypotheses").drop_duplicates("hypothesis")["of_all"].value_counts()
    assert dict(once) == {"supported": 3, "no gain found": 5, "undecided": 11}
    assert f"Of {once.sum()} hypotheses {once['supported']} are supported, for {once['no gain found']} no gain" in page
    trials = table("confirm", "trials")
    chosen = trials[trials["chosen"]]
    assert f"Of {len(chosen)} choices {chosen['edge'].notna().sum()} lie at an edge" in page
    budgets = table("confirm", "budgets")
    one = budgets[(budgets["budget"] == 1) & (budgets["regularization_method"] == "none")]
    wide = one.pivot_table(index="regime", columns="clip_method", values="best_test_accuracy")
    wide = wide[["none", "global_norm"]].dropna()
    assert f"in {(wide['global_norm'] < wide['none']).sum()} of {len(wide)} workloads" in page
    for name, regime in (("clip_accuracy", "recurrent"), ("clip_accuracy", "deep"), ("clip_and_dropout", "wrong_40")):
        assert told(hypothesis(name).loc[regime]).split(" points ")[1] in page
    for name in ("clip_wrong_last", "clip_wrong_best", "per_sample_accuracy"):
        gains = [points(gain) for gain in hypothesis(name)["gain"]]
        assert f"{gains[0]}, {gains[1]} and {gains[2]} points" in page
    assert (hypothesis("clip_wrong_best")["high"] < 0.005).all()


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
