"""How strengths are chosen, as configured: fair budgets, seeds apart, and the variants that are trained for it."""

import hashlib
from collections import Counter
from typing import Any

import pytest
from cases import STUDY, variant
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from study.config.metrics import TuningByAnyMetric as Tuning
from study.config.read import ConfigError, parse
from study.config.regime import Regime
from study.config.study import MOST_SEEDS
from study.config.tuning import trained_on, unequal_budgets
from study.config.variants import RunSpec, Variant, expand, expand_tuning
from study.methods.labels import method_of

L2 = {"name": "l2", "strength": {"grid": [1e-3, 1e-2, 1e-1]}}
DROPOUT = {"name": "dropout", "p": {"grid": [0.2, 0.5, 0.8]}}
VALUE = {"name": "value", "bound": {"grid": [1.0, 0.1]}}
TUNED: dict[str, Any] = {
    "data": {"name": "mnist-sample", "train_size": 100, "validation_size": 100},
    "batch_size": 20,
    "clips": ["none", VALUE],
    "regularizations": ["none", L2, DROPOUT],
    "tuning": {"folds": 5, "seeds": 2},
}


def study(seeds: Any = 3, **regimes: dict[str, Any]) -> dict[str, Any]:
    return {"name": "a", "seeds": seeds, "regimes": regimes}


def errors(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(raw)
    return caught.value.messages


# --- settings


def test_the_least_tuning_is_hold_out_by_the_minimum_with_three_seeds_of_its_own() -> None:
    least = parse(study(x={"tuning": {}})).regimes["x"].tuning
    assert least == Tuning(folds=None, rule="minimum", seeds=(10_000, 10_001, 10_002), along=())
    assert parse(study(x={})).regimes["x"].tuning is None


@pytest.mark.parametrize(
    ("written", "seeds"), [(1, (10_000,)), (2, (10_000, 10_001)), ([7, 5], (7, 5)), (40, tuple(range(10_000, 10_040)))]
)
def test_seeds_of_the_tuning_as_a_number_or_a_list(written: Any, seeds: tuple[int, ...]) -> None:
    assert Tuning(seeds=written).seeds == seeds


def test_no_number_of_seeds_meets_those_of_the_tuning() -> None:
    """The most seeds there can be by number end where those of the tuning begin."""
    assert parse(study(MOST_SEEDS - 9_000, x={})).seeds[-1] == MOST_SEEDS - 9_001
    assert min(Tuning().seeds) >= MOST_SEEDS


def test_seeds_of_evaluation_and_tuning_are_apart() -> None:
    assert errors(study([1, 7, 8], x={}, y={"tuning": {"seeds": [8, 9, 1]}})) == [
        "seeds: The 'seeds' parameter of study must have other seeds than the tuning of regime 'y'. "
        "Got [1, 8] in both instead."
    ]


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"regularizations": ["none", L2, {"name": "dropout", "p": 0.5}]},
         ["regularizations: The 'regularizations' parameter of regime must try every method at the same number of "
          "strengths, to be tuned fairly. Got {'l2': 3, 'dropout': 1} instead."]),
        ({"clips": ["none", VALUE, "sign"],
          "regularizations": ["none", L2, [L2, {"name": "dropout", "p": 0.5}], "early_stopping"]},
         ["clips: The 'clips' parameter of regime must try every method at the same number of strengths, to be tuned "
          "fairly. Got {'value': 2, 'sign': 1} instead.",
          "regularizations: The 'regularizations' parameter of regime must try every method at the same number of "
          "strengths, to be tuned fairly. Got {'l2': 3, 'l2 + dropout': 3, 'early_stopping': 1} instead."]),
        ({"batch_size": 81},
         ["batch_size: The 'batch_size' parameter of regime must be at most 80, the number of training digits outside "
          "a fold. Got 81 instead."]),
        ({"data": {"name": "mnist-sample", "train_size": 10, "validation_size": 100}, "batch_size": 5,
          "tuning": {"folds": 11}},
         ["tuning: The 'tuning' parameter of regime must have at most 10 folds, the number of training digits. "
          "Got 11 instead."]),
        ({"tuning": {"along": ["optimizer.lr"]}},
         ["tuning: The 'tuning' parameter of regime must go along keys of the regime's sweep, which are none. "
          "Got 'optimizer.lr' instead."]),
        ({"tuning": {"along": ["lr"]}, "sweep": {"optimizer.lr": [0.1], "epochs": [2]}},
         ["tuning: The 'tuning' parameter of regime must go along keys of the regime's sweep, which are "
          "'optimizer.lr', 'epochs'. Got 'lr' instead."]),
        ({"tuning": "yes"}, ["tuning: The tuning section must be a mapping of parameters. Got 'yes' instead."]),
        ({"tuning": {"folds": 1, "rule": "best", "seed": 3}},
         ["tuning.folds: The 'folds' parameter of tuning must be a whole number from 2 to 20, or null for hold-out. "
          "Got 1 instead.",
          "tuning.rule: The 'rule' parameter of tuning must be 'minimum' or 'one_standard_error'. Got 'best' instead.",
          "tuning.seed: The 'seed' parameter of tuning is not known; it has 'folds', 'rule', 'seeds', 'along', "
          "'metric', 'trials', 'design_seed', 'ranges', 'widened'. Did you mean 'seeds'?"]),
    ],
)  # fmt: skip
def test_what_cannot_be_tuned(changes: dict[str, Any], messages: list[str]) -> None:
    regime = {key: value for key, value in {**TUNED, **changes}.items() if value is not None}
    assert errors(study(x=regime)) == [f"regimes.x.{message}" for message in messages]


def test_what_is_not_tuned_needs_no_equal_budgets_and_full_batches_alone() -> None:
    one = {"regularizations": ["none", L2, {"name": "dropout", "p": 0.5}], "batch_size": 100, "tuning": None}
    assert parse(study(x={**TUNED, **one})).regimes["x"].steps == 10


METHODS = st.sampled_from(["l1(%d)", "l2(%d)", "value(bound=%d, low=-2)", "l1(%d) + dropout(0.5)", "zscore"])


@given(st.lists(st.tuples(METHODS, st.integers(0, 9)), max_size=8), st.booleans())
def test_budgets_are_equal_where_each_method_comes_as_often_as_any_other(
    drawn: list[tuple[str, int]], with_none: bool
) -> None:
    labels = [method % number if "%" in method else method for method, number in drawn]
    often = Counter(method for method, _ in drawn)
    found = unequal_budgets([*labels, "none"] if with_none else labels)
    assert (found is None) == (len(set(often.values())) <= 1)
    assert found is None or sorted(found.values()) == sorted(often.values())


def test_budgets_are_counted_by_method() -> None:
    assert unequal_budgets(["none", "l1(1)", "l1(2)", "l1(1) + dropout(0.5)"]) == {"l1": 2, "l1 + dropout": 1}
    assert [method_of(label) for label in ("l1(1) + dropout(p=0.5, input_p=0.1)", "none")] == ["l1 + dropout", "none"]


@given(size=st.integers(10, 500), folds=st.integers(2, 20))
def test_digits_outside_a_fold_are_the_fewest_that_scikit_learn_leaves(size: int, folds: int) -> None:
    if folds <= size:
        assert trained_on(size, folds) == min(len(train) for train, _ in KFold(folds).split(range(size)))
    assert trained_on(size, None) == size


# --- what is chosen along a sweep

SWEEP = {"optimizer.lr": [0.1, 1.0], "depth": {"flat": {}, "deep": {"model": {"name": "mlp", "hidden": [9, 9]}}}}


@pytest.mark.parametrize(
    ("along", "settings"),
    [
        ([], [None] * 4),
        (["optimizer.lr"], ["x_depth=flat", "x_depth=deep"] * 2),
        (["depth"], ["x_lr=0.1"] * 2 + ["x_lr=1"] * 2),
        (["depth", "optimizer.lr"], ["x"] * 4),
    ],
)
def test_a_setting_is_the_sweep_at_the_points_that_are_not_tuned_along(along: list[str], settings: list[Any]) -> None:
    found = parse(study(x={**TUNED, "sweep": SWEEP, "tuning": {"along": along}})).regimes
    assert [regime.setting for regime in found.values()] == settings


def test_a_regime_without_tuning_or_by_itself_is_its_own_setting() -> None:
    assert Regime().setting is None
    assert {one.setting for one in parse(study(x={"sweep": SWEEP})).regimes.values()} == {None}


# --- variants


def test_each_method_is_tuned_alone_by_its_scores_in_folds() -> None:
    """The cells that a choice looks at: where methods meet, nothing is chosen."""
    given = parse({**study(x=TUNED, y={}, z={**TUNED, "tuning": {}}), "statistics": {"windows": 50, "probes": 4}})
    tuning, evaluation = expand_tuning(given), expand(given)
    alone = [("none", label) for label in given.regimes["x"].regularization_labels]
    alone += [(label, "none") for label in ("value(1)", "value(0.1)")]
    assert [(v.regime, v.clip_label, v.regularization_label) for v in tuning] == [
        (regime, *cell) for regime in ("x", "z") for cell in alone
    ]
    assert [v.folds for v in tuning] == [5] * len(alone) + [None] * len(alone)
    assert {(v.statistics.every_step, v.statistics.probes, v.statistics.windows) for v in tuning} == {(False, 0, 50)}
    assert {(v.folds, v.statistics) for v in evaluation} == {(None, given.statistics)}
    assert len(evaluation) == 2 * 3 * 7 + 1
    assert not {v.digest for v in tuning} & {v.digest for v in evaluation}
    shared = {"data", "model", "loss", "optimizer", "schedule", "epochs", "batch_size", "device"}
    evaluated = {(v.regime, v.clip_label, v.regularization_label): v for v in evaluation}
    for v in tuning:
        twin = evaluated[v.regime, v.clip_label, v.regularization_label]
        assert v.model_dump(include=shared) == twin.model_dump(include=shared)


def test_nothing_is_trained_for_a_study_without_tuning() -> None:
    assert expand_tuning(parse(study(x={}))) == ()


def test_a_folded_variant_is_read_back_from_its_json() -> None:
    for v in (*expand_tuning(parse(STUDY)), variant(folds=5), variant()):
        back = Variant.model_validate_json(v.model_dump_json())
        assert (back, back.folds, back.digest, back.slug) == (v, v.folds, v.digest, v.slug)


@pytest.mark.parametrize(("folds", "steps"), [(None, 5), (2, 2), (3, 3), (5, 4), (20, 4)])
def test_steps_of_a_folded_variant_are_those_of_the_digits_outside_a_fold(folds: int | None, steps: int) -> None:
    assert variant(folds=folds, epochs=3).steps == 3 * steps


def test_runs_of_folds_have_identities_of_their_own() -> None:
    runs = [RunSpec(variant(folds=2), seed, fold) for seed in range(3) for fold in (0, 1)]
    runs += [RunSpec(v, seed) for v in (variant(), variant(folds=2), variant(folds=3)) for seed in range(30)]
    assert len({run.digest for run in runs}) == len(runs)


BEFORE_FOLDS: dict[str, Any] = {
    "name": "pinned",
    "statistics": {"probes": 6, "curve_samples": 1000},  # the defaults of then
    "defaults": {
        "clips": ["none", {"name": "value", "bound": 0.01}, {"name": "adaptive_unit", "ratio": 0.01}],
        "regularizations": [
            "none",
            {"name": "l2", "strength": 0.01},
            [{"name": "dropout", "p": 0.5}, "early_stopping"],
        ],
    },
    "regimes": {
        "memorize": {"data": {"train_size": 2000, "label_noise": 0.2}, "optimizer": {"name": "sgd", "lr": 0.02}},
        "adaptive": {"optimizer": "adamw", "schedule": "cosine", "model": "lenet", "loss": "squared_error"},
    },
}


def test_digests_of_variants_without_folds_are_what_they_were() -> None:
    """Pinned before there were folds: another digest means that every run stored so far would be trained again."""
    variants = expand(parse(BEFORE_FOLDS))
    digests = "".join(v.digest for v in variants).encode()
    assert len(variants) == 18
    assert hashlib.sha256(digests).hexdigest() == "97ec75e5862268f6ca40966e4e21f42e8823eb7dc8d8ffb5ed028662911108cd"
    assert RunSpec(variants[0], 7).digest == "f27e491b906e1b4c1becf7f9f3c90a572c5fa34d4b05436d75bad99d42a4c063"
