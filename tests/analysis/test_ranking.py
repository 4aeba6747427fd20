"""The ranking: who is first, how sure that is, and that nothing but validation chose a method's strength."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, ttest_rel

from study.analysis.ranking import RANKING, rank, seed_ranks
from study.methods.labels import method_of


def table(accuracies: dict[str, np.ndarray], validation: dict[str, float] | None = None) -> pd.DataFrame:
    """Runs of clips alone, with these test accuracies by seed."""
    rows = [
        {
            "study": "s", "regime": "r", "clip": label, "regularization": "none", "seed": seed,
            "status": "ok" if np.isfinite(accuracy) else "diverged", "test_accuracy": accuracy,
            "validation_accuracy": (validation or {}).get(label, accuracy), "gap_accuracy": 0.1,
        }
        for label, values in accuracies.items()
        for seed, accuracy in enumerate(values)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def simulated(
    effects: dict[str, float], seeds: int = 10, noise: float = 0.01, number: int = 0
) -> dict[str, np.ndarray]:
    """Accuracies that share each seed's luck."""
    rng = np.random.default_rng(number)
    luck = rng.normal(0, 0.05, seeds)
    return {label: 0.8 + effect + luck + rng.normal(0, noise, seeds) for label, effect in effects.items()}


def test_columns_and_kinds() -> None:
    ranking = rank(table(simulated({"none": 0, "value(1)": 0.1})), seed=0)
    assert tuple(ranking.columns) == RANKING
    assert list(ranking["kind"]) == ["clip", "clip"], "with no regularization but none there is nothing to rank"


def test_a_known_order_comes_out() -> None:
    ranking = rank(table(simulated({"none": 0, "a(1)": 0.1, "b": -0.1, "c(x=1)": 0.3})), seed=0)
    assert list(ranking["method"]) == ["c", "a", "none", "b"]
    assert list(ranking["place"]) == [1, 2, 3, 4]
    assert list(ranking["rank"]) == [1, 2, 3, 4]
    first = ranking.iloc[0]
    assert first["estimate"] == pytest.approx(0.3, abs=0.02)
    assert first["low"] < first["estimate"] < first["high"]
    assert (ranking["p_best_adjusted"].iloc[1:] < 0.05).all()
    assert np.isnan(first["p_best_adjusted"])


def test_methods_without_a_difference_cannot_be_told_apart() -> None:
    """Over many simulated studies the first is told from equal others as rarely as the level says, or rarer."""
    told = [
        (rank(table(simulated(dict.fromkeys(["none", "a", "b"], 0.0), number=n)), seed=0)["p_adjusted"] < 0.05).any()
        for n in range(40)
    ]
    assert np.mean(told) <= 0.125, "the level is .05; .125 is two standard errors above it"


def test_ranks_are_scipys_and_undefined_is_last() -> None:
    scores = np.array([[0.5, np.nan, 0.7, 0.5, np.nan], [0.1, 0.2, 0.3, 0.4, 0.5]])
    assert seed_ranks(scores).tolist() == [[2.5, 4.5, 1, 2.5, 4.5], [5, 4, 3, 2, 1]]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_ranks_of_one_seed(values: list[float]) -> None:
    np.testing.assert_array_equal(seed_ranks(np.array([values]))[0], rankdata([-v for v in values]))


def test_the_strength_is_chosen_by_validation_not_by_test() -> None:
    accuracies = simulated({"none": 0, "l(0.1)": 0.2, "l(1)": 0.1})
    ranking = rank(table(accuracies, {"none": 0.5, "l(0.1)": 0.6, "l(1)": 0.7}), seed=0)
    assert set(ranking["label"]) == {"none", "l(1)"}
    row = ranking.set_index("method").loc["l"]
    assert row["strengths"] == 2
    assert row["estimate"] == pytest.approx(float(np.mean(accuracies["l(1)"] - accuracies["none"])))


def test_a_diverged_run_is_counted_and_ranked_last() -> None:
    accuracies = simulated({"none": 0, "a": 0.2})
    accuracies["a"][[1, 4]] = np.nan
    row = rank(table(accuracies), seed=0).set_index("method").loc["a"]
    assert (row["n"], row["n_undefined"], row["diverged"], row["runs"]) == (8, 2, 2, 10)
    assert row["rank"] == pytest.approx((8 * 1 + 2 * 2) / 10)


@settings(max_examples=5)
@given(number=st.integers(0, 100))
def test_the_interval_of_a_rank_holds_it_and_is_a_point_when_seeds_agree(number: int) -> None:
    ranking = rank(table(simulated({"none": 0, "a": 0.005, "b": 1.0}, number=number)), seed=0).set_index("method")
    assert (ranking["rank_low"] <= ranking["rank"] + 1e-12).all()
    assert (ranking["rank"] <= ranking["rank_high"] + 1e-12).all()
    assert ranking.loc["b", ["rank_low", "rank", "rank_high"]].tolist() == [1, 1, 1]


def test_p_is_near_the_paired_t_tests() -> None:
    accuracies = simulated({"none": 0, "a": 0.006})
    row = rank(table(accuracies), seed=0).set_index("method").loc["a"]
    assert row["p"] == pytest.approx(ttest_rel(accuracies["a"], accuracies["none"]).pvalue, abs=0.03)


@pytest.mark.parametrize(
    ("label", "method"),
    [("l2(0.1) + dropout(0.5)", "l2 + dropout"), ("none", "none"), ("value(bound=1, low=-2)", "value")],
)
def test_method_of_a_label(label: str, method: str) -> None:
    assert method_of(label) == method


def test_the_same_every_time_and_whatever_the_order_of_rows() -> None:
    runs = table(simulated({"none": 0, "a": 0.01, "b": 0.02}))
    pd.testing.assert_frame_equal(rank(runs, seed=0), rank(runs, seed=0))
    other = rank(runs.sort_values("seed", ascending=False, kind="stable"), seed=0)
    pd.testing.assert_frame_equal(other, rank(runs, seed=0))
