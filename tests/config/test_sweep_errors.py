"""What is wrong with presets, sweeps and grids is said at once, and named where it stands."""

import re
from typing import Any

import pytest

from study.config.read import ConfigError, parse
from study.config.sweeps import presets
from study.models.mlp import MLP


def errors(defaults: dict[str, Any] | None = None, **given: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse({"name": "a", "defaults": defaults, "regimes": given})
    return caught.value.messages


def errors_of(**given: Any) -> list[str]:
    return errors(x=given)


def places(messages: list[str]) -> list[str]:
    return [message.partition(":")[0] for message in messages]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"from": "memorise"},
         "from: The 'from' parameter of regime must name presets out of {presets}. Got 'memorise' instead. "
         "Did you mean 'memorize'?"),
        ({"from": ["adam", 3]},
         "from: The 'from' parameter of regime must be the name of a preset, or a list of names. "
         "Got ['adam', 3] instead."),
        ({"from": None},
         "from: The 'from' parameter of regime must be the name of a preset, or a list of names. Got None instead."),
        ({"sweep": [1]},
         "sweep: The 'sweep' parameter of regime must be a mapping from keys to lists of values, or from names to "
         "named points. Got [1] instead."),
        ({"sweep": {}},
         "sweep: The 'sweep' parameter of regime must be a mapping from keys to lists of values, or from names to "
         "named points. Got {{}} instead."),
        ({"sweep": {"optimizer.lr": 0.1}},
         "sweep.optimizer.lr: The 'sweep' parameter of regime must have a list of values, or a mapping of points, for "
         "'optimizer.lr'. Got 0.1 instead."),
        ({"sweep": {"epochs": []}},
         "sweep.epochs: The 'sweep' parameter of regime must have a list of values, or a mapping of points, for "
         "'epochs'. Got [] instead."),
        ({"sweep": {"depth": {"a": {"epochs": 3}, "b": 3}}},
         "sweep.depth: The 'sweep' parameter of regime must have a list of values, or a mapping of points, for "
         "'depth'. Got {{'a': {{'epochs': 3}}, 'b': 3}} instead."),
        ({"sweep": {"optimizer.lr": [0.1, 1, 0.1]}},
         "sweep.optimizer.lr: The 'sweep' parameter of regime must have different values for 'optimizer.lr'. "
         "Got ['0.1', '1', '0.1'] instead."),
        ({"sweep": {"optimizer.lr": [0.1, -1]}},
         "sweep.optimizer.lr: The 'lr' parameter of optimizer 'sgd' must be a positive number. Got -1 instead."),
        ({"sweep": {"optimizer.lr": [0.1], "epochs": [1, 2, 0]}},
         "sweep.epochs: The 'epochs' parameter of regime must be a whole number of at least 1. Got 0 instead."),
        ({"sweep": {"optimizer": ["adam", "adan"]}},
         "sweep.optimizer: The 'name' parameter of optimizer must be one of 'adam', 'adamw', 'rmsprop', 'sgd'. "
         "Got 'adan' instead. Did you mean 'adam'?"),
        ({"sweep": {"model.hidden": [[5], [5, 0]]}},
         "sweep.model.hidden: The 'hidden' parameter of model 'mlp' must be {hidden}. Got 0 instead."),
        ({"sweep": {"depth": {"a": {"model": "mlp"}, "b": {"model": {"name": "mlp", "hidden": 3}}}}},
         "sweep.depth.b.model.hidden: The 'hidden' parameter of model 'mlp' must be {hidden}. Got 3 instead."),
        ({"sweep": {"rate": {"high": {"optimizer": {"name": "sgd"}}}}},
         "sweep.rate.high.optimizer.lr: The 'lr' parameter of optimizer 'sgd' must be a positive number. "
         "Got nothing instead."),
        ({"epochs": 0, "sweep": {"optimizer.lr": [0.1, 1]}},
         "epochs: The 'epochs' parameter of regime must be a whole number of at least 1. Got 0 instead."),
        ({"from": "sizes", "data": {"name": "mnist-sample", "validation_size": 100}, "batch_size": 10},
         "from: The 'train_size' parameter of data must be at most 900, what validation_size leaves "
         "of the 1000 of 'mnist-sample'. Got {size} instead."),
        ({"clips": ["none", {"name": "value", "bound": {"grid": [1, 2]}}, {"name": "value", "bound": {"grid": [-4]}}]},
         "clips.2.bound: The 'bound' parameter of clipping 'value' must be a positive number. Got -4 instead."),
        ({"clips": ["none", {"name": "value", "bound": {"grid": []}}]},
         "clips.1.bound: The 'bound' parameter of clipping 'value' must be a positive number. "
         "Got {{'grid': []}} instead."),
        ({"regularizations": ["none", {"name": "l2", "strength": {"grid": [1, 2, 3]}},
                              [{"name": "l1", "strength": 1}, {"name": "dropout", "p": {"grid": [0.5, 1]}}]]},
         "regularizations.2.1.p: The 'p' parameter of regularization 'dropout' must be a number from 0 to below 1. "
         "Got 1 instead."),
        ({"regularizations": ["none", [{"name": "l1", "strength": {"grid": [1, 2]}}, "dropout"]]},
         "regularizations.1.1.p: The 'p' parameter of regularization 'dropout' must be a number from 0 to below 1. "
         "Got nothing instead."),
    ],
)  # fmt: skip
def test_faults_are_named_where_they_stand(given: dict[str, Any], message: str) -> None:
    words = {
        "presets": ", ".join(f"'{name}'" for name in presets()),
        "hidden": next(item.be for item in MLP.model_fields["hidden"].metadata if hasattr(item, "be")),
    }
    sizes = (2000, 8000, 32000, 55000) if "{size}" in message else (None,)
    assert errors_of(**given) == [f"regimes.x.{message.format(**words, size=size)}" for size in sizes]


def test_faults_of_a_sweep_or_a_grid_in_the_defaults_are_named_there_and_once() -> None:
    defaults = {
        "sweep": {"epochs": [1, 0], "kind": {"a": {"batch_size": 0}}},
        "clips": ["none", {"name": "value", "bound": {"grid": [1, 2]}}, {"name": "sign", "magnitude": {"grid": [0]}}],
    }
    assert sorted(places(errors(defaults, x={}, y=None))) == [
        "defaults.clips.2.magnitude",
        "defaults.sweep.epochs",
        "defaults.sweep.kind.a.batch_size",
    ]
    assert places(errors({"sweep": 3}, x={}, y={})) == ["defaults.sweep"]
    assert places(errors({"from": "memorise"}, x={}, y={})) == ["defaults.from"]
    own = errors(defaults, x={"sweep": {"epochs": [3, 0]}}, y={"clips": ["none", {"name": "value", "bound": 0}]})
    assert {"regimes.x.sweep.epochs", "regimes.y.clips.1.bound", "defaults.sweep.epochs"} < set(places(own))


def test_a_regime_beside_a_sweep_that_starts_with_its_name_keeps_its_faults() -> None:
    sweep = {"epochs": [1, 0]}
    assert places(errors(a={"sweep": {"epochs": [1]}}, a_b={"sweep": sweep})) == ["regimes.a_b.sweep.epochs"]
    assert places(errors(a={"sweep": {"epochs": [1]}}, a_b={"epochs": 0})) == ["regimes.a_b.epochs"]


@pytest.mark.parametrize("first", ["x", "x_epochs=1"])
def test_a_sweep_takes_no_regimes_place(first: str) -> None:
    given = {"x": {"sweep": {"epochs": [1, 2]}}, "x_epochs=1": {"epochs": 9}}
    assert errors(**{name: given[name] for name in sorted(given, key=lambda name: name != first)}) == [
        "regimes.x.sweep: The 'sweep' parameter of regime must make regimes by other names than those there are. "
        "Got 'x_epochs=1' instead."
    ]


def test_an_axis_whose_name_makes_no_regimes_name_is_refused_where_it_stands() -> None:
    assert errors_of(sweep={"Größe": {"a": {"epochs": 3}}}) == [
        "regimes.x.sweep.Größe: The 'sweep' parameter of regime must vary keys, or names of lower-case letters, "
        "digits, '-', '_' and '.'. Got 'Größe' instead."
    ]
    (message,) = errors_of(sweep={"a" * 99: {"a": {"epochs": 3}}})
    assert message.startswith("regimes.x.sweep: The 'regimes' parameter of study must be a mapping from names")


def test_a_preset_that_is_not_there_hides_no_other_fault() -> None:
    found = places(errors({"epochs": 0}, x={"from": "memorise"}, y={"sweep": 3}, z={"batch_size": 0}))
    assert found == ["regimes.x.from", "regimes.y.sweep", "defaults.epochs", "regimes.z.batch_size"]


def test_faults_of_presets_and_sweeps_hide_no_other_fault_of_their_regime() -> None:
    sweep = {"optimizer.lr": [], "epochs": [1, 0], "batch_size": 3}
    assert sorted(places(errors_of(**{"from": ["adan", "small"], "sweep": sweep, "clips": ["nine"], "swep": {}}))) == [
        "regimes.x.clips.0",
        "regimes.x.from",
        "regimes.x.sweep.batch_size",
        "regimes.x.sweep.epochs",
        "regimes.x.sweep.optimizer.lr",
        "regimes.x.swep",
    ]


def test_what_a_missing_preset_or_axis_would_have_given_is_not_asked_for() -> None:
    assert places(errors_of(**{"from": "memorise", "optimizer": {"lr": 3}})) == ["regimes.x.from"]
    tuning = {"along": ["optimizer.lr"], "seeds": 1}
    assert places(errors_of(sweep={"optimizer.lr": 3}, tuning=tuning)) == ["regimes.x.sweep.optimizer.lr"]


def test_what_sweeps_write_is_left_to_them() -> None:
    assert places(errors({"at": {"epochs": 3}}, x={"part_of": "y"})) == ["defaults.at", "regimes.x.part_of"]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"sweep": {"epochs": list(range(1, 1001)), "batch_size": list(range(1, 1001))}}, "sweep"),
        ({"clips": ["none", {"name": "value", "bound": {"grid": [0.1] * 10**6}}]}, "clips"),
        ({"clips": ["none", *[{"name": "value", "bound": {"grid": [0.1] * 1000}}] * 1000]}, "clips"),
    ],
)
def test_a_grid_that_no_machine_could_train_is_refused_before_it_is_written_out(
    given: dict[str, Any], place: str
) -> None:
    (message,) = errors_of(**given)
    assert message.startswith(f"regimes.x.{place}: The '{place}' parameter of regime must ")
    assert "make at most" in message
    assert "to stay within the study's 'max_core_hours'. Got 100" in message


def test_a_study_longer_than_it_may_be_is_refused_with_its_forecast() -> None:
    raw = {"name": "a", "regimes": {"x": {"epochs": 10**7}}}
    with pytest.raises(ConfigError) as caught:
        parse(raw)
    (message,) = caught.value.messages
    said = re.fullmatch(
        r"max_core_hours: The 'max_core_hours' parameter of study must be at least ([\d,]+), the forecast of all that "
        r"the study trains. Got 1000 instead. Raise it, or ask for less.", message,
    )  # fmt: skip
    assert said
    assert parse({**raw, "max_core_hours": int(said[1].replace(",", ""))}).max_core_hours > 1000
