"""Names of methods and cells for people: `global_norm(0.1)` is read as "clip to norm 0.1"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from study.methods.labels import NONE, method_of

PHRASES: Mapping[str, Mapping[str, str]] = {
    "clip": {
        NONE: "no clip",
        "global_norm": "clip to norm {max_norm}",
        "layer_norm": "clip each tensor to norm {max_norm}",
        "value": "clip values at ±{bound}",
        "value_as_printed": "clip values at ±{bound}, as printed",
        "adaptive_unit": "adaptive clip, ratio {ratio}",
        "block_rms": "clip each tensor's RMS at {threshold}",
        "ema_tensor": "clip each tensor at {ratio=1.05} times its average",
        "normalized": "normalize to length {length=1}",
        "sign": "sign of the gradient",
        "sign_on_trigger": "sign above norm {threshold}",
        "percentile": "clip to percentile {percentile=10} of past norms",
        "spike": "clamp entries above {threshold=5000} times their average square",
        "zscore": "clip at z-score {z_threshold=2.5}",
        "per_sample": "clip each sample to norm {max_norm}",
        "per_sample_layer": "clip each sample's tensors to norm {max_norm}",
        "per_sample_adaptive": "clip samples at a tracked quantile, from norm {initial_norm}",
    },
    "regularization": {
        NONE: "no regularizer",
        "l1": "L1, lambda {strength}",
        "l2": "L2, lambda {strength}",
        "elastic_net": "elastic net, L1 {lambda1}, L2 {lambda2}",
        "l1_proximal": "proximal L1, lambda {strength}",
        "elastic_net_proximal": "proximal elastic net, L1 {lambda1}, L2 {lambda2}",
        "weight_decay": "weight decay {strength}",
        "decoupled_decay": "decoupled weight decay {strength}",
        "dropout": "dropout {p}",
        "early_stopping": "early stopping, patience {patience=5}",
        "label_smoothing": "label smoothing {smoothing}",
        "max_norm": "weights of a unit at most {bound}",
        "mixup": "mixup, alpha {alpha}",
        "augmentation": "shifts of up to {shift} pixels",
        "input_noise": "input noise {std}",
        "fedprox": "proximal term, mu {mu}",
        "r1": "R1, gamma {strength}",
        "r2": "R2, gamma {strength}",
        "wgan_gp": "WGAN gradient penalty {strength}",
        "dragan": "DRAGAN {strength}",
        "one_sided_smoothing": "one-sided smoothing {smoothing}",
        "weight_clipping": "clip weights at ±{bound}",
        "gradient_noise": "gradient noise {eta}",
        "gradient_penalty": "gradient penalty {strength}",
        "group_lasso": "group lasso {strength}",
        "jacobian": "Jacobian penalty {strength}",
        "sam": "SAM, rho {rho}",
        "spectral_norm": "spectral norm at most {bound}",
        "sum_of_norms": "sum of norms {strength}",
        "weight_averaging": "weight averaging, decay {decay=0.999}",
    },
}
"""Phrases of the methods of a kind with places `{parameter=default}`; a method without one is read by its name."""

METHOD_NAMES: Mapping[str, str] = {
    "block_rms": "block RMS",
    "elastic_net_proximal": "proximal elastic net",
    "l1": "L1",
    "l1_proximal": "proximal L1",
    "l2": "L2",
    "r1": "R1",
    "r2": "R2",
    "sam": "SAM",
    "value_as_printed": "value, as printed",
    "wgan_gp": "WGAN-GP",
    "zscore": "z-score",
}
"""Short names of methods whose strengths are told elsewhere; any other is read by its own name."""

KEY_NAMES: Mapping[str, str] = {
    "optimizer.lr": "learning rate",
    "data.train_size": "training digits",
    "data.label_noise": "share of wrong labels",
    "model.blocks": "blocks",
    "model.init": "initialisation",
    "batch_size": "batch size",
    "schedule.warmup": "warm-up steps",
    "workload.fraction": "share of clients a round",
    "workload.noise_multiplier": "noise multiplier",
    "workload.split": "split of clients",
    "workload.generator_rate": "generator's rate",
}
"""Names of keys of a configuration; any other is read by its last part."""
PLACE = re.compile(r"\{(\w+)(?:=([^}]*))?\}")
_LABEL = re.compile(r"([^()]+)(?:\((.*)\))?", re.DOTALL)


def phrase(kind: str, label: str) -> str:
    """Return a label of `kind` "clip" or "regularization" in words; the parts of a combination joined by " + "."""
    return " + ".join(_one(PHRASES[kind], part) for part in _parts(label))


def pattern(kind: str, name: str) -> str:
    """Return how labels of a method are told, its parameters in place of values: "clip to norm <max_norm>"."""
    return PLACE.sub(r"<\1>", PHRASES[kind].get(name, ""))


def told_of(text: str, samples: Mapping[str, Sequence[str]]) -> str:
    """Return a text whose phrases of clips of single samples name what these take for a sample.

    samples: one or more nouns for each method, as "update" where it clips the updates of clients.
    """
    for method, nouns in samples.items():
        for start in (PLACE.split(PHRASES["clip"].get(method, method))[0], "clip of each sample"):
            words = r"\s+".join(map(re.escape, start.split()))  # broken into lines or not
            # A phrase that begins a sentence has a capital letter.
            text = re.sub(words, partial(_named_anew, nouns=nouns), text, flags=re.IGNORECASE)
    return text


def _named_anew(found: re.Match[str], nouns: Sequence[str]) -> str:
    several, one = (" or ".join(f"{noun}{ending}" for noun in nouns) for ending in ("s", ""))
    return re.sub(r"\bsample\b", one, re.sub(r"\bsamples\b", several, found[0]))


def label_phrase(label: str) -> str:
    """Return a label of either kind in words, that of both baselines as "baseline"."""
    if label == NONE:
        return "baseline"
    parts = ((part, _LABEL.fullmatch(part)) for part in _parts(label))
    kinds = ["clip" if found and found[1] in PHRASES["clip"] else "regularization" for _, found in parts]
    return phrase("clip" if kinds[0] == "clip" else "regularization", label)


def short_name(name: str) -> str:
    """Return a method of either kind in a word or two; the parts of a combination joined by " + "."""
    return " + ".join(METHOD_NAMES.get(part, _plain(part)) for part in _parts(name))


def method_words(clip: str, regularization: str) -> str:
    """Return a method without its strength, that of a clip, of regularizers or of both, in a word or two."""
    return " + ".join(short_name(name) for name in (clip, regularization) if name != NONE) or "baseline"


def cell_phrase(clip: str, regularization: str) -> str:
    """Return a cell in words, with the baseline left out where a method is there."""
    told = {"clip": clip, "regularization": regularization}
    words = [phrase(kind, label) for kind, label in told.items() if label != NONE]
    return " with ".join(words) or "baseline"


def names_of(labels: Iterable[str]) -> dict[str, str]:
    """Return labels of cells and their methods in words, the baseline and words that need none left out."""
    known = [part for label in labels for part in _parts(label) if part != NONE]
    told = {label: label_phrase(label) for label in known if "(" in label}
    return {**{name: short_name(name) for name in map(method_of, known)}, **told}


def told_by(text: str, names: Mapping[str, str]) -> str:
    """Return a text with names, each where it stands whole, in words: "map_lr=3: value(0.1)".

    names: what is read for each, as of `names_of` and `regime_phrase`.
    """
    longest_first = sorted(filter(None, names), key=len, reverse=True)
    known = "|".join(map(re.escape, longest_first)) or "(?!)"
    return re.sub(rf"(?<![\w=])(?:{known})(?![\w=(]|\.\d)", lambda found: names[found[0]], text)


def key_name(key: str) -> str:
    """Return a key of a configuration in words: "data.label_noise" is "share of wrong labels"."""
    return KEY_NAMES.get(key, _plain(key.rpartition(".")[2]))


def regime_phrase(name: str, part_of: str = "", at: Sequence[tuple[str, str]] = ()) -> str:
    """Return a regime in words: its name, or its sweep's with the values of the swept keys, (key, value) each.

    A key by which the sweep is named is left out: "optimizers, adam".
    """
    sweep = _plain(part_of or name)
    values = [value if sweep.startswith(key_name(key)) else f"{key_name(key)} {value}" for key, value in at if key]
    return ", ".join([sweep, *values])


def _one(phrases: Mapping[str, str], label: str) -> str:
    found = _LABEL.fullmatch(label)
    if not found:
        return label
    name, inside = found.groups()
    template = phrases.get(name, "")
    places = [place[1] for place in PLACE.finditer(template)]
    given = _arguments(inside or "", places[0] if places else "")
    defaults = {place[1]: place[2] for place in PLACE.finditer(template)}
    values = {key: given.pop(key, defaults[key]) for key in places}
    if template and None not in values.values():
        head = PLACE.sub(lambda place: values[place[1]], template)
    else:  # of a user's own, or a label that leaves out what the phrase says
        head = " ".join([_plain(name), *filter(None, [given.pop("", None), *values.values()])])
    return ", ".join([head, *(f"{_plain(key)} {value}".strip() for key, value in given.items())])


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _arguments(inside: str, first: str) -> dict[str, str]:
    """The parameters of a label by name; `first` names the one that stands there without its name."""
    given = [part.strip() for part in _split(inside, ",") if part.strip()]
    pairs = [part.partition("=") if "=" in part else (first, "=", part) for part in given]
    return {key: value for key, _, value in pairs}


def _parts(label: str) -> list[str]:
    return [part.strip() for part in _split(label, "+")]


def _split(text: str, mark: str) -> list[str]:
    """Split where the mark stands outside brackets; a sign in an exponent, as 1e+06, is no mark."""
    parts, depth = [""], 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == mark and depth == 0 and (mark != "+" or text[at - 1 : at] == " "):
            parts.append("")
        else:
            parts[-1] += letter
    return parts
