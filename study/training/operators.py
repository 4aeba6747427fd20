"""Core ATen operators in terms of jax.numpy, with the meaning and the argument names that torch gives them.

A result may have another type than torch's: `study.training.lowering` casts it. An operator is known if it stands in
`OPERATORS`; everything else is brought to these by torch's own decompositions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Array = Any  # a jax.Array, or a number
Axes = int | Sequence[int] | None


def axes(dim: Axes) -> int | tuple[int, ...] | None:
    """Return torch's dimensions, of which an empty list means all, as jax.numpy's axis."""
    return dim if isinstance(dim, int) or dim is None else tuple(dim) or None


def add(x: Array, other: Array, alpha: Array = 1) -> Array:
    return x + other if isinstance(alpha, int) and alpha == 1 else x + alpha * other


def sub(x: Array, other: Array, alpha: Array = 1) -> Array:
    return x - other if isinstance(alpha, int) and alpha == 1 else x - alpha * other


def div(x: Array, other: Array, rounding_mode: str | None = None) -> Array:
    quotient = x / other
    return {"floor": jnp.floor, "trunc": jnp.trunc}[rounding_mode](quotient) if rounding_mode else quotient


def power(x: Array, exponent: Array) -> Array:
    return x if isinstance(exponent, float) and exponent == 1 else x**exponent


def sign(x: Array) -> Array:
    """Return the sign, which for NaN is 0 as in torch."""
    return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


def clamp(x: Array, min: Array = None, max: Array = None) -> Array:
    x = x if min is None else jnp.maximum(x, min)
    return x if max is None else jnp.minimum(x, max)


def reduction(reduce: Callable[..., Array]) -> Callable[..., Array]:
    """Return a reduction over dimensions, by default over all."""

    @wraps(reduce)
    def over(x: Array, dim: Axes = None, keepdim: bool = False) -> Array:
        return reduce(x, axis=axes(dim), keepdims=keepdim)

    return over


def total(x: Array, dim: Axes = None, keepdim: bool = False) -> Array:
    return jnp.sum(x, axis=axes(dim), keepdims=keepdim)


def vector_norm(x: Array, ord: float = 2, dim: Axes = None, keepdim: bool = False) -> Array:
    """Return the norm of all entries, or along dimensions; squares are summed in double precision, as in torch."""
    axis = axes(dim)
    match float(ord):
        case 2.0:
            return jnp.sqrt(jnp.sum(jnp.square(x), axis=axis, keepdims=keepdim))
        case 1.0:
            return jnp.sum(jnp.abs(x), axis=axis, keepdims=keepdim)
        case 0.0:
            return jnp.sum(x != 0, axis=axis, keepdims=keepdim)
        case order if order in (jnp.inf, -jnp.inf):
            return (jnp.max if order > 0 else jnp.min)(jnp.abs(x), axis=axis, keepdims=keepdim)
    return jnp.sum(jnp.abs(x) ** ord, axis=axis, keepdims=keepdim) ** (1 / ord)


def expand(x: Array, size: Sequence[int]) -> Array:
    kept = (1,) * (len(size) - x.ndim) + x.shape
    return jnp.broadcast_to(x, [old if new == -1 else new for old, new in zip(kept, size, strict=True)])


def squeeze(x: Array, dim: Axes = None) -> Array:
    chosen = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    return jnp.squeeze(x, tuple(d for d in chosen if x.shape[d] == 1))


def sliced(x: Array, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Array:
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)]


def slice_scatter(
    x: Array, src: Array, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Array:
    return x.at[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)].set(src)


def select_scatter(x: Array, src: Array, dim: int, index: int) -> Array:
    return x.at[(slice(None),) * (dim % x.ndim) + (index,)].set(src)


def pad(x: Array, pad: Sequence[int], value: Array = 0) -> Array:
    """Pad by `pad`: before and after, from the last dimension on; negative numbers crop."""
    each = [(pad[i], pad[i + 1], 0) for i in range(0, len(pad), 2)]
    return lax.pad(x, jnp.asarray(value, x.dtype), [(0, 0, 0)] * (x.ndim - len(each)) + each[::-1])


def index(x: Array, indices: Sequence[Array | None]) -> Array:
    return x[tuple(slice(None) if one is None else one for one in indices)]


def index_put(x: Array, indices: Sequence[Array | None], values: Array, accumulate: bool = False) -> Array:
    place = x.at[tuple(slice(None) if one is None else one for one in indices)]
    return place.add(values) if accumulate else place.set(values)


def along(index: Array, dim: int) -> tuple[Array, ...]:
    """Return the indices that pick, for each entry of `index`, its place along one dimension."""
    places = list(jnp.indices(index.shape, sparse=True))
    places[dim] = index
    return tuple(places)


def gather(x: Array, dim: int, index: Array, sparse_grad: bool = False) -> Array:
    return x[along(index, dim)]


def scatter(x: Array, dim: int, index: Array, src: Array) -> Array:
    source = src if jnp.ndim(src) == 0 else src[tuple(slice(size) for size in index.shape)]
    return x.at[along(index, dim)].set(source)


def scatter_add(x: Array, dim: int, index: Array, src: Array) -> Array:
    return x.at[along(index, dim)].add(src[tuple(slice(size) for size in index.shape)])


def addmm(x: Array, mat1: Array, mat2: Array, beta: Array = 1, alpha: Array = 1) -> Array:
    return add(x if beta == 1 else beta * x, mat1 @ mat2, alpha)


def arange(start: Array, end: Array = None, step: Array = 1) -> Array:
    return jnp.arange(start, end, step)


def variance(x: Array, dim: Axes = None, correction: float | None = None, keepdim: bool = False) -> Array:
    return jnp.var(x, axis=axes(dim), ddof=1 if correction is None else int(correction), keepdims=keepdim)


def cumulated(x: Array, dim: int) -> Array:
    return jnp.cumsum(x, axis=dim)


def logical(operator: Callable[..., Array]) -> Callable[..., Array]:
    """Return an operator of booleans, for which every number but 0 is true."""
    return lambda *several: operator(*(one != 0 for one in several))


def full_like(x: Array, fill_value: Array = 0) -> Array:
    return jnp.full(x.shape, fill_value)


POINTWISE: Mapping[str, Callable[..., Array]] = {
    "abs": jnp.abs, "acos": jnp.arccos, "asin": jnp.arcsin, "atan": jnp.arctan, "ceil": jnp.ceil, "cos": jnp.cos,
    "cosh": jnp.cosh, "erf": jax.scipy.special.erf, "exp": jnp.exp, "expm1": jnp.expm1, "floor": jnp.floor,
    "isinf": jnp.isinf, "isnan": jnp.isnan, "log": jnp.log, "log10": jnp.log10, "log1p": jnp.log1p, "log2": jnp.log2,
    "logical_not": logical(jnp.logical_not), "bitwise_not": jnp.bitwise_not, "neg": jnp.negative,
    "reciprocal": lambda x: 1 / x, "relu": lambda x: jnp.maximum(x, 0), "round": jnp.round, "rsqrt": lax.rsqrt,
    "sigmoid": jax.nn.sigmoid, "sign": sign, "sin": jnp.sin, "sinh": jnp.sinh, "sqrt": jnp.sqrt, "tan": jnp.tan,
    "tanh": jnp.tanh, "trunc": jnp.trunc,
}  # fmt: skip
PAIRS: Mapping[str, Callable[..., Array]] = {
    "add": add, "sub": sub, "mul": jnp.multiply, "div": div, "eq": jnp.equal, "ne": jnp.not_equal, "lt": jnp.less,
    "le": jnp.less_equal, "gt": jnp.greater, "ge": jnp.greater_equal, "remainder": jnp.remainder, "fmod": jnp.fmod,
    "bitwise_and": jnp.bitwise_and, "bitwise_or": jnp.bitwise_or, "bitwise_xor": jnp.bitwise_xor,
}  # fmt: skip
OTHERS: Mapping[str, Callable[..., Array]] = {
    "_log_softmax.default": lambda x, dim, half_to_float: jax.nn.log_softmax(x, dim),
    "_softmax.default": lambda x, dim, half_to_float: jax.nn.softmax(x, dim),
    "_to_copy.default": lambda x: x,
    "_unsafe_view.default": jnp.reshape,
    "addmm.default": addmm,
    "alias.default": lambda x: x,
    "amax.default": reduction(jnp.max),
    "amin.default": reduction(jnp.min),
    "any.default": reduction(jnp.any),
    "any.dim": reduction(jnp.any),
    "any.dims": reduction(jnp.any),
    "arange.start_step": arange,
    "argmax.default": reduction(jnp.argmax),
    "argmin.default": reduction(jnp.argmin),
    "atan2.default": jnp.arctan2,
    "bmm.default": jnp.matmul,
    "cat.default": lambda tensors, dim=0: jnp.concatenate([one for one in tensors if one.shape != (0,)], dim),
    "clamp.Tensor": clamp,
    "clamp.default": clamp,
    "clone.default": lambda x: x,
    "constant_pad_nd.default": pad,
    "cumsum.default": cumulated,
    "detach.default": lambda x: x,
    "div.Tensor_mode": div,
    "empty.memory_format": lambda size: jnp.zeros(size),
    "expand.default": expand,
    "fill.Scalar": full_like,
    "flip.default": lambda x, dims: jnp.flip(x, tuple(dims)),
    "full.default": jnp.full,
    "full_like.default": full_like,
    "gather.default": gather,
    "gelu.default": lambda x, approximate="none": jax.nn.gelu(x, approximate=approximate == "tanh"),
    "index.Tensor": index,
    "index_put.default": index_put,
    "index_select.default": lambda x, dim, index: jnp.take(x, index, axis=dim),
    "lift_fresh_copy.default": lambda x: x,
    "linalg_vector_norm.default": vector_norm,
    "logical_and.default": logical(jnp.logical_and),
    "logical_or.default": logical(jnp.logical_or),
    "logical_xor.default": logical(jnp.logical_xor),
    "maximum.default": jnp.maximum,
    "mean.default": reduction(jnp.mean),
    "mean.dim": reduction(jnp.mean),
    "minimum.default": jnp.minimum,
    "mm.default": jnp.matmul,
    "permute.default": lambda x, dims: jnp.transpose(x, dims),
    "pow.Scalar": power,
    "pow.Tensor_Scalar": power,
    "pow.Tensor_Tensor": power,
    "prod.default": reduction(jnp.prod),
    "repeat.default": lambda x, repeats: jnp.tile(x, repeats),
    "scalar_tensor.default": jnp.asarray,
    "scatter.src": scatter,
    "scatter.value": lambda x, dim, index, value: scatter(x, dim, index, value),
    "scatter_add.default": scatter_add,
    "select.int": lambda x, dim, index: lax.index_in_dim(x, index, dim, keepdims=False),
    "select_scatter.default": select_scatter,
    "slice.Tensor": sliced,
    "slice_scatter.default": slice_scatter,
    "sort.default": lambda x, dim=-1, descending=False: (
        jnp.sort(x, axis=dim, descending=descending),
        jnp.argsort(x, axis=dim, descending=descending),
    ),
    "squeeze.dim": squeeze,
    "squeeze.dims": squeeze,
    "sum.default": total,
    "sum.dim_IntList": total,
    "unsqueeze.default": jnp.expand_dims,
    "var.correction": variance,
    "var_mean.correction": lambda x, *given, **more: (
        variance(x, *given, **more),
        jnp.mean(x, axis=axes(given[0] if given else None), keepdims=more.get("keepdim", False)),
    ),
    "view.default": jnp.reshape,
    "where.self": jnp.where,
}

OPERATORS: Mapping[str, Callable[..., Array]] = MappingProxyType(
    {f"aten.{name}.default": function for name, function in POINTWISE.items()}
    | {f"aten.{name}.{kind}": function for name, function in PAIRS.items() for kind in ("Tensor", "Scalar")}
    | {f"aten.{name}": function for name, function in OTHERS.items()}
)
