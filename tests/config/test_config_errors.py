"""What is wrong in a configuration is said at once, in one form of words, at the key where it was written."""

import copy
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cases import STUDY
from hypothesis import given, settings
from hypothesis import strategies as st

from study.clipping import Clipping
from study.config.read import ConfigError, parse
from study.figures import FIGURES
from study.parameters import listed


def errors(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(raw)
    return caught.value.messages


IN_X = "regimes.x."
NAMES_OF_CLIPS = listed(sorted(Clipping.members))


@pytest.mark.parametrize(
    ("regime", "messages"),
    [
        (
            {"clips": ["none", {"name": "value", "bound": 1}, {"name": "global_norm", "max_norm": -1}]},
            ["clips.2.max_norm: The 'max_norm' parameter of clipping 'global_norm' must be a positive number. "
             "Got -1 instead."],
        ),
        (
            {"clips": ["none", "global_nrom"]},
            [f"clips.1: The 'name' parameter of clipping must be one of {NAMES_OF_CLIPS}. "
             "Got 'global_nrom' instead. Did you mean 'global_norm'?"],
        ),
        (
            {"clips": ["none", {"name": "value", "buond": 1}]},
            ["clips.1.bound: The 'bound' parameter of clipping 'value' must be a positive number. "
             "Got nothing instead.",
             "clips.1.buond: The 'buond' parameter of clipping 'value' is not known; it has 'bound', 'low'. "
             "Did you mean 'bound'?"],
        ),
        (
            {"clips": ["none", {"name": "value", "bound": True}]},
            ["clips.1.bound: The 'bound' parameter of clipping 'value' must be a positive number. "
             "Got True instead."],
        ),
        (
            {"clips": [{"name": "value", "bound": 1}]},
            ["clips: The 'clips' parameter of regime must have 'none' in it, the baseline of every comparison. "
             "Got ['value(1)'] instead."],
        ),
        (
            {"clips": ["none", {"name": "value", "bound": 1}, {"name": "value", "bound": 1.0}],
             "regularizations": [{"name": "l1", "strength": 1}], "batch_size": 60000},
            ["clips: The 'clips' parameter of regime must name each method once. Got 'value(1)' twice instead.",
             "regularizations: The 'regularizations' parameter of regime must have 'none' in it, the baseline of "
             "every comparison. Got ['l1(1)'] instead.",
             "batch_size: The 'batch_size' parameter of regime must be at most 55000, the number of training "
             "digits. Got 60000 instead."],
        ),
        (
            {"regularizations": ["none", [{"name": "l1", "strength": "x"}, {"name": "dropout"}]]},
            ["regularizations.1.0.strength: The 'strength' parameter of regularization 'l1' must be a number of at "
             "least 0. Got 'x' instead.",
             "regularizations.1.1.p: The 'p' parameter of regularization 'dropout' must be a number from 0 to "
             "below 1. Got nothing instead."],
        ),
        (
            {"regularizations": ["none", {"name": "l1", "strength": -1}]},
            ["regularizations.1.strength: The 'strength' parameter of regularization 'l1' must be a number of at "
             "least 0. Got -1 instead."],
        ),
        (
            {"regularizations": ["none", ["none", {"name": "l1", "strength": 1}]]},
            ["regularizations.1: The 'regularizations' parameter of regime must be a regularization, or a list of "
             "different ones without 'none'. Got ['none', {'name': 'l1', 'strength': 1}] instead."],
        ),
        (
            {"regularizations": ["none", [{"name": "l1", "strength": 1}, {"name": "l1", "strength": 2}]]},
            ["regularizations.1: The 'regularizations' parameter of regime must be a regularization, or a list of "
             "different ones without 'none'. Got [{'name': 'l1', 'strength': 1}, {'name': 'l1', 'strength': 2}] "
             "instead."],
        ),
        (
            {"regularizations": ["none", []]},
            ["regularizations.1: The 'regularizations' parameter of regime must be a regularization, or a list of "
             "different ones without 'none'. Got [] instead."],
        ),
        (
            {"optimizer": {"name": "sgd"}, "epochs": 0, "modle": "mlp", 3: 4},
            ["optimizer.lr: The 'lr' parameter of optimizer 'sgd' must be a positive number. Got nothing instead.",
             "epochs: The 'epochs' parameter of regime must be a whole number of at least 1. Got 0 instead.",
             "modle: The 'modle' parameter of regime is not known; it has 'description', 'workload', 'data', 'model', "
             "'loss', 'optimizer', 'schedule', 'epochs', 'batch_size', 'grid', 'clips', 'regularizations', 'pairs', "
             "'metrics', 'tuning', 'from', 'sweep'. "
             "Did you mean 'model'?",
             "3: The '3' parameter of regime is not known; it has 'description', 'workload', 'data', 'model', 'loss', "
             "'optimizer', 'schedule', 'epochs', 'batch_size', 'grid', 'clips', 'regularizations', 'pairs', 'metrics', "
             "'tuning', 'from', 'sweep'."],
        ),
        (
            {"optimizer": {"name": "sgd", "lr": 1, "nesterov": True}},
            ["optimizer.momentum: The 'momentum' parameter of optimizer 'sgd' must be above 0 where nesterov is "
             "true. Got 0.0 instead."],
        ),
        (
            {"optimizer": ["sgd"], "model": None},
            ["model: The 'model' parameter of regime must be a name, or a mapping with 'name' and its parameters. "
             "Got None instead.",
             "optimizer: The 'optimizer' parameter of regime must be a name, or a mapping with 'name' and its "
             "parameters. Got ['sgd'] instead."],
        ),
        (
            {"data": {"name": "mnist-sample"}},
            ["data.validation_size: The 'validation_size' parameter of data must be at most 990, to leave digits "
             "of 'mnist-sample' to train on. Got 5000 instead."],
        ),
        (
            {"data": {"train_size": 55001}},
            ["data.train_size: The 'train_size' parameter of data must be at most 55000, what validation_size "
             "leaves of the 60000 of 'mnist'. Got 55001 instead."],
        ),
        ({"data": "mnist"}, ["data: The data section must be a mapping of parameters. Got 'mnist' instead."]),
    ],
)  # fmt: skip
def test_errors_of_a_regime(regime: dict[Any, Any], messages: list[str]) -> None:
    assert errors({"name": "a", "regimes": {"x": regime}}) == [IN_X + message for message in messages]


@pytest.mark.parametrize(
    ("raw", "messages"),
    [
        (
            {"nmae": "a", "regimes": {"x": {}}},
            ["name: The 'name' parameter of study must be lower-case letters, digits, '-' and '_', at most 40 of "
             "them. Got nothing instead.",
             "nmae: The 'nmae' parameter of study is not known; it has 'name', 'description', 'seeds', 'scored_at', "
             "'target', 'seeds_per_job', 'max_core_hours', 'partial', 'device', 'plugins', 'statistics', 'figures', "
             "'claims', 'status', 'primary', 'margins', 'hypotheses', 'regimes', 'defaults'. Did you mean 'name'?"],
        ),
        (
            {"name": "../up", "seeds": [1, 1], "seeds_per_job": "many", "regimes": {"x": 3}, "statistics": 7},
            ["name: The 'name' parameter of study must be lower-case letters, digits, '-' and '_', at most 40 of "
             "them. Got '../up' instead.",
             "seeds: The 'seeds' parameter of study must be a number of seeds up to 10000, or a list of "
             "different whole numbers of at least 0, below 2^31. Got [1, 1] instead.",
             "seeds_per_job: The 'seeds_per_job' parameter of study must be a whole number of at least 1. "
             "Got 'many' instead.",
             "statistics: The statistics section must be a mapping of parameters. Got 7 instead.",
             "regimes.x: The regime section must be a mapping of parameters. Got 3 instead."],
        ),
        (
            {"name": "a", "regimes": {"A b": {}}},
            ["regimes.A b: The 'regimes' parameter of study must be a mapping from names (lower-case letters, "
             "digits, '-' and '_') to regimes. Got 'A b' instead."],
        ),
        (
            {"name": "a", "defaults": [1], "regimes": {"x": {}}},
            ["defaults: The 'defaults' parameter of study must be a mapping of what every regime starts from. "
             "Got [1] instead."],
        ),
    ],
)  # fmt: skip
def test_errors_of_a_study(raw: dict[str, Any], messages: list[str]) -> None:
    assert errors(raw) == messages


def test_an_error_in_the_defaults_is_named_there_and_once() -> None:
    defaults = {
        "data": {"label_noise": 2},
        "optimizer": {"name": "sgd"},
        "clips": ["none", "value"],
        "epoch": 3,
        "batch_size": 60000,
    }
    found = errors({"name": "a", "defaults": defaults, "regimes": {"x": {}, "y": None, "z": {"epochs": 0}}})
    assert [line.partition(":")[0] for line in found] == [
        "defaults.data.label_noise",
        "defaults.optimizer.lr",
        "defaults.clips.1.bound",
        "defaults.epoch",
        "regimes.z.epochs",
    ]


def test_an_error_made_by_a_regime_on_top_of_the_defaults_is_named_in_the_regime() -> None:
    defaults = {"optimizer": {"name": "sgd", "lr": 1}, "clips": ["none", "value"], "batch_size": 60000}
    fixed = {"clips": ["none"], "batch_size": 64}
    raw = {"name": "a", "defaults": defaults, "regimes": {"x": {"optimizer": {"momentum": 2}, **fixed}}}
    assert [line.partition(":")[0] for line in errors(raw)] == ["regimes.x.optimizer.momentum"]
    del raw["regimes"]["x"]["batch_size"]
    raw["regimes"]["x"]["optimizer"] = {}
    assert [line.partition(":")[0] for line in errors(raw)] == ["defaults.batch_size"]


def test_the_error_counts_and_names_its_source() -> None:
    with pytest.raises(ConfigError, match=r"^2 errors in config/mine\.yaml\n  name: The .*\n  regimes: The ") as caught:
        parse({}, "config/mine.yaml")
    assert len(caught.value.messages) == 2
    with pytest.raises(ConfigError, match=r"^1 error in the configuration\n"):
        parse({"name": "a"})


ONE_FORM = re.compile(
    r"(.*: )?The '.*' parameter of [^.]* (must [a-z].*\. Got .* instead\.|is not known; it has ('.*'|none)\.)"
    r"( Did you mean '[a-z_0-9]+'\?| YAML reads .* quotes make a text of them\.| It may be at most \d+\.)?"
    r"|(.*: )?The [a-z]+ section must be a mapping of parameters\. Got .* instead\."
    r"|max_core_hours: The 'max_core_hours' parameter of study must .* Raise it, or ask for less\.",
    re.DOTALL,
)
NOT_OURS = re.compile(r"[Ii]nput should|[Vv]alue error|pydantic|Extra inputs|Field required|[Kk]eys should|valid ")
JUNK = st.sampled_from(
    [None, True, False, -1, 0, 1, 2.5, math.nan, math.inf, 10**400, "", "none", "value", "1e-3", "{x}", "é"]
) | st.sampled_from([[], {}, [[]], [None], ["none"], {"name": "l1"}, {"name": 3}, {1: 2}, {None: None}, [1, 1]])


def places(raw: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a configuration."""
    yield at
    items = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for key, value in items:
        yield from places(value, (*at, key))


PLACES = list(places(STUDY))[1:]


@given(
    damage=st.lists(st.tuples(st.sampled_from(PLACES), st.none() | st.text(max_size=3), JUNK), min_size=1, max_size=4)
)
@settings(max_examples=300)
def test_whatever_is_wrong_is_said_in_one_form(damage: list[tuple[tuple[Any, ...], str | None, Any]]) -> None:
    """Something set to anything, or an unknown key added beside it: a study, or errors in our own words."""
    raw = copy.deepcopy(STUDY)
    for path, key, junk in damage:
        inside = raw
        for part in path[:-1]:
            inside = inside[part] if reaches(inside, part) else {}
        if isinstance(inside, dict):
            inside[path[-1] if key is None else key] = junk
        elif reaches(inside, path[-1]):
            inside[path[-1]] = junk
    lines = said_of(raw)
    assert all(ONE_FORM.fullmatch(line) for line in lines), lines
    assert not any(NOT_OURS.search(line.partition("Got")[0]) for line in lines), lines
    assert len(set(lines)) == len(lines)


def said_of(raw: dict[str, Any]) -> list[str]:
    """The errors of a configuration; none if it is read. Any other exception passes."""
    try:
        parse(raw)
    except ConfigError as error:
        return error.messages
    return []


def reaches(inside: Any, part: Any) -> bool:
    """Whether there is something at this key or position."""
    if isinstance(inside, list):
        return isinstance(part, int) and part < len(inside)
    return isinstance(inside, dict) and part in inside


BY_ITSELF: dict[str, Any] = {"clips": ["none"]}
SWEPT = {"sweep": {"epochs": [1, 2]}}


@pytest.mark.parametrize(
    ("regime", "tables"),
    [(BY_ITSELF, {"regimes"}), (SWEPT, set()), ({"tuning": {}}, {"regimes"}), ({**SWEPT, "tuning": {}}, set())],
)
def test_a_figure_that_the_study_does_not_draw_is_refused(regime: dict[str, Any], tables: set[str]) -> None:
    """By what the figures themselves say of the tables that they need and of sweeps."""
    of_tuning = {"tuning", "tuned", "profiles", "across", "thresholds"}
    absent = (
        {"claims", "gains", "leaderboard", "budgets", "robustness", "samples"}
        | tables
        | (set() if "tuning" in regime else of_tuning)
    )
    for name, figure in FIGURES.items():
        drawn = absent.isdisjoint(figure.needs) and (figure.swept or "sweep" not in regime) and name != "clients"
        found = said_of({"name": "a", "figures": [name], "regimes": {"x": regime}})
        assert bool(found) != drawn, (name, found)
        assert drawn or f"must leave out '{name}' where the study has no " in found[0]
