"""Each claim of a study finds its evidence in the tables, and its verdict says what it rests on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from study.analysis.evidence import Evidence
from study.analysis.verdicts import EVIDENCE, LEDGER, evidence_table, ledger
from study.claims import Claim
from study.claims.base import Cell
from study.claims.c01_exploding import Exploding
from study.claims.c03_efficiency import Efficiency
from study.claims.c07_regularization import RegularizationLowersGap
from study.claims.c08_dropout import DropoutOtherwise
from study.claims.c10_combination import Additivity, Combination
from study.claims.c12_open import NoneIsBest
from study.clipping import Clipping
from study.config.read import ConfigError, parse
from study.config.study import Study
from study.methods.base import Method
from study.methods.labels import strength_of
from study.regularization import Regularization


def study(**keys: object) -> Study:
    regime = {
        "data": {"name": "mnist-sample", "train_size": 100, "validation_size": 50},
        "regularizations": ["none", {"name": "l1", "strength": 0.001}],
    }
    return parse({"name": "claims", "regimes": {"memorize": regime}, **keys})


def evidence(given: Study, zeros: np.ndarray, small: np.ndarray) -> Evidence:
    """Runs in which L1 has these shares of zero and of small weights more than none."""
    rows = [
        {"regime": "memorize", "clip": "none", "regularization": label, "seed": seed, "status": "ok",
         "weight_zero": 0.1 + (label != "none") * zeros[seed], "weight_small": 0.1 + (label != "none") * small[seed]}
        for label in ("none", "l1(0.001)")
        for seed in range(len(zeros))
    ]  # fmt: skip
    empty = pd.DataFrame()
    return Evidence(given, pd.DataFrame(rows), empty, empty, empty, empty)


def test_the_ledger_decides_a_claim_of_the_study() -> None:
    given = study(claims=["sparsity"])
    rng = np.random.default_rng(5)
    noise = 0.01 * rng.standard_normal((2, 10))
    table = ledger(given.claims, evidence(given, 0.5 + noise[0], 0.5 + noise[1]), seed=0)
    assert tuple(table) == LEDGER
    assert list(table["contrast_verdict"]) == ["supported", "supported"]
    assert set(table["verdict"]) == {"supported"}
    assert table["where"].str.contains("regime=memorize").all()
    half = ledger(given.claims, evidence(given, noise[0], 0.5 + noise[1]), seed=0)
    assert list(half["contrast_verdict"]) == ["contradicted", "supported"]
    assert set(half["verdict"]) == {"contradicted"}, "all of its contrasts must hold"
    assert half["p_for_adjusted"].ge(half["p_for"]).all()


def test_a_claim_about_what_the_study_has_not_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"claims\.0\.regime: The 'regime' parameter of claim 'sparsity' must name"):
        study(claims=[{"name": "sparsity", "regime": "elsewhere"}])
    with pytest.raises(ConfigError, match=r"'penalty' parameter of claim 'sparsity' must be tried in 'memorize'"):
        study(claims=[{"name": "sparsity", "penalty": "l1(0.5)"}])
    with pytest.raises(
        ConfigError, match=r"'settings' parameter of claim 'lambda_by_validation' must name tuned settings"
    ):
        study(claims=["lambda_by_validation"])
    with pytest.raises(ConfigError, match="'sparsity' twice"):
        study(claims=["sparsity", "sparsity"])


def test_every_verdict_has_a_figure_that_is_drawn() -> None:
    given = study(claims=["sparsity"])
    assert given.draws("weights", ["memorize"])
    assert not study(defaults={"grid": "alone"}).draws("heatmap", ["memorize"]), "no clip meets a regularizer there"
    assert not given.draws("sweeps", ["memorize"]), "nothing is swept"
    with pytest.raises(ConfigError, match="must have 'weights', which shows claim 'sparsity'"):
        study(claims=["sparsity"], figures=["claims"])
    assert study(claims=["sparsity"], figures=["claims", "weights"]).draws("weights", ["memorize"])
    table = ledger(given.claims, evidence(given, np.full(10, 0.5), np.full(10, 0.5)), seed=0)
    assert set(table["figure"]) == {"weights"}
    swept = study(claims=["sparsity"]).model_copy(update={"figures": ("claims",)})
    table = ledger(swept.claims, evidence(swept, np.full(10, 0.5), np.full(10, 0.5)), seed=0)
    assert set(table["figure"]) == {"claims"}, "which shows every contrast"


def test_the_evidence_is_the_values_that_the_ledger_is_taken_from() -> None:
    given = study(claims=["sparsity"])
    own = evidence(given, np.linspace(0.1, 0.5, 10), np.linspace(0.2, 0.6, 10))
    table = evidence_table(given.claims, own)
    assert tuple(table) == EVIDENCE
    parts = table.assign(part=table["weight"] * table["value"]).groupby(["claim", "contrast", "seed"], sort=False)
    means = parts["part"].sum().groupby(["claim", "contrast"], sort=False).mean()
    assert list(means) == pytest.approx(list(ledger(given.claims, own, seed=0)["estimate"]))


def claims() -> Iterator[type[Claim]]:
    yield from Claim.members.values()  # type: ignore[misc]


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.model_fields["name"].default)
def test_every_claim_says_what_is_claimed_and_where_it_looks(claim: type[Claim]) -> None:
    assert claim.statement.endswith(".") or claim.statement.endswith(").")
    assert claim.regime_fields or claim.setting_fields
    named = (*claim.regime_fields, *claim.setting_fields, *claim.clip_fields, *claim.regularization_fields)
    assert set(named) <= set(claim.model_fields)


def test_curves_ratios_and_weights_as_evidence() -> None:
    keys = {"regime": "memorize", "clip": "none", "regularization": "none", "seed": 0}
    curve = pd.DataFrame([{**keys, "epoch": e, "validation_accuracy": 0.2 * e} for e in range(5)])
    norms = pd.DataFrame(
        [
            {**keys, "tensor": t, "step": s, "norm_after": n}
            for t, n in (("in.weight", 0.1), ("out.weight", 10.0))
            for s in range(3)
        ]
    )
    even = pd.DataFrame([{**keys, "tensor": "w", "low": 1.0, "high": 1.0, "share": 1.0}])
    uneven = pd.DataFrame([{**keys, "tensor": "w", "low": x, "high": x, "share": 0.5} for x in (1e-8, 1.0)])
    given = Evidence(study(), pd.DataFrame(), curve, norms, even, pd.DataFrame())
    cell = Cell("memorize")
    assert given.epochs_to(cell, "validation_accuracy", 0.5).loc[0] == pytest.approx(np.log2(2.5))
    assert given.epochs_to(cell, "validation_accuracy", 0.95).loc[0] == pytest.approx(np.log2(11)), (
        "one more than it had"
    )
    assert given.first_to_last(cell).loc[0] == pytest.approx(-2)
    assert given.gini(cell).loc[0] == pytest.approx(0.0, abs=1e-12)
    halves = Evidence(study(), pd.DataFrame(), curve, norms, uneven, pd.DataFrame())
    assert halves.gini(cell).loc[0] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("family", "entry", "strength"),
    [
        (Regularization, {"name": "l1", "strength": 0.001}, 1e-3),
        (Regularization, {"name": "dropout", "p": 0.5, "input_p": 0.1}, 0.5),
        (Regularization, {"name": "elastic_net", "lambda1": 0.1, "lambda2": 2.0, "strength": 0.0003}, 3e-4),
        (Regularization, {"name": "elastic_net", "lambda1": 0.1, "lambda2": 2.0}, 1.0),
        (Regularization, {"name": "l2", "biases": True, "strength": 0.1}, 0.1),
        (Clipping, "zscore", 2.5),
        (Clipping, {"name": "global_norm", "max_norm": 1}, 1.0),
        (Clipping, "none", np.nan),
    ],
)
def test_the_strength_of_a_method(family: type[Method], entry: object, strength: float) -> None:
    assert strength_of(family.parse(entry)) == pytest.approx(strength, nan_ok=True)


def test_a_run_at_chance_level_counts_as_diverged_as_everywhere() -> None:
    """Three of ten runs without the clip end at chance level, whatever their loss did on the way; none with it."""
    rows = [
        {"regime": "memorize", "clip": clip, "regularization": "none", "seed": seed, "norm_max": 1.0,
         "status": "diverged" if clip == "none" and seed < 3 else "ok", "cause": "chance level"}
        for clip in ("none", "global_norm(0.1)") for seed in range(10)
    ]  # fmt: skip
    empty = pd.DataFrame()
    given = Evidence(study(), pd.DataFrame(rows), empty, empty, empty, empty)
    divergence, _ = Exploding(regimes=("memorize",)).contrasts(given)
    assert divergence.differences.mean() == pytest.approx(0.3)
    assert divergence.reached == "3 of 10 fail, 0 with the clip: 3 saved, 0 lost"
    near = replace(given, runs=given.runs.assign(train_accuracy=[0.19, *[0.9] * 19]))
    (note,) = Exploding(regimes=("memorize",)).notes(near)
    assert "training accuracy of 20 %" in note
    assert "end 1 of 20 runs in `memorize`" in note


def tuned_evidence(l2: str, labels: Sequence[str] = ("none", "l2(0.01)")) -> Evidence:
    """A setting in which tuning chose none for the clip and this label for L2, which lowers the gap by .1."""
    keys = {"regime": "memorize", "setting": "memorize", "chosen": True}
    candidates = [
        {**keys, "kind": "regularization", "method": "none", "label": "none"},
        {**keys, "kind": "regularization", "method": "l2", "label": l2},
        {**keys, "kind": "clip", "method": "none", "label": "none"},
        {**keys, "kind": "clip", "method": "global_norm", "label": "none"},
    ]
    rng = np.random.default_rng(8)
    rows = [
        {"regime": "memorize", "clip": "none", "regularization": label, "seed": seed,
         "gap_accuracy": 0.2 - 0.1 * (label != "none") + 0.0001 * rng.standard_normal(), "test_accuracy": 0.8}
        for label in labels for seed in range(10)
    ]  # fmt: skip
    curves = [{**row, "epoch": e, "validation_accuracy": 0.3 * e} for row in rows for e in range(5)]
    empty = pd.DataFrame()
    return Evidence(study(), pd.DataFrame(rows), pd.DataFrame(curves), empty, empty, pd.DataFrame(candidates))


def test_a_cell_against_itself_decides_nothing_and_a_claim_of_nothing_else_is_undecided() -> None:
    table = ledger([Efficiency(settings=("memorize",), clips=("global_norm",))], tuned_evidence("none"), seed=0)
    assert list(table["contrast_verdict"]) == ["same cell"]
    assert list(table["verdict"]) == ["undecided"], "it was contradicted where nothing was compared"
    assert table[["p_for", "p_against", "p_for_adjusted", "seeds_to_decide"]].isna().all(axis=None)
    assert list(table["settings"]) == [""]


def test_gaps_below_zero_are_not_compared() -> None:
    claim = RegularizationLowersGap(settings=("memorize",), regularizations=("l2",))
    given = tuned_evidence("l2(0.01)")
    below = replace(given, runs=given.runs.assign(gap_accuracy=given.runs["gap_accuracy"] - 0.5))
    table = ledger([claim], below, seed=0)
    assert list(table["contrast_verdict"]) == ["gaps below zero", "supported"]
    assert table["p_for"].isna().tolist() == [True, False]
    assert set(table["verdict"]) == {"supported"}, "by the accuracy that is kept"


def test_where_tuning_chose_none_the_strengths_are_told_all_the_same() -> None:
    given = tuned_evidence("none")
    candidates = given.tuning.assign(chosen=True)
    other = {**candidates.iloc[1].to_dict(), "label": "l2(0.01)", "chosen": False}
    tuning = pd.concat([candidates, pd.DataFrame([other])])
    (text,) = replace(given, tuning=tuning).untuned(["memorize"], "regularization", ["l2"])
    assert text.startswith("In `memorize` tuning chose none for `l2`; without a choice, against none in `memorize`")
    assert "`l2(0.01)` 0 [0, 0], gap −10.0 [" in text
    assert list(tuned_evidence("l2(0.01)").untuned(["memorize"], "regularization", ["l2"])) == []


def test_the_best_of_all_is_held_against_others_where_the_rule_does_not_look() -> None:
    rng = np.random.default_rng(9)
    means = {("a", "none"): 0.8, ("a", "l2(0.01)"): 0.9, ("b", "none"): 0.9, ("b", "l2(0.01)"): 0.8}
    runs = [
        {"regime": regime, "clip": "none", "regularization": label, "seed": seed,
         "test_accuracy": mean + 0.001 * rng.standard_normal()}
        for (regime, label), mean in means.items() for seed in range(10)
    ]  # fmt: skip
    tuning = [
        {"setting": regime, "regime": regime, "kind": "regularization", "method": label.split("(")[0], "label": label,
         "chosen": True}
        for regime, label in means
    ]  # fmt: skip
    tuning += [{**row, "kind": "clip", "method": "value", "label": "none"} for row in tuning if row["label"] == "none"]
    l2 = ["none", {"name": "l2", "strength": {"grid": [0.01]}}]
    regime = {"data": {"name": "mnist-sample", "validation_size": 50}, "regularizations": l2, "tuning": {"seeds": 2}}
    both = parse({"name": "claims", "regimes": {"a": regime, "b": regime}})
    empty = pd.DataFrame()
    given = Evidence(both, pd.DataFrame(runs), empty, empty, empty, pd.DataFrame(tuning))
    claim = NoneIsBest(settings=("a",), regularizations=("none", "l2"), clips=("value",))
    assert "`none` +10.0 [" in " ".join(claim.notes(given)), "in b, where the rule does not look"
    assert "in `b`" in " ".join(claim.notes(given))
    assert not any("Nor does" in text for text in NoneIsBest(settings=("a", "b"), clips=("value",),
                                                             regularizations=("none", "l2")).notes(given))  # fmt: skip


def test_a_verdict_says_what_it_rests_on() -> None:
    claim = RegularizationLowersGap(settings=("memorize",), regularizations=("l2",))
    table = ledger([claim], tuned_evidence("l2(0.01)"), seed=0)
    assert list(table["contrast_verdict"]) == ["supported", "supported"]
    assert set(table["settings"]) == {"memorize"}
    assert set(table["strengths"]) == {"l2(0.01)"}
    assert table["reached"].iloc[0] == "10.0 %, none 20.0 %"
    assert set(ledger([claim], tuned_evidence("none"), seed=0)["verdict"]) == {"undecided"}


def test_a_range_in_which_no_strength_was_tried_is_refused() -> None:
    tuned = {
        "data": {"name": "mnist-sample", "train_size": 100, "validation_size": 50},
        "regularizations": ["none", {"name": "l1", "strength": {"grid": [0.1, 0.2]}}],
        "tuning": {"seeds": 2},
    }
    claim = {"name": "lambda_by_validation", "settings": ["memorize"], "regularizations": ["l1"]}
    with pytest.raises(ConfigError, match=r"must have a strength from 0.0001 to 0.01 tried in 'memorize'"):
        parse({"name": "claims", "regimes": {"memorize": tuned}, "claims": [claim]})


@pytest.mark.parametrize(("both", "expected"), [(0.3, "supported"), (0.25, "supported"), (0.2, "contradicted")])
def test_two_that_do_the_same_lower_the_gap_by_less_than_their_sum(both: float, expected: str) -> None:
    """Dropout lowers a gap of .5 by .1 and L2 by .15: .25 together is their sum, less is what they share."""
    rng = np.random.default_rng(6)
    lowered = {"none": 0.0, "dropout(0.5)": 0.1, "l2(0.01)": 0.15, "dropout(0.5) + l2(0.01)": both}
    rows = [
        {"regime": "together", "clip": "none", "regularization": label, "seed": seed,
         "weight_norm": 1.0 + (label[0] == "d"), "gap_accuracy": 0.5 - less + 0.001 * rng.standard_normal()}
        for label, less in lowered.items() for seed in range(10)
    ]  # fmt: skip
    empty = pd.DataFrame()
    given = Evidence(study(), pd.DataFrame(rows), empty, empty, empty, empty)
    table = ledger([DropoutOtherwise()], given, seed=0).set_index("contrast")
    assert table["contrast_verdict"]["interaction"] == expected


def test_a_combination_is_held_against_the_better_one_alone() -> None:
    rng = np.random.default_rng(7)
    accuracy = {("none", "none"): 0.8, ("global_norm(0.1)", "none"): 0.9}
    accuracy |= {("none", "l2(0.01)"): 0.85, ("global_norm(0.1)", "l2(0.01)"): 0.9}
    accuracy |= {("none", "dropout(0.5)"): 0.85, ("global_norm(0.1)", "dropout(0.5)"): 0.95}
    rows = [
        {"regime": "together", "clip": clip, "regularization": label, "seed": seed,
         "test_accuracy": mean + 0.001 * rng.standard_normal()}
        for (clip, label), mean in accuracy.items() for seed in range(10)
    ]  # fmt: skip
    empty = pd.DataFrame()
    given = Evidence(study(), pd.DataFrame(rows), empty, empty, empty, empty)
    table = ledger([Combination(), Additivity()], given, seed=0).set_index(["claim", "contrast"])["contrast_verdict"]
    assert list(table["combination"]) == ["contradicted", "supported"], "L2 adds nothing to the clip, dropout does"
    assert table["combination"].index.str.endswith("against global_norm(0.1)").all()
    assert list(table["additivity"]) == ["contradicted", "supported"], "L2's .05 is lost under the clip"
