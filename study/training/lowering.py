"""A graph of torch's operators as a function of jax arrays, the numbers that stand in it taken out as inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import getitem
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import lax
from numpy.typing import NDArray
from torch import Tensor
from torch._decomp import core_aten_decompositions, get_decompositions
from torch.func import functionalize
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg

from study.training.operators import OPERATORS, Array

NOT_DECOMPOSED = (torch.ops.aten.linalg_vector_norm.default,)  # its decomposition takes powers
PLACED = ("dtype", "device", "layout", "pin_memory", "memory_format", "non_blocking", "implicit", "input_dtype")
STATIC = {"linalg_vector_norm": ("ord",), "pow": ("exponent", "self"), "arange": ("start", "end", "step")}
STRUCTURE = (0.0, 1.0, math.inf)  # numbers that XLA knows how to leave out of a program, or that mean "none"


class UnknownOperatorError(ValueError):
    """A graph with an operator that has no counterpart; the message names it."""


@dataclass(frozen=True, eq=False)
class Lowered:
    """A function of flat arrays: its graph, the numbers [N] and the tensors that stood in it.

    Two graphs that differ in their numbers alone are one program.
    """

    graph: GraphModule
    numbers: NDArray[np.float64]
    tensors: tuple[NDArray[Any], ...]

    def __call__(
        self, inputs: Sequence[Array], numbers: Array, tensors: Sequence[Array], carried: int, wanted: Array
    ) -> list[Array]:
        """The results, flat, given the inputs, flat; numbers [N] in place of those that stood in the graph.

        What only the results after the first `carried` need is computed where `wanted` is true; they are 0 elsewhere.
        So it costs nothing where it is not, and the first results are the same to the last bit.
        """
        known = self._known(inputs, tensors)
        each = self._split(numbers)
        results = self.results
        needed = ancestors(results[:carried])

        def rest() -> list[Array]:
            found = dict(known)
            evaluate([node for node in each if node not in needed], found, each)
            return [found[node] for node in results[carried:]]

        evaluate([node for node in each if node in needed], known, each)
        forms = jax.eval_shape(rest)
        measured = lax.cond(wanted, rest, lambda: [jnp.zeros(form.shape, form.dtype) for form in forms])
        return [*(known[node] for node in results[:carried]), *measured]

    @property
    def text(self) -> str:
        """All that the program depends on: two graphs that differ in their numbers alone have the same."""
        lines = [str([(held.shape, held.dtype) for held in self.tensors])]
        for node in self.graph.graph.nodes:
            given = [f"{name}={'number' if taken else repr(value)}" for name, value, taken in _arguments(node)]
            lines.append(f"{node} {node.op} {node.target} {given} {_form(node.meta.get('val'))}")
        return "\n".join(lines)

    @property
    def results(self) -> list[Node]:
        """The nodes of the results."""
        (output,) = (node for node in self.graph.graph.nodes if node.op == "output")
        return list(output.args[0])

    def _known(self, inputs: Sequence[Array], tensors: Sequence[Array]) -> dict[Node, Array]:
        """The values of the nodes that are given."""
        given, held = iter(inputs), iter(tensors)
        sources = {"placeholder": given, "get_attr": held}
        return {node: jnp.asarray(next(sources[node.op])) for node in self.graph.graph.nodes if node.op in sources}

    def _split(self, numbers: Array) -> dict[Node, list[Array]]:
        """The calls in their order, each with its numbers."""
        left = iter(numbers)
        return {node: [next(left) for _ in _numbers(node)] for node in _calls(self.graph)}


def _form(value: Any) -> str:
    """The shape and the type of tensors."""
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {value.dtype}"
    return str([_form(one) for one in value]) if isinstance(value, (list, tuple)) else repr(value)


def ancestors(nodes: Sequence[Node]) -> set[Node]:
    """The nodes and all that they depend on."""
    found, left = set[Node](), list(nodes)
    while left:
        if (node := left.pop()) not in found:
            found.add(node)
            left += node.all_input_nodes
    return found


def evaluate(nodes: Iterable[Node], known: dict[Node, Array], numbers: Mapping[Node, Sequence[Array]]) -> None:
    """Add the values of these calls to those that are known."""
    for node in nodes:
        known[node] = _called(node, known, iter(numbers[node]))


def lowered(function: Callable[..., Any], inputs: Sequence[Tensor]) -> Lowered:
    """The graph of a function of tensors that gives a list of tensors, traced at these inputs.

    Raises UnknownOperatorError where an operator has no counterpart, and what torch raises where a function of one
    model cannot be traced: because it looks at a value, for instance.
    """
    with torch.no_grad():
        each = [t.clone() for t in inputs]  # a tensor that is given twice would be taken for one input
        graph = make_fx(functionalize(function), decomposition_table=decompositions())(*each)
    graph.graph.eliminate_dead_code()
    if unknown := sorted({str(node.target) for node in _calls(graph) if not _is_known(node)}):
        raise UnknownOperatorError(f"no operator of XLA is known for {', '.join(unknown)}")
    tensors = [getattr(graph, str(node.target)).numpy() for node in graph.graph.nodes if node.op == "get_attr"]
    numbers = [number for node in _calls(graph) for number in _numbers(node)]
    return Lowered(graph, np.array(numbers, np.float64), tuple(tensors))


@cache
def decompositions() -> dict[Any, Callable[..., Any]]:
    """torch's own, into operators of its core."""
    found = dict(core_aten_decompositions())
    aten = torch.ops.aten
    found |= get_decompositions([aten.grid_sampler_2d, aten.native_layer_norm, aten.native_layer_norm_backward])
    return {operator: way for operator, way in found.items() if operator not in NOT_DECOMPOSED}


def _calls(graph: GraphModule) -> Iterator[Node]:
    return (node for node in graph.graph.nodes if node.op == "call_function")


def _is_known(node: Node) -> bool:
    return node.target is getitem or str(node.target) in OPERATORS


def _arguments(node: Node) -> Iterator[tuple[str, Any, bool]]:
    """Each argument of a call: its name (by position, a digit), its value, and whether it is a number taken out."""
    if node.op != "call_function" or node.target is getitem:
        yield from ((str(place), value, False) for place, value in enumerate(node.args))
        return
    schema = node.target._schema  # type: ignore[union-attr]
    static = STATIC.get(schema.name.removeprefix("aten::"), ())
    names = [argument.name for argument in schema.arguments]
    for name, value in [*zip(names, node.args, strict=False), *node.kwargs.items()]:
        if name not in PLACED:
            taken = isinstance(value, float) and name not in static and abs(value) not in STRUCTURE and value == value
            yield name, value, taken


def _numbers(node: Node) -> Iterator[float]:
    return (value for _, value, taken in _arguments(node) if taken)


def _called(node: Node, known: dict[Node, Array], left: Iterator[Array]) -> Any:
    """What a call gives, of torch's types."""
    if node.target is getitem:
        return getitem(known[node.args[0]], node.args[1])  # type: ignore[index]
    kind = _kind(node)
    given = {
        name: next(left).astype(kind) if taken else map_arg(value, lambda one: known[one])
        for name, value, taken in _arguments(node)
    }
    named = {name: value for name, value in given.items() if name in node.kwargs}
    positional = [value for name, value in given.items() if name not in node.kwargs]
    return _cast(OPERATORS[str(node.target)](*positional, **named), node.meta["val"])


def _kind(node: Node) -> Any:
    """The type of the numbers of a call: that of its floating result, or else of the tensors it looks at."""
    values = [node.meta["val"], *(one.meta["val"] for one in node.all_input_nodes)]
    found = [t.dtype for t in values if isinstance(t, Tensor) and t.dtype.is_floating_point]
    return as_jax(found[0] if found else torch.float32)


def _cast(value: Any, like: Any) -> Any:
    if isinstance(like, Tensor):
        return jnp.asarray(value).astype(as_jax(like.dtype))
    return tuple(_cast(one, form) for one, form in zip(value, like, strict=True))


def as_jax(dtype: torch.dtype) -> Any:
    """The type of numpy and jax.numpy of the same name."""
    return np.dtype(str(dtype).removeprefix("torch."))
