"""How large a gradient is beside a clipping's bound, in plain Python: the method acts where this is above 1."""

import math
from collections.abc import Callable
from typing import Any

from cases import Make
from clips import WARM, Tensors, same, units, warm

from study.clipping import Clipping
from study.clipping.adaptive_unit import AdaptiveUnit, last_layer
from study.clipping.block_rms import BlockRms
from study.clipping.global_norm import GlobalNorm
from study.clipping.layer_norm import LayerNorm
from study.clipping.none import NoClipping
from study.clipping.normalized import Normalized
from study.clipping.per_sample import PerSampleNorm
from study.clipping.per_sample_adaptive import PerSampleAdaptive
from study.clipping.per_sample_layer import PerSampleLayer
from study.clipping.sign import Sign
from study.clipping.sign_on_trigger import SignOnTrigger
from study.clipping.value import Value
from study.clipping.value_as_printed import ValueAsPrinted

SMALL = 2.0**-18  # in float32 a smooth clip, as g / (1 + |g| / c), still changes some entry


def entries(g: Tensors) -> list[float]:
    return [x for t in g.values() for x in t.flatten().tolist()]


def norms(x: list[float]) -> dict[Any, float]:
    """By order."""
    sizes = [abs(each) for each in x]
    return {1: math.fsum(sizes), 2: math.hypot(*sizes), "inf": max(sizes)}


def none_size(method: NoClipping, g: Tensors, w: Tensors) -> float:
    return 0.0


def value_size(method: Value, g: Tensors, w: Tensors) -> float:
    low = -method.bound if method.low is None else method.low
    return max(x / method.bound if x > 0 else x / low for x in entries(g))


def value_as_printed_size(method: ValueAsPrinted, g: Tensors, w: Tensors) -> float:
    lower = method.bound if method.lower is None else method.lower
    return max(x / method.bound if x > 0 else -x / lower for x in entries(g))


def sign_size(method: Sign, g: Tensors, w: Tensors) -> float:
    return max(abs(x) for x in entries(g)) / method.magnitude


def global_norm_size(method: GlobalNorm, g: Tensors, w: Tensors) -> float:
    return norms(entries(g))[method.order] / method.max_norm


def normalized_size(method: Normalized, g: Tensors, w: Tensors) -> float:
    return math.hypot(*entries(g)) / method.length


def layer_norm_size(method: LayerNorm, g: Tensors, w: Tensors) -> float:
    return max(norms(entries({key: t}))[method.order] for key, t in g.items()) / method.max_norm


def block_rms_size(method: BlockRms, g: Tensors, w: Tensors) -> float:
    return max(math.hypot(*entries({key: t})) / t.numel() ** 0.5 for key, t in g.items()) / method.threshold


def adaptive_unit_size(method: AdaptiveUnit, g: Tensors, w: Tensors) -> float:
    exempt = last_layer(g) if method.skip_last else []
    shares = [
        math.hypot(*g_i) / (method.ratio * max(math.hypot(*w_i), method.floor))
        for key in g
        if key not in exempt
        for g_i, w_i in zip(units(g[key]), units(w[key]), strict=True)
    ]
    return max(shares)


def sign_on_trigger_size(method: SignOnTrigger, g: Tensors, w: Tensors) -> float:
    looked_at = list(g.values())[: None if method.tensors == "all" else 1]
    return max(math.hypot(*t.flatten().tolist()) for t in looked_at) / method.threshold


def whole_norm(method: Clipping, g: Tensors, w: Tensors) -> float:
    return math.hypot(*entries(g))


def largest_norm_of_a_tensor(method: Clipping, g: Tensors, w: Tensors) -> float:
    return max(math.hypot(*entries({key: t})) for key, t in g.items())


def largest_entry(method: Clipping, g: Tensors, w: Tensors) -> float:
    return max(abs(x) for x in entries(g))


def per_sample_size(method: PerSampleNorm, g: Tensors, w: Tensors) -> float:
    return math.hypot(*entries(g)) / method.max_norm


def per_sample_layer_size(method: PerSampleLayer, g: Tensors, w: Tensors) -> float:
    return largest_norm_of_a_tensor(method, g, w) * len(g) ** 0.5 / method.max_norm


def per_sample_adaptive_size(method: PerSampleAdaptive, g: Tensors, w: Tensors) -> float:
    return math.hypot(*entries(g)) / method.initial_norm


# Of a method whose bound is in what it remembers (in `WARM`), the size beside a bound of 1.
SIZES: dict[str, Callable[[Any, Tensors, Tensors], float]] = {
    "none": none_size,
    "value": value_size,
    "value_as_printed": value_as_printed_size,
    "sign": sign_size,
    "global_norm": global_norm_size,
    "normalized": normalized_size,
    "layer_norm": layer_norm_size,
    "block_rms": block_rms_size,
    "adaptive_unit": adaptive_unit_size,
    "sign_on_trigger": sign_on_trigger_size,
    "percentile": whole_norm,
    "zscore": whole_norm,
    "ema_tensor": largest_norm_of_a_tensor,
    "spike": largest_entry,
    "per_sample": per_sample_size,
    "per_sample_layer": per_sample_layer_size,
    "per_sample_adaptive": per_sample_adaptive_size,
}


def size(make: Make, c: float, g: Tensors, w: Tensors) -> float:
    """The size of a gradient beside the bound c; of a method that is not in the table, as it is found by trying."""
    method = make(c)
    if method.name not in SIZES:
        return size_by_bisection(make, c, g, w)
    return SIZES[method.name](method, g, w) / (c if method.name in WARM else 1)


def size_by_bisection(make: Make, c: float, g: Tensors, w: Tensors) -> float:
    """One over the factor from which on the clip changes the scaled gradient: infinite if always, 0 if never.

    A clip that changes a gradient of norm `SMALL` c acts always: still smaller ones it may leave alone by rounding.
    """
    method = make(c)
    state = warm(method, c, w)

    def changes(exponent: float) -> bool:
        scaled = {key: t * 2.0**exponent for key, t in g.items()}
        return not same(method.clip(scaled, w, state)[0], scaled)

    kept = min(40.0, math.log2(SMALL * c / max(whole_norm(method, g, w), 1e-30)))
    changed = kept + 80.0
    if changes(kept) or not changes(changed):
        return math.inf if changes(kept) else 0.0
    while changed - kept > 1e-7:
        middle = (kept + changed) / 2
        kept, changed = (kept, middle) if changes(middle) else (middle, changed)
    return 2.0**-changed


def scaled(make: Make, c: float, g: Tensors, w: Tensors, to: float) -> Tensors:
    """The gradient at `to` times the bound c; as it is for a method that never acts, or always."""
    now = size(make, c, g, w)
    return {key: t * (to / now) for key, t in g.items()} if 0 < now < math.inf else g
