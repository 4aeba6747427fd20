"""Graph of a step: mapped over replicates, traced once, flattened, with repeated work removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.func import vmap
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx

aten = torch.ops.aten
FILLED = (  # of their input, only form and type matter
    aten.ones_like.default,
    aten.zeros_like.default,
    aten.full_like.default,
    aten.new_ones.default,
    aten.new_zeros.default,
    aten.new_full.default,
)
VIEWS = (aten.view.default, aten._unsafe_view.default, aten.expand.default, aten.permute.default, aten.transpose.int)
DIRECT: dict[Callable[..., Any], Callable[..., Any]] = {  # the same kernels, called in half the time
    aten._log_softmax.default: torch._log_softmax,
    aten.add.Tensor: torch.add,
    aten.bmm.default: torch.bmm,
    aten.clamp.default: torch.clamp,
    aten.div.Tensor: torch.div,
    aten.linalg_vector_norm.default: torch.linalg.vector_norm,
    aten.mean.dim: torch.mean,
    aten.mul.Tensor: torch.mul,
    aten.neg.default: torch.neg,
    aten.reciprocal.default: torch.reciprocal,
    aten.relu.default: torch.relu,
    aten.stack.default: torch.stack,
    aten.sub.Tensor: torch.sub,
    aten.sum.dim_IntList: torch.sum,
    aten.tanh.default: torch.tanh,
    aten.transpose.int: torch.transpose,
    aten.view.default: torch.Tensor.view,
    aten.where.self: torch.where,
}


def traced(step: Callable[..., Any], inputs: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the step mapped over replicates, as one flat graph of all that its results depend on.

    Its results equal those of the untraced step to the last bit: operations are dropped, never reordered.
    """
    module = make_fx(vmap(lambda *arguments: step(*arguments)))(*inputs)
    if not any(_changes_in_place(node) for node in module.graph.nodes):
        keep_constants(module)
        drop_idle(module.graph)
        share_common(module.graph)
    module.graph.eliminate_dead_code()
    call_directly(module.graph)
    module.recompile()
    return module


def keep_constants(module: GraphModule) -> None:
    """Compute now, once, all that depends on no input."""
    known: dict[Node, torch.Tensor] = {}
    for node in list(module.graph.nodes):
        if node.op == "get_attr":
            known[node] = getattr(module, str(node.target))
        elif _is_constant(node, known):
            value = node.target(*_given(node.args, known), **_given(node.kwargs, known))
            if isinstance(value, torch.Tensor):
                known[_replaced_by_constant(module, node, value)] = value


def _is_constant(node: Node, known: dict[Node, torch.Tensor]) -> bool:
    random = torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())
    if node.op != "call_function" or random:
        return False
    return node.target in FILLED or all(given in known for given in node.all_input_nodes)


def _given(arguments: Any, known: dict[Node, torch.Tensor]) -> Any:
    """Return the arguments with values in place of nodes; if only the form matters, with any value of that form."""
    return torch.fx.node.map_arg(arguments, lambda node: known[node] if node in known else _of_form(node))


def _of_form(node: Node) -> torch.Tensor:
    like = node.meta["val"]
    return torch.empty_strided(like.shape, like.stride(), dtype=like.dtype, device=like.device)


def _replaced_by_constant(module: GraphModule, node: Node, value: torch.Tensor) -> Node:
    name = f"constant_{node.name}"
    module.register_buffer(name, value)
    with module.graph.inserting_before(node):
        constant = module.graph.get_attr(name)
    constant.meta = node.meta
    node.replace_all_uses_with(constant)
    return constant


def drop_idle(graph: Graph) -> None:
    """Remove views equal to their input, transpositions that undo each other, and products with 1."""
    for node in graph.nodes:
        if _is_idle(node):
            node.replace_all_uses_with(node.args[0])
        elif node.target == aten.transpose.int and _undoes(node, node.args[0]):
            node.replace_all_uses_with(node.args[0].args[0])


def _undoes(node: Node, before: Node) -> bool:
    return before.target == aten.transpose.int and node.args[1:] == before.args[1:]


def _is_idle(node: Node) -> bool:
    if node.target == aten.mul.Scalar:
        return bool(node.args[1] == 1) and _layout(node) == _layout(node.args[0])
    return node.target in VIEWS and _layout(node) == _layout(node.args[0])


def _layout(node: Any) -> tuple[object, ...]:
    value = node.meta["val"]
    return value.shape, value.stride(), value.dtype


def share_common(graph: Graph) -> None:
    """Compute repeated expressions once."""
    first: dict[tuple[object, str, str], Node] = {}
    for node in graph.nodes:
        if node.op == "call_function":  # the arguments' names are their identity
            same = first.setdefault((node.target, repr(node.args), repr(node.kwargs)), node)
            if same is not node:
                node.replace_all_uses_with(same)


def call_directly(graph: Graph) -> None:
    """Replace operators by the torch functions that they call."""
    for node in graph.nodes:
        if node.op == "call_function":
            node.target = DIRECT.get(node.target, node.target)


def _changes_in_place(node: Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and schema.is_mutable
