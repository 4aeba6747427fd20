"""A configuration is read whole: defaults merged into regimes, seeds counted, numbers taken from text."""

import copy
from typing import Any

import jsonschema
import pytest
from cases import STUDY

from study.clipping.global_norm import GlobalNorm
from study.clipping.value import Value
from study.config.data import Data
from study.config.fields import combined_label
from study.config.read import ConfigError, parse
from study.config.regime import Regime
from study.config.schema import json_schema
from study.config.sweeps import merge
from study.config.variants import Variant
from study.models.mlp import MLP
from study.optim.optimizers import SGD, Adam
from study.regularization.l2 import L2


def study(**regime: Any) -> dict[str, Any]:
    """A study with one regime called `x`."""
    return {"name": "a", "regimes": {"x": regime}}


@pytest.mark.parametrize(
    ("given", "train", "validation"),
    [
        (0.2, 0.2, 0),
        ({"train": 0.2}, 0.2, 0),
        ({"train": 0.2, "validation": 0.1}, 0.2, 0.1),
        ({"validation": 0.1}, 0, 0.1),
    ],
)
def test_label_noise_of_both_parts(given: object, train: float, validation: float) -> None:
    data = Data.model_validate({"label_noise": given})
    assert (data.wrong_labels.train, data.wrong_labels.validation) == (train, validation)
    assert Data.model_validate_json(data.model_dump_json()) == data
    assert isinstance(data.label_noise, float) == (not validation), "what is the same has one form, and one digest"


def test_a_full_configuration() -> None:
    s = parse(STUDY)
    assert (s.name, s.seeds, s.seeds_per_job, s.statistics.probes) == ("example", (4, 2), 5, 3)
    plain, noisy, adaptive, *swept = s.regimes.values()
    assert plain.optimizer == SGD(lr=0.1, momentum=0.9)
    assert plain.model == MLP(hidden=(64, 32), activation="tanh", init="xavier")
    assert plain.clips[1] == GlobalNorm(max_norm=0.5)
    assert noisy.optimizer == SGD(lr=0.5, momentum=0.9), "defaults are merged key by key"
    assert (noisy.data.name, noisy.data.validation_size, noisy.data.trained_on) == ("mnist-sample", 200, 500)
    assert noisy.regularizations[1][0] == L2(strength=0.1), "lists are replaced"
    assert combined_label(noisy.regularizations[1]) == "l2(0.1) + dropout(0.5)"
    assert adaptive.optimizer == Adam(), "another method takes nothing from the default one"
    assert adaptive.clips[1] == Value(bound=0.001), "text that is a number is a number"
    assert (plain.data.trained_on, plain.steps, noisy.steps) == (800, 10 * (800 // 64), 3 * (500 // 50))
    assert list(s.regimes)[3:] == [f"swept_lr={lr}_depth={depth}" for lr in (0.001, 0.01) for depth in ("flat", "deep")]
    assert {regime.tuning.folds for regime in swept if regime.tuning} == {5}


def test_the_least_configuration_is_the_tutorials_setting() -> None:
    regime = parse(study()).regimes["x"]
    assert regime.model == MLP(hidden=(128,), activation="relu", init="pytorch")
    assert regime.optimizer == SGD(lr=0.01)
    assert (regime.epochs, regime.batch_size, regime.loss.name) == (10, 64, "cross_entropy")
    assert [c.label for c in regime.clips] == ["none"]
    assert [combined_label(r) for r in regime.regularizations] == ["none"]


@pytest.mark.parametrize(("given", "seeds"), [(3, (0, 1, 2)), (1, (0,)), ([3, 1, 8], (3, 1, 8)), ([0], (0,))])
def test_seeds_as_a_number_or_a_list(given: Any, seeds: tuple[int, ...]) -> None:
    assert parse({**study(), "seeds": given}).seeds == seeds


@pytest.mark.parametrize("raw", [{}, None])
def test_empty_defaults_are_none(raw: Any) -> None:
    assert parse({**study(), "defaults": raw}) == parse(study())


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": 2, "b": 3}, {"a": 2, "b": 3}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"o": {"name": "sgd", "lr": 1}}, {"o": {"name": "adam"}}, {"o": {"name": "adam"}}),
        ({"o": {"name": "sgd", "lr": 1}}, {"o": {"name": "sgd", "momentum": 0.9}},
         {"o": {"name": "sgd", "lr": 1, "momentum": 0.9}}),
        ({"o": {"name": "sgd", "lr": 1}}, {"o": "adam"}, {"o": "adam"}),
        ({"o": "sgd"}, {"o": {"name": "adam"}}, {"o": {"name": "adam"}}),
        ({"o": {"lr": 1}}, {"o": {"name": "adam"}}, {"o": {"lr": 1, "name": "adam"}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"data": {"name": "mnist", "train_size": 500}}, {"data": {"name": "fashion-mnist"}},
         {"data": {"name": "fashion-mnist", "train_size": 500}}),
    ],
)  # fmt: skip
def test_merge(base: dict[str, Any], over: Any, merged: Any) -> None:
    before = copy.deepcopy(base)
    assert merge(base, over) == merged
    assert base == before


def test_the_schema_admits_what_is_read_and_refuses_what_is_not() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    full = copy.deepcopy(STUDY)
    full["regimes"]["plain"] = {}
    full["regimes"]["noisy"]["optimizer"]["name"] = "sgd"  # a mapping merged into the default one needs a name there
    full["regimes"]["adaptive"]["clips"][1]["bound"] = 1e-3  # what an editor's YAML 1.2 reads
    assert [error.message for error in check.iter_errors(full)] == []
    assert check.is_valid({**full, "seeds": 10})
    for wrong in (
        {**full, "seeds": 0},
        {**full, "sedes": 3},
        study(optimizer={"name": "sgd", "lr": 0}),
        study(clips=["none", {"name": "value", "bound": -1}]),
        study(regularizations=[[]]),
        study(regularizations=["non"]),
        study(data={"label_noise": 1}),
        study(clips=["none", {"name": "value", "bound": {"grid": []}}]),
        study(clips=["none", {"name": "value", "bound": {"grid": [1, -1]}}]),
        study(sweep={"optimizer.lr": 0.1}),
        study(sweep={}),
        study(**{"from": "memorise"}),
        study(tuning={"seeds": 0}),
    ):
        with pytest.raises(ConfigError):
            parse(wrong)
        assert not check.is_valid(wrong), wrong


def test_every_key_of_a_regime_reaches_its_trainings() -> None:
    """A key that a variant lacks is the grid's or the tuning's own business, or it is ignored."""
    of_the_grid = {"grid", "clips", "regularizations", "pairs", "tuning", "part_of", "at", "description"}
    assert set(Regime.model_fields) - set(Variant.model_fields) == of_the_grid
