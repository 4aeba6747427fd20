"""Laws of the methods, by name and in words: tests/laws states them, and the catalogue shows them.

A method that breaks a law by design declares it in `waives`, with the reason; the tests then check that it does.
"""

from collections.abc import Mapping
from types import MappingProxyType

CLIPPING_LAWS: Mapping[str, str] = MappingProxyType(
    {
        "unchanged_below": "a gradient below the bound passes unchanged, bit for bit",
        "bound_met": "a gradient above the bound comes out at it",
        "idempotent": "clipping twice is clipping once",
        "direction_kept": "the part of the gradient it acts on keeps its direction",
        "homogeneous": "clip_c(g) = c clip_1(g / c): only the ratio of gradient and bound matters",
        "zero_kept": "a zero gradient stays zero, and finite",
        "form_kept": "shapes, types and device stay",
        "no_randomness": "no random number is drawn",
        "mapped": "mapped over replicates it is the same as one at a time",
        "nan_visible": "a NaN in the gradient stays visible",
        "infinity_visible": "an infinity in the gradient stays visible",
        "never_all_zero": "a non-finite gradient never silently becomes zero",
        "inputs_kept": "what comes in is not changed in place",
    }
)

REGULARIZATION_LAWS: Mapping[str, str] = MappingProxyType(
    {
        "acts_where_it_says": "it acts at the place it declares and nowhere else",
        "slope": "the gradient of the penalty is the one that finite differences and autograd find",
        "penalty_form": "the penalty is even, not negative, and linear in its strength",
        "slope_at_zero": "the gradient of the penalty is finite at zero parameters",
        "biases_exempt": "biases are exempt unless asked for",
        "minimises": "its proximal step or projection solves the minimisation that defines it",
        "mapped": "mapped over replicates it is the same as one at a time",
        "given_noise": "random numbers come from the given stream alone, and nothing is changed in place",
        "zero_is_none": "at strength zero training is the same as without it, bit for bit",
        "some_is_not_none": "at some strength it is not",
    }
)
