"""Lowering: a graph of torch's operators as a function of jax arrays, with its numbers as inputs."""

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
    """Error of a graph with an operator that has no jax counterpart; the message names it."""


@dataclass(frozen=True, eq=False)
class Lowered:
    """Function of flat arrays: its graph, and the numbers [N] and tensors that stood in it.

    Two graphs that differ only in their numbers are one program.
    """

    graph: GraphModule
    numbers: NDArray[np.float64]
    tensors: tuple[NDArray[Any], ...]

    def __call__(
        self, inputs: Sequence[Array], numbers: Array, tensors: Sequence[Array], carried: int, wanted: Array
    ) -> list[Array]:
        """Return the flat results of flat inputs; numbers [N] replace those that stood in the graph.

        Results after the first `carried` are computed only where `wanted` is true, and are 0 elsewhere, at no cost. The
        first results are the same to the last bit.
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
        """All that the program depends on: equal for graphs that differ only in their numbers."""
        lines = [str([(held.shape, held.dtype) for held in self.tensors])]
        for node in self.graph.graph.nodes:
            given = [f"{name}={'number' if taken else repr(value)}" for name, value, taken in _arguments(node)]
            lines.append(f"{node} {node.op} {node.target} {given} {_form(node.meta.get('val'))}")
        return "\n".join(lines)

    @property
    def results(self) -> list[Node]:
        """Nodes of the results."""
        (output,) = (node for node in self.graph.graph.nodes if node.op == "output")
        return list(output.args[0])

    def _known(self, inputs: Sequence[Array], tensors: Sequence[Array]) -> dict[Node, Array]:
        """Return the values of the given nodes."""
        given, held = iter(inputs), iter(tensors)
        sources = {"placeholder": given, "get_attr": held}
        return {node: jnp.asarray(next(sources[node.op])) for node in self.graph.graph.nodes if node.op in sources}

    def _split(self, numbers: Array) -> dict[Node, list[Array]]:
        """Return the calls in order, each with its numbers."""
        left = iter(numbers)
        return {node: [next(left) for _ in _numbers(node)] for node in _calls(self.graph)}


def _form(value: Any) -> str:
    """Return the shapes and types of tensors."""
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {value.dtype}"
    return str([_form(one) for one in value]) if isinstance(value, (list, tuple)) else repr(value)


def ancestors(nodes: Sequence[Node]) -> set[Node]:
    """Return the nodes and all that they depend on."""
    found, left = set[Node](), list(nodes)
    while left:
        if (node := left.pop()) not in found:
            found.add(node)
            left += node.all_input_nodes
    return found


def evaluate(nodes: Iterable[Node], known: dict[Node, Array], numbers: Mapping[Node, Sequence[Array]]) -> None:
    """Add the values of these calls to the known ones."""
    for node in nodes:
        known[node] = _called(node, known, iter(numbers[node]))


def lowered(function: Callable[..., Any], inputs: Sequence[Tensor]) -> Lowered:
    """Return the graph of a function of tensors that returns a list of tensors, traced at these inputs.

    Raises UnknownOperatorError if an operator has no counterpart, and torch's own error if a function of one model
    cannot be traced, for instance because it looks at a value.
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
    """Return torch's own decompositions into its core operators."""
    found = dict(core_aten_decompositions())
    aten = torch.ops.aten
    found |= get_decompositions([aten.grid_sampler_2d, aten.native_layer_norm, aten.native_layer_norm_backward])
    return {operator: way for operator, way in found.items() if operator not in NOT_DECOMPOSED}


def _calls(graph: GraphModule) -> Iterator[Node]:
    return (node for node in graph.graph.nodes if node.op == "call_function")


def _is_known(node: Node) -> bool:
    return node.target is getitem or str(node.target) in OPERATORS


def _arguments(node: Node) -> Iterator[tuple[str, Any, bool]]:
    """Yield each argument of a call: name (by position, a digit), value, and whether it is a number taken out."""
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
    """Return the result of a call, in torch's types."""
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
    """Return the type of a call's numbers: that of its floating result, or else of the tensors it looks at."""
    values = [node.meta["val"], *(one.meta["val"] for one in node.all_input_nodes)]
    found = [t.dtype for t in values if isinstance(t, Tensor) and t.dtype.is_floating_point]
    return as_jax(found[0] if found else torch.float32)


def _cast(value: Any, like: Any) -> Any:
    if isinstance(like, Tensor):
        return jnp.asarray(value).astype(as_jax(like.dtype))
    return tuple(_cast(one, form) for one, form in zip(value, like, strict=True))


def as_jax(dtype: torch.dtype) -> Any:
    """Return the type of numpy and jax.numpy of the same name."""
    return np.dtype(str(dtype).removeprefix("torch."))
