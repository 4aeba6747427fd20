"""Presets, sweeps and grids stand for what one would write out by hand."""

import copy
import math
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.config.fields import combined_label
from study.config.read import parse
from study.config.regime import Regime
from study.config.study import Study
from study.config.sweeps import of_grid, origins, point_name, presets, with_grids
from study.models.mlp import MLP
from study.optim.optimizers import SGD, Adam


def regimes(defaults: dict[str, Any] | None = None, **given: Any) -> dict[str, Regime]:
    return parse({"name": "a", "defaults": defaults, "regimes": given}).regimes


def regime(**given: Any) -> Regime:
    """A regime without a sweep."""
    return regimes(x=given)["x"]


# --- presets


def test_shares_of_wrong_labels_are_laid_over_each_other_by_part() -> None:
    found = regimes(
        x={"data": {"label_noise": 0.2}, "sweep": {"data.label_noise.validation": [0.0, 0.1]}},
        y={"data": {"label_noise": {"train": 0.3, "validation": 0.3}}, "sweep": {"data.label_noise.train": [0.1]}},
    )
    both = [(one.data.wrong_labels.train, one.data.wrong_labels.validation) for one in found.values()]
    assert both == [(0.2, 0.0), (0.2, 0.1), (0.1, 0.3)]


def test_a_preset_is_what_it_says_written_out() -> None:
    unstable = regime(
        description="2,000 digits at a learning rate at which the net collapses when nothing helps it.",
        data={"name": "mnist", "train_size": 2000, "validation_size": 1000},
        optimizer={"name": "sgd", "lr": 2.0},
        batch_size=64,
        epochs=20,
    )
    assert regime(**{"from": "unstable"}) == regime(**{"from": ["unstable"]}) == unstable


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_a_regime_or_a_sweep_by_itself(name: str) -> None:
    found = regimes(x={"from": name})
    swept = "sweep" in presets()[name]
    assert (len(found) > 1) == swept
    assert {one.part_of for one in found.values()} == {"x" if swept else ""}


@pytest.mark.parametrize("first", presets())
def test_any_preset_goes_on_any_other(first: str) -> None:
    others = [name for name in presets() if name != first]
    found = regimes(**{name: {"from": [first, name]} for name in others})
    for name in others:
        axes = {**presets()[first].get("sweep", {}), **presets()[name].get("sweep", {})}
        made = [one for key, one in found.items() if name in (key, one.part_of)]
        assert len(made) == math.prod(map(len, axes.values()))


WITHOUT_SWEEP = [name for name, preset in presets().items() if "sweep" not in preset]


@pytest.mark.parametrize("name", WITHOUT_SWEEP)
def test_all_that_a_preset_says_is_as_it_is_alone_whatever_it_is_laid_on(name: str) -> None:
    alone = regime(**{"from": name})
    for below in (*WITHOUT_SWEEP, {"optimizer": {"name": "sgd", "lr": 7, "momentum": 0.7}}):
        on = regime(**{"from": [below, name]}) if isinstance(below, str) else regimes(below, x={"from": name})["x"]
        for key, value in presets()[name].items():
            if key == "data":
                assert {k: getattr(on.data, k) for k in value} == {k: getattr(alone.data, k) for k in value}
            else:
                assert getattr(on, key) == getattr(alone, key), (below, key)


@pytest.mark.parametrize("below", ["memorize", "momentum", "adam", "unstable"])
def test_the_optimizers_of_the_sweep_are_those_of_the_presets(below: str) -> None:
    for name, swept in regimes(x={"from": [below, "optimizers"]}).items():
        assert swept.optimizer == regime(**{"from": name.removeprefix("x_optimizer=")}).optimizer


def test_later_presets_lie_on_earlier_ones_the_regimes_own_keys_on_all_and_all_on_the_defaults() -> None:
    found = regimes(
        {"epochs": 3, "batch_size": 10, "loss": "squared_error"},
        x={"from": ["memorize", "adam"], "data": {"label_noise": 0.4}},
        y={"from": ["adam", "memorize"], "optimizer": {"lr": 0.5}, "epochs": 2},
    )
    x, y = found["x"], found["y"]
    assert (x.optimizer, y.optimizer) == (Adam(lr=0.001), SGD(lr=0.5, momentum=0.9))
    assert (x.data.train_size, x.data.label_noise, x.epochs, x.batch_size, x.loss.name) == (
        2000, 0.4, 40, 64, "squared_error",
    )  # fmt: skip
    assert y.epochs == 2


def test_other_digits_keep_their_number_and_their_noise() -> None:
    digits = regime(**{"from": ["memorize", "fashion"]}).data
    assert (digits.name, digits.trained_on, digits.label_noise) == ("fashion-mnist", 2000, 0.2)


def test_the_defaults_may_start_from_presets_too() -> None:
    found = regimes({"from": "memorize", "epochs": 3}, x={}, y={"from": "adam"})
    assert found["x"] == regime(**{"from": "memorize", "epochs": 3})
    assert found["y"] == regime(**{"from": ["memorize", "adam"], "epochs": 3})


# --- sweeps


@given(
    epochs=st.lists(st.integers(1, 99), min_size=1, max_size=4, unique=True),
    rates=st.lists(st.sampled_from([1e-6, 0.001, 0.5, 1.0, 3, 1e6]), min_size=1, max_size=4, unique=True),
)
def test_a_sweep_is_every_combination_of_its_values(epochs: list[int], rates: list[float]) -> None:
    found = regimes(x={"batch_size": 7, "sweep": {"epochs": epochs, "optimizer.lr": rates}})
    assert [(one.epochs, one.optimizer.lr) for one in found.values()] == list(product(epochs, rates))
    for name, one in found.items():
        assert (one.part_of, one.at) == ("x", {"epochs": one.epochs, "optimizer.lr": one.optimizer.lr})
        assert one.batch_size == 7
        assert name == f"x_epochs={one.epochs}_lr={one.optimizer.lr:g}".replace("+", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"), (1.0, "1"), (100, "100"), (1e-6, "1e-06"), (1e6, "1e06"), (-2, "-2"), (-0.5, "-0.5"),
        ("XAVIER", "xavier"), (None, "none"), (True, "true"), ([50, 50], "50x50"), ([], "point"),
        ({"name": "he"}, "he"), ({}, "point"), ("é", "point"), ("../up", "up"),
    ],
)  # fmt: skip
def test_a_value_in_a_name(value: object, text: str) -> None:
    assert point_name("x", {"a.b": value, "c": 1}) == f"x_b={text}_c=1"


def test_values_of_any_kind_are_swept() -> None:
    hidden = regimes(x={"sweep": {"model.hidden": [[50], [50, 50]]}})
    assert {name: one.model.hidden for name, one in hidden.items()} == {
        "x_hidden=50": (50,),
        "x_hidden=50x50": (50, 50),
    }
    assert [one.at for one in hidden.values()] == [{"model.hidden": "50"}, {"model.hidden": "50x50"}]
    optimizers = regimes(x={"sweep": {"optimizer": ["adam", {"name": "sgd", "lr": 3}]}})
    assert {name: one.optimizer for name, one in optimizers.items()} == {
        "x_optimizer=adam": Adam(),
        "x_optimizer=sgd": SGD(lr=3),
    }
    nesterov = regimes(x={"from": "momentum", "sweep": {"optimizer.nesterov": [True, False]}})
    assert {name: one.optimizer.nesterov for name, one in nesterov.items()} == {
        "x_nesterov=true": True,
        "x_nesterov=false": False,
    }
    sizes = regimes(x={"sweep": {"data.train_size": [500, None]}})
    assert [one.data.train_size for one in sizes.values()] == [500, None]


@pytest.mark.parametrize(
    ("given", "axis", "value"),
    [
        ({}, "optimizer.lr", 0.25),
        ({"optimizer": "adam"}, "optimizer.lr", 0.25),
        ({"optimizer": {"name": "adam", "beta1": 0.5}}, "optimizer.lr", 0.25),
        ({}, "optimizer.momentum", 0.25),
        ({}, "model.activation", "tanh"),
        ({"model": "row_rnn"}, "model.units", 9),
        ({"schedule": "cosine"}, "schedule.final", 0.25),
        ({"model": {"name": "mlp", "init": "normal"}}, "model.init.std", 0.25),
    ],
)
def test_a_parameter_is_swept_of_the_method_there_is(given: dict[str, Any], axis: str, value: Any) -> None:
    """Given with its parameters, by its name alone, or not at all."""
    (swept,) = regimes(x={**given, "sweep": {axis: [value]}}).values()
    family, *path = axis.split(".")
    plain = regime(**given)
    expected = getattr(plain, family)
    for part in path:
        expected = expected.model_copy(update={part: value}) if part == path[-1] else getattr(expected, part)
    found = getattr(swept, family)
    assert (found.init if path[0] == "init" else found) == expected
    assert swept.model_copy(update={family: getattr(plain, family), "part_of": "", "at": {}}) == plain


def test_named_points_lay_anything_over_the_regime() -> None:
    points = {"quiet": {"epochs": 2, "data": {"label_noise": 0.0}}, 7: {"model": {"hidden": [7]}}}
    given = {"epochs": 5, "data": {"label_noise": 0.5}, "model": {"name": "mlp", "activation": "tanh"}}
    quiet, seven = regimes(x={**given, "sweep": {"kind": points}}).values()
    assert (quiet.epochs, quiet.data.label_noise, quiet.at) == (2, 0.0, {"kind": "quiet"})
    assert (seven.epochs, seven.model, seven.at) == (5, MLP(hidden=(7,), activation="tanh"), {"kind": 7})


@pytest.mark.parametrize("order", permutations(["optimizers", "decades"]))
def test_no_axis_undoes_another_in_whatever_order(order: tuple[str, ...]) -> None:
    found = regimes(x={"from": list(order)})
    assert len(found) == 5 * 6
    for one in found.values():
        assert one.at["optimizer.lr"] == one.optimizer.lr
        assert one.at["optimizer"] == ("momentum" if getattr(one.optimizer, "momentum", 0) else one.optimizer.name)


def test_axes_of_defaults_presets_and_regime_are_put_together() -> None:
    x = {"from": "label_noise", "sweep": {"data.label_noise": [0.1]}}
    found = regimes({"sweep": {"epochs": [1, 2]}}, x=x, y={})
    assert list(found) == ["x_epochs=1_label_noise=0.1", "x_epochs=2_label_noise=0.1", "y_epochs=1", "y_epochs=2"]


def test_what_a_sweep_makes_is_read_back_from_its_json() -> None:
    study = parse({"name": "a", "regimes": {"x": {"from": ["depths_and_initialisations", "decades"]}}})
    again = Study.model_validate_json(study.model_dump_json())
    assert again == study
    assert [type(v) for one in again.regimes.values() for v in one.at.values()] == [
        type(v) for one in study.regimes.values() for v in one.at.values()
    ]


# --- grids

VALUES = st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True)
ENTRIES = st.fixed_dictionaries(
    {"name": st.sampled_from("abc")},
    optional={key: st.integers(1, 9) | VALUES.map(lambda values: {"grid": values}) for key in "pqr"},
)


def slowly(entry: Any) -> list[Any]:
    """Every way to take one value of each grid."""
    if isinstance(entry, list):
        return [list(parts) for parts in product(*map(slowly, entry))]
    for key, value in entry.items():
        if isinstance(value, dict):
            return [one for taken in value["grid"] for one in slowly({**entry, key: taken})]
    return [entry]


@given(st.lists(ENTRIES | st.lists(ENTRIES, max_size=3), max_size=4))
def test_a_grid_is_each_value_in_turn(entries: list[Any]) -> None:
    before = copy.deepcopy(entries)
    written = with_grids(entries)
    assert written == [one for entry in entries for one in slowly(entry)]
    assert all(one in of_grid(entries[i]) for one, i in zip(written, origins(entries), strict=True))
    assert with_grids(written) == written
    assert entries == before


def test_grids_in_a_regime() -> None:
    found = regime(
        clips=["none", {"name": "value", "bound": {"grid": [0.1, 1]}}, "sign"],
        regularizations=[
            "none",
            {"name": "l2", "strength": {"grid": [1e-3, 1e-2]}},
            [{"name": "l1", "strength": {"grid": [1, 2]}}, {"name": "dropout", "p": {"grid": [0.2, 0.5]}}],
        ],
    )
    assert [clip.label for clip in found.clips] == ["none", "value(0.1)", "value(1)", "sign"]
    assert [combined_label(one) for one in found.regularizations] == [
        "none", "l2(0.001)", "l2(0.01)",
        *(f"l1({a}) + dropout({b})" for a in (1, 2) for b in (0.2, 0.5)),
    ]  # fmt: skip
