"""Tables of made-up studies with every column that trainings write, for the explorer to show."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from study.analysis.comparisons import COMPARISONS, METRICS, SUMMARY, compare, summarise
from study.analysis.gains import LEADERBOARD
from study.analysis.trials import TRIALS
from study.results.columns import EPOCHS, RUNS, STEPS
from study.results.store import KEYS
from tests.method_columns import with_methods

CLIPS = ("none", "global_norm(0.1)", "value(0.01)")
REGULARIZATIONS = ("none", "l2(0.001)", "dropout(0.5) + max_norm(3)")
Cells = Sequence[tuple[str, str, str]]


def cells(regimes: Sequence[str] = ("calm", "wild"), clips: Sequence[str] = CLIPS) -> Cells:
    return list(product(regimes, clips, REGULARIZATIONS))


def runs_of(cells: Cells, seeds: int, rng: np.random.Generator, name: str = "made") -> pd.DataFrame:
    """A row a run; of the last cell every run diverged."""
    keys = [(name, *cell, seed) for cell in cells for seed in range(seeds)]
    table = with_methods(pd.DataFrame(keys, columns=list(KEYS)))
    lost = (table[["regime", "clip", "regularization"]].apply(tuple, axis=1) == cells[-1]).to_numpy()
    for column in RUNS.columns:
        if column.metric:
            table[column.name] = np.where(lost, np.nan, rng.random(len(table)))
    table["gap_accuracy"] = table["train_accuracy"] - table["test_accuracy"]
    return table.assign(
        fold=pd.NA,
        digest=[f"{value:016x}" * 4 for value in rng.integers(2**62, size=len(table))],
        status=np.where(lost, "diverged", "ok"),
        cause=np.where(lost, "non-finite loss", ""),
        diverged_step=pd.array(np.where(lost, 17, -1), "Int64"),
        clip_rate=np.where(table["clip"] == "none", 0.0, rng.random(len(table))),
    ).reindex(columns=RUNS.names)


def curves_of(runs: pd.DataFrame, epochs: int, windows: int, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Epochs and windows of ten steps of every run, at random."""
    keys = list(KEYS)
    by_epoch = runs[keys].merge(pd.DataFrame({"epoch": range(epochs + 1)}), how="cross")
    by_epoch[[c.name for c in EPOCHS.columns[6:]]] = rng.random((len(by_epoch), len(EPOCHS.columns) - 6))
    first = 10 * np.arange(windows)
    steps = runs[keys].merge(pd.DataFrame({"step": first, "last_step": first + 9}), how="cross")
    steps[[c.name for c in STEPS.columns[7:]]] = np.exp(rng.standard_normal((len(steps), len(STEPS.columns) - 7)))
    return {"epochs": by_epoch, "steps": steps}


def tables(seeds: int = 3, name: str = "made", luck: int = 0, of: Cells | None = None) -> Mapping[str, pd.DataFrame]:
    """All tables of a small study, analysed as the workflow does."""
    rng = np.random.default_rng(luck)
    runs = runs_of(of or cells(), seeds, rng, name)
    found = {"runs": runs, **curves_of(runs, 4, 12, rng)}
    return {**found, "summary": summarise(runs), "comparisons": compare(runs, seed=0), "tuning": tuning_of(name, rng)}


def tuning_of(name: str, rng: np.random.Generator) -> pd.DataFrame:
    """Candidates of one clip in one setting, one of them chosen."""
    labels = ["none", "global_norm(0.01)", "global_norm(0.1)", "global_norm(1)"]
    rows = [("none", "none", True)] + [("global_norm", label, label == "global_norm(0.1)") for label in labels]
    table = pd.DataFrame(rows, columns=["method", "label", "chosen"]).assign(study=name, setting="calm", kind="clip")
    numbers = ("validation_loss", "validation_se", "validation_accuracy", "test_accuracy", "gap_accuracy")
    values = {column: rng.random(len(table)) for column in numbers}
    strength = table["label"].str.extract(r"\((.*)\)")[0].astype(float)
    return table.assign(regime="calm", n=3, diverged=0, strength=strength, **values)


def large(runs: int = 3000) -> Mapping[str, pd.DataFrame]:
    """A study of so many runs at ten seeds, its analyses at random: they are as long as those of a real one."""
    rng = np.random.default_rng(0)
    clips = ["none", *(f"global_norm({value:g})" for value in range(1, runs // 90))]
    of = cells(("a", "b", "c"), clips)[: runs // 10]
    found = runs_of(of, 10, rng)
    rows = pd.DataFrame([("made", *cell, metric) for cell in of for metric in METRICS])
    rows.columns = pd.Index(["study", "regime", "clip", "regularization", "metric"])
    return {
        "runs": found,
        **curves_of(found, 30, 200, rng),
        "summary": _filled(rows, SUMMARY, rng),
        "comparisons": _filled(pd.concat([rows, rows]), COMPARISONS, rng),
    }


def _filled(rows: pd.DataFrame, columns: Sequence[str], rng: np.random.Generator) -> pd.DataFrame:
    """The rows with the other columns at random, words where they are words."""
    words = {"family": "combination", "baseline": "none + none", "method": "BCa; exact sign-flip"}
    others = {name: words.get(name, rng.random(len(rows))) for name in columns if name not in rows}
    return rows.assign(**others)[list(columns)]


def searched(name: str = "made", luck: int = 0) -> Mapping[str, pd.DataFrame]:
    """Trials of a random search in two workloads, and the order of methods over both."""
    rng = np.random.default_rng(luck)
    methods = (("none", "none"), ("global_norm", "none"), ("none", "l2"))
    rows = [
        (regime, clip, other, trial, *(float(f"{x:.3g}") for x in 10 ** rng.uniform(-3, 0, 2)), trial == 2)
        for regime, (clip, other), trial in product(("calm", "wild"), methods, range(5))
    ]
    columns = ["regime", "clip_method", "regularization_method", "trial", "lr", "strength", "chosen"]
    trials = pd.DataFrame(rows, columns=columns).assign(study=name, n=3, diverged=0, metric="best_validation_accuracy")
    labels = {kind: [_label(row, kind) for row in trials.to_dict("records")] for kind in ("clip", "regularization")}
    numbers = {key: rng.random(len(trials)) for key in TRIALS if key.endswith(("loss", "n_accuracy", "t_accuracy"))}
    told = [_label(row, "clip").partition("(")[0] + f" {row['strength']:g}" for row in trials.to_dict("records")]
    trials = trials.assign(**labels, **numbers, strengths=told, score=0.5, chosen_by_accuracy=False, edge="")
    places = pd.DataFrame(methods, columns=["clip_method", "regularization_method"]).assign(study=name)
    counts = dict.fromkeys(("supported", "harm", "no gain found", "undecided", "not tested"), 1)
    ranks = {"place": [1, 2, 3], "mean_rank": [1.25, 2.0, 2.75], "low": [1.0, 1.5, 2.5], "high": [1.5, 2.5, 3.0]}
    order = places.assign(metric="best_test_accuracy", workloads=2, gain=[0.0, 0.01, -0.02], **counts, **ranks)
    return {"trials": trials[list(TRIALS)], "leaderboard": order[list(LEADERBOARD)]}


def _label(row: Mapping[Hashable, object], kind: str) -> str:
    method = row[f"{kind}_method"]
    return "none" if method == "none" else f"{method}({row['strength']:g})"
