"""Every clip, regularizer and optimizer declares the parameter that it is tuned by, and where."""

from typing import Any

import pytest
from cases import CLIPPINGS, REGULARIZATIONS

from study.clipping import Clipping
from study.methods.base import Method
from study.optim.optimizers import Optimizer
from study.regularization import Regularization

EXAMPLES: dict[str, Any] = {
    **{name: makes[0](0.5) for name, makes in CLIPPINGS.items()},
    **{name: makes[0](0.5) for name, makes in REGULARIZATIONS.items()},
    "sgd": {"lr": 0.1},
}
METHODS = [
    method
    for family in (Clipping, Regularization, Optimizer)
    for name, method in family.members.items()
    if name != "none" and method.__module__.startswith("study.")
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.model_fields["name"].default)
def test_a_method_can_be_tuned_over_its_declared_range(method: type[Method]) -> None:
    search = method.search
    assert search is not None, "declare `search`, the parameter by which it is tuned and its range"
    assert search.parameter in method.model_fields
    others = {**EXAMPLES.get(method.model_fields["name"].default, {})}
    tried = [method.model_validate({**others, search.parameter: search.at(u)}) for u in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert len({one.label for one in tried}) == 5
    values = [float(getattr(one, search.parameter)) for one in tried]
    assert [search.place(value) for value in values] == pytest.approx([0, 0.25, 0.5, 0.75, 1.0], abs=0.1)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.model_fields["name"].default)
def test_a_range_spans_a_decade_at_least(method: type[Method]) -> None:
    assert method.search is not None
    assert method.search.high / method.search.low >= 9


def test_none_has_nothing_to_tune() -> None:
    assert Clipping.members["none"].search is None
    assert Regularization.members["none"].search is None
