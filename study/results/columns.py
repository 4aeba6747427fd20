"""Data dictionary of the tables of trainings: the meaning and the unit of every column, for docs and the explorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product


@dataclass(frozen=True)
class Unit:
    """A unit of print: a value times `factor` is shown with `digits` decimals; `difference` names that of a difference.

    digits: None for as many as four significant digits need.
    """

    symbol: str = ""
    factor: float = 1.0
    digits: int | None = None
    difference: str = ""


PLAIN = Unit()
SHARE = Unit("%", 100.0, 2, "points")
POINTS = Unit("points", 100.0, 2, "points")
NATS = Unit("nats", digits=4, difference="nats")
COUNT = Unit(digits=0)
SECONDS = Unit("s", digits=2, difference="s")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    title: its name for people; meaning: a sentence; better: 1 where more is better, -1 where less is, 0 where neither
    is; metric: whether it is an outcome of a run, to be averaged over seeds.
    """

    name: str
    title: str
    meaning: str
    unit: Unit = PLAIN
    better: int = 0
    metric: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a study: its file's name, what a row is, and its columns in their order."""

    file: str
    row: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Return the names of the columns."""
        return [column.name for column in self.columns]


KEYS = (
    Column("study", "study", "Name of the study."),
    Column("regime", "regime", "Name of the setting of data, model and training; a sweep adds its point."),
    Column("clip", "clip", "Label of the clip, `none` for the baseline."),
    Column("regularization", "regularizer", "Label of the regularizer or of a combination, `none` for the baseline."),
    Column("seed", "seed", "Seed of the split, the initial weights, the batch order and all noise.", COUNT),
)


def _methods(kind: str, told: str) -> tuple[Column, ...]:
    return (
        Column(f"{kind}_method", f"{told} method", f"Name of the {told} without its parameters."),
        Column(f"{kind}_strength", f"{told} strength", "Its parameter `strength`, else its first number."),
    )


PARTS = {"train": "training", "validation": "validation", "test": "test"}
WHEN = {"": "the last epoch", "best_": "the epoch of the smallest validation loss"}


def _score(part: str, what: str, when: str, prefix: str = "") -> Column:
    """A loss or an accuracy of one part of the digits."""
    name, told = f"{prefix}{part}_{what}", f"{PARTS[part]} {what}"
    if what == "loss":
        return Column(name, told, f"Mean cross-entropy on the {PARTS[part]} digits, {when}.", NATS, -1, True)
    meaning = f"Share of {PARTS[part]} digits classified as labelled, {when}."
    return Column(name, told, meaning, SHARE, 1, True)


def _scores(prefix: str) -> tuple[Column, ...]:
    """The scores and the gaps of a run, in evaluation mode and without penalties."""
    when = f"at {WHEN[prefix]}"
    gaps = (
        Column(f"{prefix}gap_accuracy", "accuracy gap", f"Train minus test accuracy, {when}.", POINTS, -1, True),
        Column(f"{prefix}gap_loss", "loss gap", f"Test minus train cross-entropy, {when}.", NATS, -1, True),
    )
    right = (
        Column(f"{prefix}gap_right_accuracy", "accuracy gap, right labels",
               f"Accuracy on rightly labelled training digits minus test accuracy, {when}; {ELSE}", POINTS, -1, True),
        Column(f"{prefix}gap_right_loss", "loss gap, right labels",
               f"Test cross-entropy minus that on rightly labelled training digits, {when}; {ELSE}", NATS, -1, True),
    )  # fmt: skip
    scores = (_score(part, what, when, prefix) for part, what in product(PARTS, ("loss", "accuracy")))
    return (*scores, *gaps, *_of_wrong_labels(when, prefix), *right)


def _of_wrong_labels(when: str, prefix: str = "") -> tuple[Column, ...]:
    """What a model makes of right and of wrong training labels; empty where none is wrong."""
    return (
        Column(f"{prefix}train_right_loss", "training loss, right labels",
               f"Mean cross-entropy on rightly labelled training digits, {when}; {ELSE}", NATS, -1, True),
        Column(f"{prefix}train_right_accuracy", "training accuracy, right labels",
               f"Share of rightly labelled training digits classified as labelled, {when}; {ELSE}", SHARE, 1, True),
        Column(f"{prefix}memorised", "wrong labels memorised",
               f"Share of wrong training labels that the model predicts, {when}; {ELSE}", SHARE, -1, True),
    )  # fmt: skip


ELSE = "empty where no training label is wrong."
RUNS = Table(
    "runs.parquet",
    "a run: a variant trained with one seed; `tuning_runs.parquet` has the same columns for the runs of the tuning",
    (
        *KEYS,
        *_methods("clip", "clip"),
        *_methods("regularization", "regularizer"),
        Column("fold", "fold", "Fold left out in cross-validation; empty without cross-validation.", COUNT),
        Column("digest", "digest", "SHA-256 of all that determines the run: its identity."),
        Column("status", "status", "`ok` or `diverged`."),
        Column("cause", "cause", "Cause of a divergence: what was not finite, or `chance level`."),
        Column("diverged_step", "diverged at step", "First step that was not finite, from 0; empty otherwise.", COUNT),
        Column("best_epoch", "best epoch", "Epoch of the smallest validation loss.", COUNT, metric=True),
        *_scores(""),
        *_scores("best_"),
        Column("clip_rate", "clip rate", "Share of steps at which the clip changed the gradient.", SHARE, metric=True),
        Column(
            "spike_score",
            "spike score",
            "Share of steps whose loss exceeds the mean of the 128 before by over 6 standard deviations; empty"
            " without the losses of every step.",
            SHARE,
            -1,
            True,
        ),
        Column("norm_max", "largest gradient norm", "Largest gradient norm before the clip of any step.", metric=True),
        Column("norm_median", "median gradient norm", "Median over steps of the norm before the clip.", metric=True),
        Column("weight_norm", "weight norm", "2-norm of all parameters at the end.", metric=True),
        Column("weight_max", "largest weight", "Largest absolute parameter at the end.", metric=True),
        Column("weight_zero", "zero weights", "Share of parameters that are exactly 0 at the end.", SHARE, metric=True),
        Column("weight_small", "small weights", "Share of parameters below 0.001 at the end.", SHARE, metric=True),
        Column("steps", "steps", "Optimizer steps taken.", COUNT, metric=True),
        Column("epochs", "epochs", "Epochs trained.", COUNT, metric=True),
        Column("wall_seconds", "seconds", "Seconds of the run's share of its job.", SECONDS, -1, True),
    ),
)

EPOCHS = Table(
    "epochs.parquet",
    "a run and an epoch, 0 before the first step",
    (
        *KEYS,
        Column("epoch", "epoch", "Epochs trained so far.", COUNT),
        *(_score(part, what, "after this epoch") for part, what in product(PARTS, ("loss", "accuracy"))),
        Column("sample_norm_q10", "per-sample norm, 10 %", "10 % quantile of gradient norms of single samples."),
        Column("sample_norm_q50", "per-sample norm, median", "Median of gradient norms of single samples."),
        Column("sample_norm_q90", "per-sample norm, 90 %", "90 % quantile of gradient norms of single samples."),
        Column("noise_scale", "noise scale", "Simple noise scale tr(Sigma) / |G|^2 (McCandlish et al. 2018)."),
        Column("signal_to_noise", "signal to noise", "Inverse root of the noise scale."),
        Column("first_to_last", "first to last layer", "Gradient norm of the first weight tensor over the last's."),
        Column("dead_units", "dead units", "Share of hidden units equal for every sample of the probe.", SHARE),
        Column("hessian_top", "sharpness", "Largest eigenvalue of the Hessian of the loss."),
        *_of_wrong_labels("after this epoch"),
    ),
)

ENDS = {"": "mean over the window", "_min": "smallest in the window", "_max": "largest in the window"}


def _window(*columns: Column) -> tuple[Column, ...]:
    """Three columns for each: its mean, its smallest and its largest value in a window of steps."""
    return tuple(
        replace(one, name=f"{one.name}{end}", meaning=f"{one.meaning[:-1]}: {told}.")
        for one in columns
        for end, told in ENDS.items()
    )


WINDOW = (
    Column("step", "step", "First step of the window, from 0.", COUNT),
    Column("last_step", "last step", "Last step of the window.", COUNT),
)
NORMS = (
    Column("norm_before", "gradient norm before the clip", "2-norm of the gradient before the clip."),
    Column("norm_after", "gradient norm after the clip", "2-norm of the gradient after the clip."),
)

STEPS = Table(
    "steps.parquet",
    "a run and a window of consecutive steps",
    (
        *KEYS,
        *WINDOW,
        *_window(
            Column("loss", "training loss of the batch", "Loss of the batch, without penalties.", NATS),
            *NORMS,
            Column("coefficient", "norm after over before", "Norm after the clip over the norm before it."),
            Column("fired", "clip rate", "1 where the clip changed the gradient.", SHARE),
            Column("changed", "changed coordinates", "Share of coordinates that the clip changed.", SHARE),
            Column("cosine", "cosine", "Cosine between the gradient before and after the clip."),
            Column("finite", "finite", "1 where loss and gradient are finite.", SHARE),
            Column("update_ratio", "update ratio", "Norm of the step over the norm of the parameters."),
        ),
    ),
)

TENSOR = Column("tensor", "tensor", "Name of the parameter tensor.")
TENSORS = Table(
    "tensors.parquet",
    "a run, a window of consecutive steps and a parameter tensor",
    (*KEYS, *WINDOW, TENSOR, *_window(*(replace(one, meaning=f"{one.meaning[:-1]}, of the tensor.") for one in NORMS))),
)

WEIGHTS = Table(
    "weights.parquet",
    "a run, a parameter tensor and a bin of |w| at the end; the first bin holds exact zeros",
    (
        *KEYS,
        TENSOR,
        Column("low", "from", "Lower edge of the bin."),
        Column("high", "to", "Upper edge of the bin."),
        Column("share", "share", "Share of the tensor's entries in the bin.", SHARE),
    ),
)

SAMPLES = Table(
    "samples.parquet",
    "a run of an adversarial training and one of the first digits that its generator makes at the end",
    (
        *KEYS,
        Column("sample", "sample", "Which digit; the same number is the same noise in every run.", COUNT),
        Column("pixels", "pixels", "Grey levels row by row, a byte each."),
    ),
)

PROVENANCE = Table(
    "provenance.csv",
    "a distinct provenance of runs, the most runs first",
    (
        KEYS[0],
        Column("runs", "runs", "Number of runs with this provenance.", COUNT),
        Column("commit", "commit", "Commit that was checked out, `unknown` outside of a repository."),
        Column("dirty", "edited", "Whether a file that the training used differs from the commit."),
        Column("source", "code", "Digests of the engine and of each method's file."),
        Column("packages", "packages", "Versions of Python and of the packages that numbers depend on."),
        Column("machine", "machine", "Processor, instructions, system and C library."),
        Column("settings", "settings", "Settings of torch and the environment that change how it rounds."),
    ),
)

TRAININGS: Mapping[str, Table] = {
    "runs": RUNS,
    "epochs": EPOCHS,
    "steps": STEPS,
    "tensors": TENSORS,
    "weights": WEIGHTS,
    "samples": SAMPLES,
    "provenance": PROVENANCE,
}
"""The tables of trainings, by name."""
