"""Tables as the collect and analyse stages write them, with plausible values and no training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from study.analysis.ranking import rank
from study.analysis.regimes import REGIMES
from study.analysis.selection import choose
from study.config.metrics import TuningByAnyMetric as Tuning
from tests.method_columns import strength, with_methods

from .synthetic_claims import claims_table
from .synthetic_profiles import profile_tables

MADE_ANEW = ("runs", "comparisons", "ranking", "regimes", "tuning", "profiles", "across")
KEYS = ["study", "regime", "clip", "regularization", "seed"]
VARIANT = ["regime", "clip", "regularization"]
CLIPS = (
    "none",
    "global_norm(0.1)",
    "global_norm(5)",
    "value(0.01)",
    "adaptive_unit(0.02)",
    "sign_on_trigger(5)",
)
REGULARIZATIONS = (
    "none",
    "l1(0.0001)",
    "l2(0.001)",
    "elastic_net(lambda1=0.0001, lambda2=0.001)",
    "dropout(0.5)",
    "dropout(0.5) + max_norm(3)",
)
DEFAULT = {
    "tutorial": ((CLIPS[0], CLIPS[2], CLIPS[5]), REGULARIZATIONS),
    "memorize": (CLIPS, REGULARIZATIONS),
    "unstable": (CLIPS, REGULARIZATIONS),
}


@dataclass(frozen=True)
class Grid:
    """The labels of each regime, and how long and how often each variant is trained."""

    regimes: Mapping[str, tuple[Sequence[str], Sequence[str]]] = field(default_factory=lambda: dict(DEFAULT))
    seeds: int = 10
    epochs: int = 10
    windows: int = 24
    steps_per_window: int = 20
    tensors: tuple[str, ...] = ("layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias")
    part_of: str = ""  # the sweep whose points the regimes are


def wide(clips: int, regularizations: int, regime: str = "many") -> Grid:
    """A regime of many variants, with labels of all lengths, and few seeds."""
    many = ["none", *CLIPS[1:], *(f"percentile(p={p}, history=1000)" for p in range(1, clips))][:clips]
    more = ["none", *REGULARIZATIONS[1:], *(f"l2({p}e-05)" for p in range(1, regularizations))][:regularizations]
    return Grid({regime: (many, more)}, seeds=2, epochs=3, windows=4)


def tables(grid: Grid, seed: int = 0) -> dict[str, pd.DataFrame]:
    """All tables of the study of a grid; in the regime `unstable` the variants without a clip collapse."""
    rng = np.random.default_rng(seed)
    runs = _runs(grid, rng)
    return {
        "runs": runs,
        "epochs": _epochs(grid, runs, rng),
        "steps": _steps(grid, runs, rng),
        "tensors": _tensors(grid, runs, rng),
        "weights": _weights(grid, runs),
        "comparisons": comparisons(runs),
        "ranking": rank(runs.assign(validation_accuracy=runs["test_accuracy"]), seed=0),
        "regimes": _regimes(grid),
        "tuning": (chosen := tuning(grid, runs)),
        **profile_tables(chosen, runs),
        "claims": claims_table(10 if len(runs) > 10 else 0),
    }


def all_diverged(grid: Grid) -> dict[str, pd.DataFrame]:
    """The study in which every run became non-finite before its first evaluation."""
    made = tables(grid)
    runs = made["runs"].assign(status="diverged", cause="non-finite loss", diverged_step=3)
    blank = {name: _undefined(frame) for name, frame in made.items() if name not in MADE_ANEW}
    return {
        **blank,
        "runs": _undefined(runs),
        "comparisons": _undefined(made["comparisons"]).assign(n=0, n_undefined=grid.seeds),
        "ranking": rank(_undefined(runs).assign(validation_accuracy=np.nan), seed=0),
        "regimes": made["regimes"],
        "tuning": (chosen := tuning(grid, _undefined(runs))),
        **profile_tables(chosen, _undefined(runs)),
    }


def _undefined(frame: pd.DataFrame) -> pd.DataFrame:
    kept = {*KEYS, "epoch", "step", "last_step", "low_edge", "diverged_step", "n", "n_undefined"}
    edges = {"low", "high"} if "share" in frame else set()
    columns = [c for c in frame.select_dtypes("number").columns if c not in kept | edges]
    return frame.assign(**dict.fromkeys(columns, np.nan))


def _runs(grid: Grid, rng: np.random.Generator) -> pd.DataFrame:
    frame = pd.DataFrame(
        [
            ("synthetic", regime, clip, regularization, seed)
            for regime, (clips, regularizations) in grid.regimes.items()
            for clip in clips
            for regularization in regularizations
            for seed in range(grid.seeds)
        ],
        columns=KEYS,
    )
    n = len(frame)
    hard = frame["regime"].eq("unstable")
    memorize = frame["regime"].eq("memorize")
    collapsed = hard & frame["clip"].isin(["none", "global_norm(5)"]) & (rng.random(n) < 0.8)
    exploded = hard & frame["clip"].eq("sign_on_trigger(5)")
    regularized = 0.01 * frame["regularization"].map(_code).to_numpy() % 0.05
    clipped = 0.01 * frame["clip"].map(_code).to_numpy() % 0.03
    luck = 0.004 * np.random.default_rng(5).standard_normal(grid.seeds)[frame["seed"]]
    train = np.where(memorize, 0.999, 0.968) - regularized - clipped + 0.002 * rng.standard_normal(n)
    test = np.where(memorize, 0.82, 0.95) + 0.3 * (regularized + clipped) + luck + 0.002 * rng.standard_normal(n)
    train, test = np.where(collapsed, 0.112, train), np.where(collapsed, 0.1135, test)
    frame = frame.assign(
        status=np.where(collapsed | exploded, "diverged", "ok"),
        cause=np.select([exploded, collapsed], ["non-finite loss", "chance level"], ""),
        diverged_step=pd.array(np.where(exploded, 40, np.where(collapsed, 400, -1)), dtype="Int64"),
        train_accuracy=np.where(exploded, np.nan, train),
        test_accuracy=np.where(exploded, np.nan, test),
        weight_zero=np.where(frame["regularization"].str.startswith("l1"), 0.42, 0.0),
        weight_small=np.where(frame["regularization"].str.contains("1"), 0.55, 0.03) + 0.005 * rng.random(n),
        clip_rate=np.where(frame["clip"].eq("none"), 0.0, np.clip(0.3 * clipped / 0.01 + 0.05 * rng.random(n), 0, 1)),
        norm_max=np.where(hard, 40.0, 2.3),
        norm_median=np.where(hard, 4.0, 0.6) * (1 + 0.1 * np.random.default_rng(7).random(n)),
        test_loss=-np.log(np.where(exploded, np.nan, test)),
    )
    frame["diverged_step"] = frame["diverged_step"].where(frame["diverged_step"] >= 0)
    return with_methods(frame.assign(gap_accuracy=frame["train_accuracy"] - frame["test_accuracy"]))


def _code(label: str) -> int:
    return 0 if label == "none" else sum(map(ord, label)) % 97


def _epochs(grid: Grid, runs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    frame = runs[[*KEYS, "train_accuracy", "test_accuracy"]].merge(
        pd.DataFrame({"epoch": range(grid.epochs + 1)}), how="cross"
    )
    rise = 1 - np.exp(-frame["epoch"] / (0.2 * grid.epochs))
    noise = 0.004 * rng.standard_normal((2, len(frame)))
    train = 0.1 + (frame["train_accuracy"] - 0.1) * rise + noise[0]
    test = 0.1 + (frame["test_accuracy"] - 0.1) * np.minimum(1.0, 1.3 * rise) + noise[1]
    return frame.assign(
        train_accuracy=train.clip(0, 1), validation_accuracy=test.clip(0, 1), test_accuracy=test.clip(0, 1)
    )


def _windows(grid: Grid, runs: pd.DataFrame) -> pd.DataFrame:
    first = np.arange(grid.windows) * grid.steps_per_window
    frame = runs[[*KEYS, "status", "clip_rate", "norm_max"]].merge(
        pd.DataFrame({"step": first, "last_step": first + grid.steps_per_window - 1}), how="cross"
    )
    # A run with a non-finite loss leaves no windows after its end.
    gone = frame["clip"].eq("sign_on_trigger(5)") & frame["status"].eq("diverged") & (frame["step"] > 60)
    return frame[~gone].reset_index(drop=True)


def _steps(grid: Grid, runs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    frame = _windows(grid, runs)
    n = len(frame)
    before = frame["norm_max"] * np.exp(-frame["step"] / 300) * np.exp(0.15 * rng.standard_normal(n)) / 2
    after = np.where(frame["clip_rate"] > 0, np.minimum(before, 0.1), before)
    spike = np.exp(np.abs(rng.standard_normal(n)) * 0.8)
    return frame.assign(
        norm_before=before, norm_before_min=before / 1.5, norm_before_max=before * spike,
        norm_after=after, norm_after_min=after / 1.5, norm_after_max=after,
        fired=frame["clip_rate"], changed=frame["clip_rate"] * rng.uniform(0.3, 0.9, n),
    )  # fmt: skip


def _tensors(grid: Grid, runs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    frame = _windows(grid, runs).merge(pd.DataFrame({"tensor": grid.tensors}), how="cross")
    depth = frame["tensor"].map({name: number for number, name in enumerate(grid.tensors)})
    before = frame["norm_max"] * np.exp(-frame["step"] / 300 - 0.4 * depth + 0.1 * rng.standard_normal(len(frame)))
    return frame.assign(
        norm_before=before, norm_before_min=before / 2, norm_before_max=before * 2, norm_after=before / 2
    )


def _weights(grid: Grid, runs: pd.DataFrame) -> pd.DataFrame:
    edges = np.geomspace(1e-8, 10, 46)
    names = [name for name in grid.tensors if name.endswith("weight")]
    parts = []
    for row in runs[runs["clip"].eq("none")].itertuples(index=False):
        zero = float(row.weight_zero)
        scale = 0.02 if row.weight_small < 0.2 else 2e-3
        for depth, name in enumerate(names):
            cumulative = stats.lognorm.cdf(edges, 1.0, scale=scale * (1 + depth) * (1 + 0.02 * row.seed))
            cumulative[[0, -1]] = 0, 1
            part = pd.DataFrame({"low": [0.0, *edges[:-1]], "high": [0.0, *edges[1:]]})
            part["share"] = [zero, *(1 - zero) * np.diff(cumulative)]
            parts.append(part.assign(**dict(zip(KEYS, row[:5], strict=True)), tensor=name))
    return pd.concat(parts, ignore_index=True)


def _regimes(grid: Grid) -> pd.DataFrame:
    """As it is read: what is empty in the file is missing."""
    axis, value = ("setting", list(grid.regimes)) if grid.part_of else (np.nan, np.nan)
    rows = {"study": "synthetic", "regime": list(grid.regimes), "part_of": grid.part_of or np.nan, "setting": np.nan}
    rows |= {"axis": axis, "value": value, "number": np.nan, "position": range(len(grid.regimes))}
    return pd.DataFrame(rows, columns=list(REGIMES))


@dataclass(frozen=True)
class Strong:
    """A method as far as its strength is asked for."""

    strength: float
    model_fields = ("strength",)


def tuning(grid: Grid, runs: pd.DataFrame) -> pd.DataFrame:
    """The choice in each regime, from tuning runs as good as the runs themselves."""
    losses = {"validation_loss": -np.log(runs["test_accuracy"]), "train_loss": -np.log(runs["train_accuracy"])}
    losses["validation_accuracy"] = runs["test_accuracy"]
    settings = {
        name: {
            name: SimpleNamespace(
                tuning=Tuning(),
                at={},
                clip_labels=clips,
                regularization_labels=others,
                clips=[Strong(strength(label)) for label in clips],
                regularizations=[[Strong(strength(label))] for label in others],
            )
        }
        for name, (clips, others) in grid.regimes.items()
    }
    return choose(runs.assign(**losses), runs, SimpleNamespace(name="synthetic", tuned_settings=settings))


def comparisons(runs: pd.DataFrame) -> pd.DataFrame:
    """Paired differences to the baseline `none + none` by seed, with t intervals and Holm's adjustment."""
    rows = []
    for regime, frame in runs.groupby("regime", sort=False):
        base = frame[frame["clip"].eq("none") & frame["regularization"].eq("none")].set_index("seed")
        for (clip, regularization), variant in frame.groupby(["clip", "regularization"], sort=False):
            if (clip, regularization) == ("none", "none"):
                continue
            family = "clip" if regularization == "none" else "regularization" if clip == "none" else "combination"
            for metric in ("gap_accuracy", "test_accuracy", "gap_loss"):
                column = "gap_accuracy" if metric == "gap_loss" else metric
                difference = (variant.set_index("seed")[column] - base[column]).to_numpy(dtype=float)
                keys = ("synthetic", regime, family, metric, clip, regularization, "none + none")
                rows.append((*keys, *_estimate(difference)))
    columns = ["study", "regime", "family", "metric", "clip", "regularization", "baseline"]
    columns += ["n", "n_undefined", "estimate", "low", "high", "p"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(p_adjusted=_holm(frame["p"]), superiority=0.5, method="t")


def _estimate(difference: np.ndarray) -> tuple[int, int, float, float, float, float]:
    defined = difference[np.isfinite(difference)]
    n = len(defined)
    if n < 2:
        return n, len(difference) - n, float(defined.mean()) if n else np.nan, np.nan, np.nan, np.nan
    spread = max(float(defined.std(ddof=1)), 1e-6) / np.sqrt(n)
    half = float(stats.t.ppf(0.975, n - 1)) * spread
    mean = float(defined.mean())
    return (
        n,
        len(difference) - n,
        mean,
        mean - half,
        mean + half,
        float(2 * stats.t.sf(abs(mean) / spread, n - 1)),
    )


def _holm(p: pd.Series) -> pd.Series:
    known = p.dropna()
    adjusted = multipletests(known, method="holm")[1] if len(known) else []
    return pd.Series(adjusted, index=known.index, dtype=float).reindex(p.index)
