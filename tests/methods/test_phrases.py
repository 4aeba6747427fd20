"""Methods and cells are named for people: every registered method has a phrase that fits its parameters."""

import pytest
from cases import CLIP_MODES, REGULARIZATION_MODES, Make

from study.clipping import Clipping
from study.methods.base import Method, compact
from study.methods.phrases import (
    PHRASES,
    PLACE,
    cell_phrase,
    key_name,
    names_of,
    pattern,
    phrase,
    regime_phrase,
    short_name,
    told_by,
    told_of,
)
from study.regularization import Regularization

FAMILIES = {"clip": Clipping, "regularization": Regularization}
METHODS = [
    (kind, method)
    for kind, family in FAMILIES.items()
    for name, method in family.members.items()
    if method.__module__.startswith("study.")
]


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_every_method_has_a_phrase_of_its_own_parameters_and_defaults(kind: str, method: type[Method]) -> None:
    name = method.model_fields["name"].default
    template = PHRASES[kind][name]
    for place in PLACE.finditer(template):
        field = method.model_fields[place[1]]
        assert field.is_required() == (place[2] is None)
        assert place[2] is None or float(place[2]) == field.default


@pytest.mark.parametrize(
    ("kind", "make"),
    [("clip", one) for one in CLIP_MODES.values()] + [("regularization", one) for one in REGULARIZATION_MODES.values()],
)
def test_a_phrase_says_every_parameter_that_the_label_says(kind: str, make: Make) -> None:
    method: Method = make(0.25)
    told = phrase(kind, method.label)
    for key, field in type(method).model_fields.items():
        if key != "name" and getattr(method, key) != field.default:
            assert compact(getattr(method, key)) in told
    assert not set("{}_=()") & set(told)


@pytest.mark.parametrize(
    ("kind", "label", "told"),
    [
        ("clip", "none", "no clip"),
        ("clip", "global_norm(0.1)", "clip to norm 0.1"),
        ("clip", "global_norm(max_norm=0.1, order=1)", "clip to norm 0.1, order 1"),
        ("clip", "zscore", "clip at z-score 2.5"),
        ("clip", "mine(3)", "mine 3"),
        ("clip", "my_own(a=1, b_c=2)", "my own, a 1, b c 2"),
        ("regularization", "l2(1e+06)", "L2, lambda 1e+06"),
        ("regularization", "l2(0.001) + dropout(0.5)", "L2, lambda 0.001 + dropout 0.5"),
        ("regularization", "elastic_net(lambda1=0.001, lambda2=0.01)", "elastic net, L1 0.001, L2 0.01"),
    ],
)
def test_labels_read_aloud(kind: str, label: str, told: str) -> None:
    assert phrase(kind, label) == told


def test_cells_and_regimes_read_aloud() -> None:
    assert cell_phrase("none", "none") == "baseline"
    assert cell_phrase("global_norm(1)", "l2(0.1)") == "clip to norm 1 with L2, lambda 0.1"
    assert regime_phrase("memorize") == "memorize"
    assert regime_phrase("decades_lr=0.1", "decades", [("optimizer.lr", "0.1")]) == "decades, learning rate 0.1"


def test_methods_without_parameters_read_aloud_and_are_told_apart() -> None:
    assert short_name("global_norm") == "global norm"
    assert short_name("value_as_printed") == "value, as printed"
    assert short_name("l2 + dropout") == "L2 + dropout"
    for phrases in PHRASES.values():
        told = [short_name(name) for name in phrases]
        assert len(set(told)) == len(told)
        assert not any(set("{}±") & set(one) for one in told)


@pytest.mark.parametrize(
    ("label", "nouns", "told"),
    [
        ("per_sample(0.5)", ["update"], "clip each update to norm 0.5"),
        ("per_sample_layer(1)", ["update"], "clip each update's tensors to norm 1"),
        ("per_sample_adaptive(0.5)", ["update"], "clip updates at a tracked quantile, from norm 0.5"),
        ("per_sample(0.5)", ["sample", "update"], "clip each sample or update to norm 0.5"),
        ("per_sample_adaptive(1)", ["sample", "update"], "clip samples or updates at a tracked quantile, from norm 1"),
        ("per_sample(2)", ["sample"], "clip each sample to norm 2"),
    ],
)
def test_a_clip_of_single_samples_is_told_of_what_it_takes_for_one(label: str, nouns: list[str], told: str) -> None:
    method = label.partition("(")[0]
    assert told_of(phrase("clip", label), {method: nouns}) == told
    broken = told_of(phrase("clip", label).replace(" ", "\n"), {method: nouns})
    assert broken.split() == told.split(), "broken into the lines of a label"
    assert told_of(f"C{phrase('clip', label)[1:]}", {method: nouns}) == f"C{told[1:]}", "where it begins a sentence"
    assert told_of("Scale each sample's gradient.", {method: nouns}) == "Scale each sample's gradient."
    assert told_of(phrase("clip", label), {"value": nouns}) == phrase("clip", label)


def test_a_method_is_told_with_the_names_of_its_parameters() -> None:
    assert pattern("clip", "global_norm") == "clip to norm <max_norm>"
    assert pattern("regularization", "weight_averaging") == "weight averaging, decay <decay>"
    assert pattern("clip", "a_users_own") == ""
    assert key_name("data.label_noise") == "share of wrong labels"
    assert key_name("model.activation") == "activation"


def test_names_are_read_in_words_wherever_they_stand_whole() -> None:
    names = {**names_of(["none", "global_norm(0.1)", "l2(0.01) + dropout(0.5)", "sign"]), "map_lr=3": "map, rate 3"}
    for text, told in {
        "map_lr=3: global_norm, gap": "map, rate 3: global norm, gap",
        "map_lr=3.5: global_norm(0.1)": "map_lr=3.5: clip to norm 0.1",
        "global_norm(0.1) with l2(0.01), against l2": "clip to norm 0.1 with L2, lambda 0.01, against L2",
        "global_norm(0.10), l21, al2": "global_norm(0.10), l21, al2",
        "none agree in sign": "none agree in sign",
    }.items():
        assert told_by(text, names) == told
    assert told_by("nothing is known", {}) == "nothing is known"
