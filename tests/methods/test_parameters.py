"""Every parameter of every section and method refuses what it must, in one form of words."""

import math
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from cases import CLIP_MODES, OPTIMIZERS, REGULARIZATION_MODES
from pydantic import ValidationError
from pydantic.fields import FieldInfo

import study.config.variants
import study.optim.losses
from study.methods.base import Method, compact
from study.optim.optimizers import Optimizer
from study.parameters import Must, Number, Positive, Settings, first_duplicate, listed, suggestion


def sections(base: type[Settings] = Settings) -> Iterator[type[Settings]]:
    """Every class of settings in the library that a config can hold."""
    for cls in base.__subclasses__():
        founder = issubclass(cls, Method) and cls not in cls.members.values()
        if cls.__module__.startswith("study.") and not founder:
            yield cls
        yield from sections(cls)


SECTIONS = {f"{cls.__module__}.{cls.__name__}": cls for cls in sections()}
FIELDS = [(cls, name, field) for cls in SECTIONS.values() for name, field in cls.model_fields.items()]
REFUSED = [
    pytest.param(cls, name, value, id=f"{cls.__name__}.{name}={value!r}")
    for cls, name, field in FIELDS
    for must in field.metadata
    if isinstance(must, Must)
    for value in must.refused
]


def must_of(field: FieldInfo) -> Must | None:
    return next((item for item in field.metadata if isinstance(item, Must)), None)


def lines(cls: type[Settings], given: dict[str, Any]) -> dict[tuple[Any, ...], str]:
    with pytest.raises(ValidationError) as caught:
        cls.model_validate(given)
    return {line["loc"]: line["msg"] for line in caught.value.errors()}


def test_the_walk_finds_them_all() -> None:
    assert {"study.config.data.Data", "study.config.study.Study", "study.clipping.value.Value"} <= set(SECTIONS)
    assert len(REFUSED) > 100


@pytest.mark.parametrize(("cls", "name", "value"), REFUSED)
def test_refused_in_the_one_form(cls: type[Settings], name: str, value: Any) -> None:
    """The message names the parameter, whose it is, what it must be and what was got: all, or one item of a list."""
    errors = [msg for loc, msg in lines(cls, {name: value}).items() if loc[0] == name]
    got = [value, *value] if isinstance(value, list) else [value]
    be = must_of(cls.model_fields[name]).be
    forms = {f"The '{name}' parameter of {cls.owner()} must be {be}. Got {item!r} instead." for item in got}
    assert errors, f"{value!r} was taken"
    hints = re.compile(r"(?<=instead\.) (Did you mean '\w+'\?|YAML reads .* a text of them\.|It may be at most .*)$")
    assert {hints.sub("", message) for message in errors} <= forms


@pytest.mark.parametrize("label", SECTIONS)
def test_every_parameter_says_what_it_must_be(label: str) -> None:
    """A parameter without a `Must` would show pydantic's own words; sections and methods speak for themselves."""
    cls = SECTIONS[label]
    silent = [name for name, field in cls.model_fields.items() if not must_of(field) and not speaks(cls, name, field)]
    assert silent == []


def speaks(cls: type[Settings], name: str, field: FieldInfo) -> bool:
    kinds = (field.annotation, *get_args(field.annotation))
    nested = any(isinstance(kind, type) and issubclass(kind, Settings) for kind in kinds)
    internal = cls.__name__ == "Variant" and name in ("regime", "device", "regularization", "folds", "metrics")
    internal |= cls.__name__ == "Contents"  # what the suite found in a user's data
    return nested or internal or (issubclass(cls, Method) and name == "name")


@pytest.mark.parametrize("label", SECTIONS)
def test_unknown_parameters_are_refused_with_the_known_ones(label: str) -> None:
    cls = SECTIONS[label]
    written = set(cls.model_fields) - ({"name"} if issubclass(cls, Method) else {"part_of", "at", "contents"})
    known = cls.writable()
    assert set(known) - {"defaults", "from", "sweep"} == written, "some are read before, some are left to sweeps"
    message = lines(cls, {"qqqq": 1})[("qqqq",)]
    assert message == f"The 'qqqq' parameter of {cls.owner()} is not known; it has {listed(known)}."


@pytest.mark.parametrize("label", SECTIONS)
def test_settings_are_frozen(label: str) -> None:
    assert SECTIONS[label].model_config["frozen"]


class Example(Settings):
    rate: Positive
    other: Number = 1.0


def test_near_misses_are_suggested() -> None:
    assert lines(Example, {"raet": 1})["raet",].endswith("it has 'rate', 'other'. Did you mean 'rate'?")
    assert suggestion("zzz", ["rate"]) == ""


def test_missing_and_wrong_at_once() -> None:
    assert lines(Example, {"other": "x"}) == {
        ("rate",): "The 'rate' parameter of example must be a positive number. Got nothing instead.",
        ("other",): "The 'other' parameter of example must be a number. Got 'x' instead.",
    }


def test_a_section_must_be_a_mapping() -> None:
    assert lines(Example, [1]) == {(): "The example section must be a mapping of parameters. Got [1] instead."}


@pytest.mark.parametrize(("given", "read"), [("1e-3", 1e-3), (1, 1.0), (".5", 0.5), ("2", 2.0)])
def test_numbers_may_be_text(given: Any, read: float) -> None:
    """YAML 1.1 reads 1e-3 as text, since it lacks a point."""
    assert Example(rate=given).rate == read


def test_faults_across_parameters_come_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        Example.refuse(("rate", "be below other", 3), ("other", "be above rate", 1))
    assert [(line["loc"], line["msg"]) for line in caught.value.errors()] == [
        (("rate",), "The 'rate' parameter of example must be below other. Got 3 instead."),
        (("other",), "The 'other' parameter of example must be above rate. Got 1 instead."),
    ]
    assert Example.refuse() is None


@pytest.mark.parametrize(("items", "twin"), [([], None), ([1, 2], None), ([1, 2, 1], "1"), (["b", "a", "a", "b"], "a")])
def test_first_duplicate(items: list[Any], twin: str | None) -> None:
    assert first_duplicate(items) == twin


def test_a_method_enters_its_family_by_being_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Optimizer, "members", dict(Optimizer.members))

    class Still(Optimizer):
        name: str = "still"

    assert Optimizer.parse({"name": "still", "lr": 1}) == Still(lr=1)
    assert "still" not in study.optim.losses.Loss.members


def test_every_optimizer_has_an_example() -> None:
    assert set(OPTIMIZERS) == set(Optimizer.members)


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        ("none", "none"),
        ({"name": "value", "bound": 0.01}, "value(0.01)"),
        ({"name": "global_norm", "max_norm": 0.1}, "global_norm(0.1)"),
        ({"name": "global_norm", "max_norm": 5, "order": 2}, "global_norm(5)"),
        ({"name": "global_norm", "max_norm": 1, "order": "inf"}, "global_norm(max_norm=1, order=inf)"),
        ({"name": "adaptive_unit", "ratio": 0.02}, "adaptive_unit(0.02)"),
        ({"name": "sign_on_trigger", "threshold": 5}, "sign_on_trigger(5)"),
        ({"name": "value", "bound": 1e-5, "low": -0.5}, "value(bound=1e-05, low=-0.5)"),
    ],
)
def test_labels(entry: Any, label: str) -> None:
    assert study.clipping.Clipping.parse(entry).label == label


@pytest.mark.parametrize("make", [*CLIP_MODES.values(), *REGULARIZATION_MODES.values()])
def test_labels_tell_close_numbers_apart(make: Any) -> None:
    number = 0.1
    nearest = math.nextafter(number, 1)
    assert (make(number).label == make(nearest).label) == (make(number) == make(nearest))


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (1e-5, "1e-05"), (1 / 3, "0.3333333333333333"), (3.0, "3"), ((4, 2), "4x2")]
)
def test_compact(value: Any, text: str) -> None:
    assert compact(value) == text
