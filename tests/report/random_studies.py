"""Small random studies that pass the check, and tables as the workflow would have made of them, without training."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from method_columns import with_methods

from study.analysis import profiles
from study.analysis.comparisons import compare, summarise
from study.analysis.questions import answers
from study.analysis.ranking import rank
from study.analysis.regimes import regime_table
from study.analysis.selection import choose, compare_tuned
from study.analysis.thresholds import thresholds
from study.config.read import parse
from study.config.study import FIGURE_NAMES, Study
from study.config.variants import Variant, expand, expand_tuning
from study.results import store
from study.results.own_metrics import where_measured
from study.results.store import Tables

DEFAULTS = {
    "data": {"name": "mnist-sample", "train_size": 100, "validation_size": 50},
    "batch_size": 50,
    "epochs": 2,
}
CLIPS = [{"name": "global_norm", "max_norm": {"grid": [1.0, 0.1]}}, {"name": "value", "bound": {"grid": [0.1, 0.01]}}]
PENALTIES = [{"name": "l2", "strength": {"grid": [0.01, 0.1]}}, {"name": "dropout", "p": {"grid": [0.2, 0.5]}}]
WORDS = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]) | st.sampled_from("*_`[]()<>{}@#$|\\~^&-+. 1"),
    max_size=30,
).map(lambda text: f"«{re.sub('[«»]', '', text)}»")  # by which a test tells it from what the report says
COLUMNS = ("train_accuracy", "test_accuracy", "validation_accuracy", "train_loss", "test_loss", "validation_loss")


@dataclass(frozen=True)
class Made:
    """A study, and what became of it: cells that are missing, cells whose runs all fail, the luck of the others."""

    study: Study
    missing: frozenset[int]
    exploded: frozenset[int]
    at_chance: frozenset[int]
    luck: int


@st.composite
def regimes(draw: st.DrawFn) -> dict[str, Any]:
    """One regime: methods, grid, noise, a sweep or none, tuned or not."""
    part = {
        "grid": draw(st.sampled_from(["alone", "crossed"])),
        "description": draw(WORDS),
        "clips": ["none", *draw(st.lists(st.sampled_from(CLIPS), unique_by=str, max_size=2))],
        "regularizations": ["none", *draw(st.lists(st.sampled_from(PENALTIES), unique_by=str, max_size=2))],
        "data": {"label_noise": draw(st.sampled_from([0.0, 0.2]))},
    }
    swept = draw(st.booleans())
    if swept:
        part["sweep"] = {"optimizer.lr": [0.1, 1.0]}
    if draw(st.booleans()):
        part["tuning"] = {"seeds": 2, **({"along": ["optimizer.lr"]} if swept and draw(st.booleans()) else {})}
    return part


@st.composite
def studies(draw: st.DrawFn) -> Made:
    """A study of one to three regimes and one to twelve seeds, and what became of it."""
    config = {
        "name": "random",
        "description": draw(WORDS),
        "seeds": draw(st.integers(1, 12)),
        "defaults": DEFAULTS,
        "statistics": {"probes": 0},
        "regimes": {name: draw(regimes()) for name in "abc"[: draw(st.integers(1, 3))]},
    }
    study = parse(config)
    cells = len(expand(study))
    if draw(st.booleans()):
        able = [one for one in FIGURE_NAMES if not study.lacks(one)]
        study = parse({**config, "figures": draw(st.lists(st.sampled_from(able), min_size=1, unique=True))})
    some = st.frozensets(st.integers(0, cells - 1), max_size=max(1, cells // 3))
    missing = draw(st.just(frozenset[int]()) | some)
    missing = missing if len(missing) < cells else frozenset[int]()
    return Made(study, missing, draw(some), draw(some), draw(st.integers(0, 99)))


def tables(made: Made) -> Tables:
    """All tables of a study, made by the analyses from made-up runs."""
    study, rng = made.study, np.random.default_rng(made.luck)
    variants = expand(study)
    fate = {
        (one.regime, one.clip_label, one.regularization_label): "exploded"
        if at in made.exploded
        else "chance"
        if at in made.at_chance
        else "ok"
        for at, one in enumerate(variants)
    }
    there = [one for at, one in enumerate(variants) if at not in made.missing]
    runs = _runs(study, there, study.seeds, fate, rng)
    found = {
        "runs": runs,
        "comparisons": where_measured(compare(runs, seed=0), study),
        "summary": where_measured(summarise(runs), study),
        "ranking": rank(runs, seed=0),
        "regimes": regime_table(study),
        "provenance": _provenance(runs),
    }
    if study.tuned_settings:
        candidates = [one for at, one in enumerate(expand_tuning(study)) if at not in made.missing]
        seeds = {seed: None for one in study.regimes.values() if one.tuning for seed in one.tuning.seeds}
        tried = _runs(study, candidates, list(seeds), fate, rng)
        tuning = choose(tried, runs, study)
        tuned, groups = compare_tuned(tuning, runs, seed=0), list(profiles.groups(tuning, runs))
        steps = runs[["study", "regime", "clip", "regularization", "seed"]].assign(norm_before=1.0)
        found |= {
            "tuning": tuning,
            "tuned": tuned,
            "profiles": profiles.profiles(groups, seed=0),
            "across": profiles.across(groups, tuned, seed=0),
            "thresholds": thresholds(tuning, runs, steps),
        }
        found["answers"] = answers(study.name, found)
    return _from_disk(found)


def _from_disk(tables: Tables) -> Tables:
    """The tables as files hold them: an empty one has its columns, a number no more than its digits."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{name}.{'parquet' if name == 'runs' else 'csv'}") for name in tables]
        store.write_all(tables, dict(zip(tables, paths, strict=True)))
        return store.read_all(paths)


def _runs(
    study: Study,
    variants: Sequence[Variant],
    seeds: Sequence[int],
    fate: Mapping[tuple[str, str, str], str],
    rng: np.random.Generator,
) -> pd.DataFrame:
    rows = []
    for one in variants:
        cell = (one.regime, one.clip_label, one.regularization_label)
        effect = 0.02 * rng.standard_normal()
        for seed in seeds:
            end = fate.get(cell, "ok")
            train, test = (0.1, 0.1) if end == "chance" else (0.95, 0.85 + effect + 0.01 * rng.standard_normal())
            lost = np.nan if end == "exploded" else 1.0
            scores = dict.fromkeys(("train_accuracy",), lost * train)
            scores |= dict.fromkeys(("test_accuracy", "validation_accuracy"), lost * test)
            scores |= dict.fromkeys(("test_loss", "validation_loss"), lost * (1 - test)) | {"train_loss": lost * 0.05}
            gaps = {"gap_accuracy": lost * (train - test), "gap_loss": lost * (train - test)}
            wrong = lost if study.regimes[one.regime].data.wrong_labels.train else np.nan
            gaps |= {f"gap_right_{what}": wrong * (train - test) for what in ("accuracy", "loss")}
            gaps["memorised"] = wrong * train * test
            rows.append(
                {
                    **dict(zip(("regime", "clip", "regularization"), cell, strict=True)),
                    **{"study": study.name, "seed": seed, **scores, **gaps},
                    **{f"best_{key}": value for key, value in {**scores, **gaps}.items()},
                    "status": "ok" if end == "ok" else "diverged",
                    "cause": {"ok": "", "chance": "chance level", "exploded": "non-finite loss"}[end],
                    **{"clip_rate": 0.5, "norm_median": 1.0, "norm_max": 2.0, "wall_seconds": 1.0},
                    **{"weight_zero": 0.0, "weight_small": 0.1, "weight_max": 1.0, "weight_norm": 3.0},
                }
            )
    return with_methods(
        pd.DataFrame(rows, columns=list(rows[0]) if rows else ["regime", "clip", "regularization", *COLUMNS])
    )


def _provenance(runs: pd.DataFrame) -> pd.DataFrame:
    known = {"source": "engine 1", "packages": "numpy 1", "machine": "cpu x", "settings": "threads 1"}
    return pd.DataFrame([{"study": "random", "runs": len(runs), "commit": "0" * 40, "dirty": False, **known}])
