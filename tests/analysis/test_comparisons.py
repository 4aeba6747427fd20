"""From a table of runs to comparisons: families, pairing, what is undefined, and repeatability."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from study.analysis.comparisons import BOTH_FAIL, METRICS, compare, contrasts, row_generator, summarise
from study.analysis.statistics import bca_interval, holm, sign_flip_p

BASE, CLIP, DROPOUT, BOTH = (
    ("none", "none"),
    ("global_norm(0.1)", "none"),
    ("none", "dropout(0.5)"),
    ("global_norm(0.1)", "dropout(0.5)"),
)
GRID = {BASE: 0.0, CLIP: -0.5, DROPOUT: -0.3, BOTH: -0.6}
GAP = ("gap_accuracy",)


def row(table, family, cell, metric="gap_accuracy"):
    keys = ("family", "clip", "regularization", "metric")
    chosen = np.logical_and.reduce([table[k] == v for k, v in zip(keys, (family, *cell, metric), strict=True)])
    (found,) = table[chosen].to_dict("records")
    return found


def metric_of(runs, cell, metric="gap_accuracy"):
    chosen = (runs["clip"] == cell[0]) & (runs["regularization"] == cell[1])
    return runs[chosen].set_index("seed")[metric]


def put(runs, cell, seeds, column, value):
    chosen = (runs["clip"] == cell[0]) & (runs["regularization"] == cell[1]) & runs["seed"].isin(seeds)
    return runs.assign(**{column: runs[column].mask(chosen, value)})


def without(runs, cell, seeds=range(1000)):
    chosen = (runs["clip"] == cell[0]) & (runs["regularization"] == cell[1]) & runs["seed"].isin(seeds)
    return runs[~chosen]


def test_the_columns_are_the_contract(make_runs):
    table = compare(make_runs(GRID), seed=0)
    contract = """study regime family metric clip regularization baseline
        n n_undefined estimate sd low high p p_adjusted superiority method"""
    assert " ".join(table.columns) == " ".join(contract.split())
    assert set(table["metric"]) == set(METRICS)
    assert len(table) == 4 * len(METRICS)


def test_each_family_subtracts_its_own_baseline_seed_by_seed(make_runs):
    runs = make_runs(GRID)
    table = compare(runs, 0, GAP)
    base, clip, dropout, both = (metric_of(runs, cell) for cell in GRID)
    expected = {
        ("clip", CLIP, "none + none"): clip - base,
        ("regularization", DROPOUT, "none + none"): dropout - base,
        ("combination", BOTH, "none + none"): both - base,
        ("interaction", BOTH, "additive"): both - clip - dropout + base,
    }
    assert len(table) == len(expected)
    for (family, cell, baseline), differences in expected.items():
        found = row(table, family, cell)
        rng = row_generator(0, "clean", family, "gap_accuracy", *cell)
        interval = bca_interval(differences)
        assert found["baseline"] == baseline
        assert found["estimate"] == pytest.approx(differences.mean())
        assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))
        assert found["p"] == sign_flip_p(differences, rng)[0]
        assert found["superiority"] == (differences > 0).mean()
        assert (found["n"], found["n_undefined"]) == (10, 0)
        assert found["method"] == "BCa; exact sign-flip"


def test_pairing_by_seed_finds_what_luck_would_hide(make_runs):
    runs = make_runs({BASE: 0.0, CLIP: 0.3})  # luck has a standard deviation of 1
    found = row(compare(runs, 0, GAP), "clip", CLIP)
    assert found["p"] == 2 / 1024
    assert found["low"] < found["estimate"] < found["high"]
    assert found["estimate"] == pytest.approx(0.3, abs=0.1)
    assert found["high"] - found["low"] < 0.3


@pytest.mark.parametrize(("both", "sign"), [(-0.8, 0), (-1.8, -1), (0.2, 1)])
def test_interaction_is_the_distance_from_additivity(make_runs, both, sign):
    found = row(compare(make_runs({**GRID, BOTH: both}, noise=0.0), 0, GAP), "interaction", BOTH)
    assert found["estimate"] == pytest.approx(sign)
    assert found["superiority"] == (1 + sign) / 2
    assert found["p"] == (1.0 if sign == 0 else 2 / 1024)


def test_holm_is_taken_within_regime_family_and_metric(make_runs):
    clips = {(f"value({bound})", "none"): 0.02 * bound for bound in range(1, 6)}
    regimes = [make_runs({**GRID, **clips}, regime=regime) for regime in ("clean", "noisy")]
    table = compare(pd.concat(regimes), 0, ("gap_accuracy", "test_loss"))
    assert table.groupby(["regime", "family", "metric"]).size().max() == 6
    for _, family in table.groupby(["regime", "family", "metric"]):
        assert family["p_adjusted"].to_numpy() == pytest.approx(holm(family["p"]))


def test_a_regime_is_compared_with_itself_only(make_runs):
    runs = make_runs(GRID)
    elsewhere = make_runs({BASE: 50.0, CLIP: 70.0}).assign(regime="noisy")
    table = compare(pd.concat([elsewhere, runs]), 0, GAP)
    here = table[table["regime"] == "clean"].reset_index(drop=True)
    pd.testing.assert_frame_equal(here, compare(runs, 0, GAP))


def test_other_variants_and_the_order_of_runs_change_no_row(make_runs):
    runs = make_runs({**GRID, ("value(0.01)", "none"): 0.1, ("value(0.01)", "dropout(0.5)"): 0.2})
    fewer = without(without(runs, ("value(0.01)", "none")), ("value(0.01)", "dropout(0.5)"))
    keys = ["family", "metric", "clip", "regularization"]
    everything, shuffled, alone = (
        compare(table, 5, ("gap_accuracy", "test_loss")).set_index(keys).drop(columns="p_adjusted")
        for table in (runs, runs.sample(frac=1, random_state=1), fewer)
    )
    pd.testing.assert_frame_equal(everything, shuffled.loc[everything.index])
    pd.testing.assert_frame_equal(alone, everything.loc[alone.index])


def test_the_same_differences_have_the_same_interval_whatever_the_seed_and_the_names(make_runs):
    runs = make_runs(GRID)
    first, other = (compare(runs, seed, GAP) for seed in (1, 2))
    pd.testing.assert_frame_equal(first, other)
    renamed = compare(runs.assign(regime="elsewhere"), 1, GAP)
    pd.testing.assert_frame_equal(first.drop(columns="regime"), renamed.drop(columns="regime"))


def test_a_row_generator_depends_on_names_not_on_the_process():
    first, other = (row_generator(3, *names).bit_generator for names in (("a", "bc"), ("ab", "c")))
    assert first.random_raw() == 5514861689203013250
    assert other.random_raw() != 5514861689203013250


def test_an_undefined_metric_leaves_its_pair_out_and_is_counted(make_runs):
    runs = put(put(make_runs(GRID), CLIP, [2], "gap_accuracy", np.nan), BASE, [5], "gap_accuracy", np.inf)
    table = compare(runs, 0, ("gap_accuracy", "gap_loss"))
    differences = (metric_of(runs, CLIP) - metric_of(runs, BASE)).drop([2, 5])
    found = row(table, "clip", CLIP)
    assert (found["n"], found["n_undefined"]) == (8, 2)
    assert found["estimate"] == pytest.approx(differences.mean())
    assert found["p"] == sign_flip_p(differences, np.random.default_rng())[0]
    assert row(table, "regularization", DROPOUT)["n_undefined"] == 1
    assert row(table, "interaction", BOTH)["n_undefined"] == 2
    assert row(table, "clip", CLIP, "gap_loss")["n_undefined"] == 0


def test_divergence_is_compared_by_mcnemar_and_never_undefined(make_runs):
    runs = put(make_runs(GRID), BASE, range(7), "status", "diverged")
    runs = put(put(runs, CLIP, [0, 9], "status", "failed"), BASE, range(7), "gap_accuracy", np.nan)
    table = compare(runs, 0, ("gap_accuracy", "diverged"))
    found = row(table, "clip", CLIP, "diverged")
    assert (found["n"], found["n_undefined"]) == (10, 0)
    assert found["estimate"] == pytest.approx(0.2 - 0.7)
    assert found["p"] == pytest.approx(binomtest(1, 7).pvalue)  # 6 seeds rescued, 1 lost
    assert found["superiority"] == pytest.approx((1 + 3 / 2) / 10)
    assert row(table, "clip", CLIP)["n_undefined"] == 7


def test_a_comparison_without_a_defined_pair_stays_and_is_no_family_member(make_runs):
    runs = make_runs({**GRID, ("value(0.01)", "none"): 0.5})
    table = compare(put(runs, CLIP, range(10), "gap_accuracy", np.nan), 0, GAP)
    found = row(table, "clip", CLIP)
    assert (found["n"], found["n_undefined"], found["method"]) == (0, 10, "no interval; no test")
    numbers = ["estimate", "low", "high", "p", "p_adjusted", "superiority"]
    assert np.isnan([found[name] for name in numbers]).all()
    other = row(table, "clip", ("value(0.01)", "none"))
    assert other["p_adjusted"] == other["p"]


def test_only_seeds_that_all_cells_have_are_paired(make_runs):
    runs = without(without(make_runs(GRID), CLIP, [0, 1]), DROPOUT, [1, 2, 3])
    table = compare(runs, 0, GAP)
    assert row(table, "clip", CLIP)["n"] == 8
    assert row(table, "regularization", DROPOUT)["n"] == 7
    assert row(table, "combination", BOTH)["n"] == 10
    assert row(table, "interaction", BOTH)["n"] == 6
    assert (table["n_undefined"] == 0).all()


def test_cells_without_a_common_seed_keep_an_empty_row(make_runs):
    runs = without(without(make_runs(GRID), CLIP, range(5)), BASE, range(5, 10))
    found = row(compare(runs, 0, GAP), "clip", CLIP)
    assert (found["n"], found["n_undefined"]) == (0, 0)
    assert np.isnan(found["p"])


def test_a_regime_without_baseline_has_no_rows(make_runs):
    lonely = without(make_runs(GRID, regime="lonely"), BASE)
    assert compare(lonely, 0).empty
    assert list(compare(lonely, 0).columns) == list(compare(make_runs(GRID), 0, GAP).columns)
    both = compare(pd.concat([lonely, make_runs(GRID)]), 0, GAP)
    assert set(both["regime"]) == {"clean"}


def test_an_interaction_needs_all_four_cells():
    families = [contrast.family for contrast in contrasts([BASE, BOTH, DROPOUT])]
    assert families == ["combination", "regularization"]


def test_another_label_may_be_the_baseline(make_runs):
    runs = make_runs({("value(1)", "value(1)"): 0.0, ("none", "value(1)"): 1.0})
    (found,) = compare(runs, 0, GAP, baseline="value(1)").to_dict("records")
    assert (found["family"], found["clip"], found["baseline"]) == ("clip", "none", "value(1) + value(1)")
    assert found["estimate"] == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("tell", [lambda runs: compare(runs, 0), lambda runs: summarise(runs)])
def test_a_wrong_table_is_refused_in_words(make_runs, tell):
    runs = make_runs(GRID)
    with pytest.raises(ValueError, match=r"'runs' table must have the columns.* Got a table without test_loss instead"):
        tell(runs.drop(columns="test_loss"))
    with pytest.raises(ValueError, match=r"one row per run\. Got several for study tiny, regime clean,"):
        tell(pd.concat([runs, runs.tail(1)]))


def test_summary_counts_outcomes_and_averages_what_is_defined(make_runs):
    runs = put(make_runs(GRID), CLIP, [0, 1], "status", "diverged")
    runs = put(put(runs, CLIP, [9], "status", "failed"), CLIP, [1, 9], "gap_accuracy", np.nan)
    table = summarise(runs, ("gap_accuracy", "diverged")).set_index(["clip", "regularization", "metric"])
    gap, diverged = (table.loc[(*CLIP, metric)] for metric in ("gap_accuracy", "diverged"))
    assert gap[["runs", "ok", "diverged", "failed"]].tolist() == [10, 7, 2, 1]
    assert (gap["n"], gap["n_undefined"], diverged["n"]) == (8, 2, 10)
    assert gap["mean"] == pytest.approx(metric_of(runs, CLIP).mean())
    assert gap["low"] < gap["mean"] < gap["high"]
    assert diverged["mean"] == pytest.approx(0.3)
    assert table.loc[(*BASE, "diverged"), "method"] == "degenerate"


def test_summary_has_a_row_per_variant_and_metric_and_one_stream_each(make_runs):
    runs = make_runs(GRID)
    table = summarise(runs, ("gap_accuracy", "test_loss"))
    assert len(table) == 4 * 2
    shuffled = without(runs, BASE).sample(frac=1, random_state=1)
    alone = summarise(shuffled, ("gap_accuracy", "test_loss"))
    keys = ["clip", "regularization", "metric"]
    table, alone = table.set_index(keys), alone.set_index(keys)
    pd.testing.assert_frame_equal(alone, table.loc[alone.index])


def test_a_summary_of_nothing_defined_is_a_row_that_says_so(make_runs):
    runs = put(make_runs(GRID), CLIP, range(10), "gap_accuracy", np.nan)
    table = summarise(runs, GAP).set_index(["clip", "regularization"])
    assert table.loc[CLIP, ["n", "n_undefined", "method"]].tolist() == [0, 10, "no interval"]
    assert np.isnan(table.loc[CLIP, "mean"])
    assert summarise(runs.head(0)).empty


# --- cells that fail


@pytest.mark.parametrize("lost", [BASE, CLIP])
def test_a_difference_to_one_failed_cell_counts_and_one_between_two_does_not(make_runs, lost):
    one = put(make_runs(GRID), lost, range(6), "status", "diverged")
    both = put(put(make_runs(GRID), BASE, range(6), "status", "diverged"), CLIP, range(4, 10), "status", "diverged")
    assert row(compare(one, 0, GAP), "clip", CLIP)["p"] == 2 / 1024
    found = row(compare(both, 0, GAP), "clip", CLIP)
    assert (found["n"], found["n_undefined"], found["method"]) == (10, 0, BOTH_FAIL)
    assert np.isnan([found[key] for key in ("estimate", "sd", "low", "high", "p", "p_adjusted", "superiority")]).all()
    kept = compare(both, 0, (*GAP, "diverged"))
    assert np.isfinite(row(kept, "clip", CLIP, "diverged")["estimate"]), "how many fail is compared all the same"
    assert np.isfinite(row(kept, "interaction", BOTH)["estimate"]), "two of its cells trained"


def test_half_of_the_runs_lost_is_no_failed_cell(make_runs):
    runs = make_runs(GRID)
    for cell in (BASE, CLIP):
        runs = put(runs, cell, range(5), "status", "diverged")
    assert np.isfinite(row(compare(runs, 0, GAP), "clip", CLIP)["estimate"])


def test_a_family_without_those_that_fail_is_adjusted_as_if_they_were_not_there(make_runs):
    lost = ("value(1)", "none")
    runs = make_runs({**GRID, lost: 0.1})
    for cell in (BASE, lost):
        runs = put(runs, cell, range(10), "status", "diverged")
    table = compare(runs, 0, GAP).query("family == 'clip'").set_index("clip")
    assert table.loc[CLIP[0], "p_adjusted"] == table.loc[CLIP[0], "p"]
