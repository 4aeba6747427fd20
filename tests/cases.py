"""Small variants, and an example of every method: a line in a table here puts a new method under all laws."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from study.clipping import Clipping
from study.config.variants import Variant
from study.methods.base import Method
from study.regularization import Regularization

Make = Callable[[float], Any]

SMALL: Mapping[str, Any] = MappingProxyType(
    {
        "regime": "small",
        "data": {"name": "mnist-sample", "train_size": 100, "validation_size": 50},
        "model": {"name": "mlp", "hidden": [12, 8]},
        "loss": "cross_entropy",
        "optimizer": {"name": "sgd", "lr": 0.1},
        "epochs": 2,
        "batch_size": 20,
        "clip": {"name": "global_norm", "max_norm": 0.5},
        "regularization": "none",
        "statistics": {"every_step": True, "windows": 50, "probes": 2, "probe_samples": 8, "curve_samples": 60},
    }
)


# A configuration with every key.
STUDY: dict[str, Any] = {
    "name": "example",
    "description": "An example.",
    "seeds": [4, 2],
    "seeds_per_job": 5,
    "device": "cpu",
    "statistics": {"every_step": False, "windows": 50, "probes": 3, "probe_samples": 16, "curve_samples": 500},
    "defaults": {
        "data": {"name": "mnist-sample", "validation_size": 200},
        "model": {"name": "mlp", "hidden": [64, 32], "activation": "tanh", "init": "xavier"},
        "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9},
        "clips": ["none", {"name": "global_norm", "max_norm": 0.5}],
        "regularizations": ["none", {"name": "l2", "strength": 1e-3}],
    },
    "regimes": {
        "plain": None,
        "noisy": {
            "description": "A fifth of the labels is wrong.",
            "data": {"label_noise": 0.2, "train_size": 500},
            "optimizer": {"lr": 0.5},
            "loss": "squared_error",
            "epochs": 3,
            "batch_size": 50,
            "regularizations": ["none", [{"name": "l2", "strength": 0.1}, {"name": "dropout", "p": 0.5}]],
        },
        "adaptive": {"optimizer": "adam", "clips": ["none", {"name": "value", "bound": "1e-3"}]},
        "swept": {
            "from": ["small", "adam"],
            "data": {"name": "mnist-sample", "train_size": 300, "validation_size": 200},
            "sweep": {
                "optimizer.lr": [0.001, 0.01],
                "depth": {"flat": {"model": {"hidden": [8]}}, "deep": {"model": {"hidden": [8, 8, 8]}}},
            },
            "batch_size": 50,
            "grid": "alone",
            "clips": ["none", {"name": "global_norm", "max_norm": {"grid": [1.0, 0.1]}}],
            "regularizations": [
                "none",
                [{"name": "l2", "strength": {"grid": [0.1, 1]}}, {"name": "dropout", "p": 0.5}],
            ],
            "tuning": {"folds": 5, "rule": "one_standard_error", "seeds": 2, "along": ["optimizer.lr"]},
        },
    },
}


def variant(**changes: Any) -> Variant:
    """A variant that trains in a tenth of a second, with some fields set otherwise."""
    return Variant.model_validate({**SMALL, **changes})


# Every clipping as a function of its bound, in each of its modes.
CLIPPINGS: dict[str, list[Callable[[float], dict[str, Any]]]] = {
    "none": [lambda c: {}],
    "value": [lambda c: {"bound": c}, lambda c: {"bound": c, "low": -c / 4}],
    "global_norm": [
        lambda c: {"max_norm": c},
        lambda c: {"max_norm": c, "order": 1},
        lambda c: {"max_norm": c, "order": "inf"},
    ],
    "adaptive_unit": [
        lambda c: {"ratio": c},
        lambda c: {"ratio": c, "floor": 0.1},
        lambda c: {"ratio": c, "skip_last": True},
    ],
    "sign_on_trigger": [lambda c: {"threshold": c}, lambda c: {"threshold": c, "tensors": "all"}],
    "value_as_printed": [lambda c: {"bound": c}, lambda c: {"bound": c, "lower": 2 * c}],
    "layer_norm": [
        lambda c: {"max_norm": c},
        lambda c: {"max_norm": c, "order": 1},
        lambda c: {"max_norm": c, "order": "inf"},
    ],
    "block_rms": [lambda c: {"threshold": c}],
    "normalized": [lambda c: {"length": c}],
    "sign": [lambda c: {"magnitude": c}],
    # Those whose bound is in what they remember.
    "percentile": [lambda c: {}, lambda c: {"percentile": 50, "window": 30}],
    "zscore": [lambda c: {}, lambda c: {"z_threshold": 1.5, "smoothing": 0.9, "warm_up_steps": 5}],
    "ema_tensor": [lambda c: {}, lambda c: {"ratio": 1.5, "max_norm": c, "smoothing": 0.5, "warm_up_steps": 2}],
    "spike": [lambda c: {}, lambda c: {"threshold": 50, "smoothing": 0.9, "warm_up_steps": 2}],
    "per_sample": [lambda c: {"max_norm": c}],
    "per_sample_layer": [lambda c: {"max_norm": c}],
    "per_sample_adaptive": [
        lambda c: {"initial_norm": c},
        lambda c: {"initial_norm": c, "quantile": 0.9, "rate": 0.5},
    ],
}

# Every regularization as a function of its strength, in each of its modes; at strength 0 it does nothing.
REGULARIZATIONS: dict[str, list[Callable[[float], dict[str, Any]]]] = {
    "none": [lambda s: {}],
    "l1": [lambda s: {"strength": s}, lambda s: {"strength": s, "biases": True}],
    "l2": [lambda s: {"strength": s}, lambda s: {"strength": s, "biases": True}],
    "elastic_net": [
        lambda s: {"lambda1": s, "lambda2": s / 2},
        lambda s: {"lambda1": 0.3, "lambda2": 0.2, "strength": s, "biases": True},
    ],
    "sum_of_norms": [lambda s: {"strength": s}, lambda s: {"strength": s, "biases": False}],
    "dropout": [lambda s: {"p": s}, lambda s: {"p": s, "input_p": s / 2}],
    "weight_decay": [lambda s: {"strength": s}, lambda s: {"strength": s, "biases": True}],
    "decoupled_decay": [lambda s: {"strength": s}, lambda s: {"strength": s, "biases": True}],
    "l1_proximal": [lambda s: {"strength": s}, lambda s: {"strength": s, "biases": True}],
    "elastic_net_proximal": [
        lambda s: {"lambda1": s, "lambda2": s / 2},
        lambda s: {"lambda1": 0.3, "lambda2": 0.2, "strength": s, "biases": True},
    ],
    "group_lasso": [lambda s: {"strength": s}, lambda s: {"strength": s, "groups": "incoming"}],
    "max_norm": [lambda s: {"bound": 0.05 / s if s else 1e30}],
    "spectral_norm": [
        lambda s: {"bound": 0.05 / s if s else 1e30},
        lambda s: {"bound": 0.05 / s if s else 1e30, "iterations": 3},
    ],
    "early_stopping": [
        lambda s: {"patience": 1 if s else 10**6, "min_delta": 1000 * s},
        lambda s: {"patience": 1 if s else 10**6, "min_delta": 1000 * s, "restore_best": True},
    ],
    "weight_averaging": [lambda s: {"decay": s}],
    "label_smoothing": [lambda s: {"smoothing": s}],
    "mixup": [lambda s: {"alpha": s}],
    "augmentation": [lambda s: {"shift": 2 * s}, lambda s: {"shift": 0, "degrees": 90 * s}],
    "input_noise": [lambda s: {"std": s}],
    "fedprox": [lambda s: {"mu": s}],
    "r1": [lambda s: {"strength": s}],
    "r2": [lambda s: {"strength": s}],
    "wgan_gp": [lambda s: {"strength": s}],
    "dragan": [lambda s: {"strength": s}, lambda s: {"strength": s, "std": 0.0}],
    "one_sided_smoothing": [lambda s: {"smoothing": s}],
    "weight_clipping": [lambda s: {"bound": 0.005 / s if s else 1e30}],
    "gradient_noise": [lambda s: {"eta": s}, lambda s: {"eta": s, "when": "before"}],
    "gradient_penalty": [lambda s: {"strength": s}],
    "jacobian": [lambda s: {"strength": s}, lambda s: {"strength": s, "projections": 3}],
    "sam": [lambda s: {"rho": s}, lambda s: {"rho": s, "clip": "ascent"}],
}

MODELS: dict[str, list[dict[str, Any]]] = {
    "mlp": [
        {"hidden": [12, 8]},
        {"hidden": [13, 7], "activation": "gelu"},
        {"hidden": [8] * 5, "activation": "sigmoid", "init": "xavier"},
        {"hidden": [12, 8], "batch_norm": True},
    ],
    "lenet": [{}, {"activation": "sigmoid", "init": "he"}],
    "patch_transformer": [
        {"blocks": 1, "width": 16, "heads": 2},
        {"blocks": 2, "width": 8, "heads": 1, "patch": 14, "activation": "relu"},
    ],
    "private_cnn": [{}, {"activation": "tanh", "init": "xavier"}],
    "row_rnn": [{"units": 8}, {"units": 7, "activation": "relu", "init": {"name": "normal", "std": 0.2}}],
}

OPTIMIZERS: dict[str, list[dict[str, Any]]] = {
    "sgd": [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.9, "nesterov": True}],
    "adam": [{"lr": 0.003, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6}],
    "adamw": [{"lr": 0.003, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6, "weight_decay": 0.1}],
    "rmsprop": [{"lr": 0.001, "smoothing": 0.9, "epsilon": 1e-6}],
}


def modes(family: type[Method], table: Mapping[str, list[Callable[[float], dict[str, Any]]]]) -> dict[str, Make]:
    """Every method in each of its modes as a function of its one number, by its label at 0.5.

    A method that is not in the table, as one of a file given by `--methods`, is taken in its default mode.
    """

    def make(name: str, given: Callable[[float], dict[str, Any]]) -> Make:
        return lambda number: family.parse({"name": name, **given(number)})

    others = {name: [default_mode(method)] for name, method in family.members.items() if name not in table}
    made = [make(name, given) for name, several in {**table, **others}.items() for given in several]
    return {one(0.5).label: one for one in made}


def default_mode(method: type[Method]) -> Callable[[float], dict[str, Any]]:
    """Its first number that must be given is the one number; without such a one the method is taken as it is."""
    required = [key for key, field in method.model_fields.items() if field.is_required() and field.annotation is float]
    return lambda number: dict.fromkeys(required[:1], number)


def shipped(family: type[Method]) -> set[str]:
    """The names of the methods that come with this package, which must be in the tables."""
    return {name for name, method in family.members.items() if method.__module__.startswith("study.")}


CLIP_MODES = modes(Clipping, CLIPPINGS)
REGULARIZATION_MODES = modes(Regularization, REGULARIZATIONS)


def each_method() -> dict[str, dict[str, Any]]:
    """What a variant changes to have each clip, regularizer, optimizer and model, in each of its modes, by name."""
    clips = {f"clip {label}": {"clip": make(0.05)} for label, make in CLIP_MODES.items()}
    regularizers = {f"with {label}": {"regularization": make(0.1)} for label, make in REGULARIZATION_MODES.items()}
    parts = (("optimizer", OPTIMIZERS), ("model", MODELS))
    others = {
        f"{name} {number}": {part: {"name": name, **given}}
        for part, table in parts
        for name, several in table.items()
        for number, given in enumerate(several)
    }
    return {**clips, **regularizers, **others}
