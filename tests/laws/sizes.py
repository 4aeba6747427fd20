"""How large a gradient is beside a clipping's bound, in plain Python: the method acts where this is above 1."""

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor

from study.clipping.adaptive_unit import AdaptiveUnit, last_layer
from study.clipping.global_norm import GlobalNorm
from study.clipping.none import NoClipping
from study.clipping.sign_on_trigger import SignOnTrigger
from study.clipping.value import Value

Tensors = dict[str, Tensor]


def none_size(method: NoClipping, g: Tensors, w: Tensors) -> float:
    return 0.0


def value_size(method: Value, g: Tensors, w: Tensors) -> float:
    low = -method.bound if method.low is None else method.low
    entries = [x for t in g.values() for x in t.flatten().tolist()]
    return max(x / method.bound if x > 0 else x / low for x in entries)


def global_norm_size(method: GlobalNorm, g: Tensors, w: Tensors) -> float:
    entries = [abs(x) for t in g.values() for x in t.flatten().tolist()]
    norms = {1: math.fsum(entries), 2: math.hypot(*entries), "inf": max(entries)}
    return norms[method.order] / method.max_norm


def adaptive_unit_size(method: AdaptiveUnit, g: Tensors, w: Tensors) -> float:
    exempt = last_layer(g) if method.skip_last else []
    shares = [
        math.hypot(*g_i) / (method.ratio * max(math.hypot(*w_i), method.floor))
        for key in g
        if key not in exempt
        for g_i, w_i in zip(units(g[key]), units(w[key]), strict=True)
    ]
    return max(shares)


def units(tensor: Tensor) -> list[list[float]]:
    return tensor.flatten(1).tolist() if tensor.ndim > 1 else [tensor.tolist()]


def sign_on_trigger_size(method: SignOnTrigger, g: Tensors, w: Tensors) -> float:
    looked_at = list(g.values())[: None if method.tensors == "all" else 1]
    return max(math.hypot(*t.flatten().tolist()) for t in looked_at) / method.threshold


SIZES: dict[str, Callable[[Any, Tensors, Tensors], float]] = {
    "none": none_size,
    "value": value_size,
    "global_norm": global_norm_size,
    "adaptive_unit": adaptive_unit_size,
    "sign_on_trigger": sign_on_trigger_size,
}
