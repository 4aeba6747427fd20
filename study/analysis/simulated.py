"""Level, power and coverage of the whole pipeline, tuning included, in simulated studies with known truth."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from study.analysis.gains import gains
from study.analysis.statistics import Floats
from study.config.study import Study
from study.results import store

METRIC = "best_test_accuracy"
SIMULATED = (
    "study", "truth", "noise", "seeds", "methods", "trials", "studies", "any supported", "any harm", "supported",
    "harm", "no gain found", "undecided", "coverage",
)  # fmt: skip
"""The columns of a simulation: a row for each truth, in points of accuracy.

any supported, any harm: the share of studies with such a verdict of a method, which under no gain must be at most 5 %;
supported .. undecided: the share of methods with that verdict; coverage: of the 95 % intervals that hold the true
difference of what tuning chose.
"""


@dataclass(frozen=True)
class Truth:
    """Truth of a simulated study; accuracies as shares.

    gain: each method's gain over the baseline at its best strength; noise: standard deviation of a run's accuracy
    beyond what all runs of its seed share; bend: accuracy lost a decade away from the best learning rate, squared.
    """

    gain: float
    noise: float = 0.006
    shared: float = 0.01
    bend: float = 0.05
    seeds: int = 20
    tuning_seeds: int = 2
    trials: int = 16
    methods: int = 10

    def accuracy(self, lr: Floats, strength: Floats) -> Floats:
        """Return the expected accuracy at places u of the learning rate and the strength."""
        width = 3.0  # decades of both
        return 0.9 - self.bend * (width * (lr - 0.6)) ** 2 + self.gain * np.exp(-((width * (strength - 0.5)) ** 2))


def simulate(truth: Truth, rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the runs of one simulated study of a workload at the tuned choices, and each method's true gain there."""
    points = rng.random((truth.trials, 2))  # the same trials for all
    common = truth.shared * rng.standard_normal(truth.seeds)
    rows, means = [], {}
    for name in ["none", *(f"m{i}" for i in range(truth.methods))]:
        expected = truth.accuracy(points[:, 0], points[:, 1])
        if name == "none":
            expected = replace(truth, gain=0.0).accuracy(points[:, 0], points[:, 1])
        tuned = expected + truth.noise * rng.standard_normal((truth.tuning_seeds, truth.trials)).mean(axis=0)
        chosen = int(tuned.argmax())
        means[name] = float(expected[chosen])
        values = expected[chosen] + common + truth.noise * rng.standard_normal(truth.seeds)
        rows += [_run(name, seed, value) for seed, value in enumerate(values)]
    return pd.DataFrame(rows), {name: mean - means["none"] for name, mean in means.items() if name != "none"}


def _run(name: str, seed: int, value: float) -> dict[str, Any]:
    labels = {"clip": name, "regularization": "none", "clip_method": name, "regularization_method": "none"}
    return {"study": "simulated", "regime": "workload", **labels, "seed": seed, "status": "ok", METRIC: value}


def row(truth: Truth, study: Study, studies: int, seed: int) -> dict[str, object]:
    """Return the rates of verdicts and of coverage over a number of simulated studies."""
    verdicts, covered, any_of = list[str](), list[bool](), {"supported": 0, "harm": 0}
    for number in range(studies):
        runs, true = simulate(truth, np.random.default_rng([seed, number]))
        found = gains(runs, study, seed=number, metrics=[METRIC])
        verdicts += list(found["verdict"])
        covered += [low <= true[str(m)] <= high for m, low, high in _intervals(found)]
        for one in any_of:
            any_of[one] += bool((found["verdict"] == one).any())
    shares = {one: verdicts.count(one) / len(verdicts) for one in SIMULATED[9:13]}
    return {
        "study": "simulated",
        "truth": 100 * truth.gain,
        "noise": 100 * truth.noise,
        "seeds": truth.seeds,
        "methods": truth.methods,
        "trials": truth.trials,
        "studies": studies,
        "any supported": any_of["supported"] / studies,
        "any harm": any_of["harm"] / studies,
        **shares,
        "coverage": float(np.mean(covered)),
    }


def _intervals(found: pd.DataFrame) -> Iterator[tuple[Any, float, float]]:
    yield from found[["clip", "low", "high"]].itertuples(index=False, name=None)


def table(truths: Sequence[Truth], study: Study, studies: int, seed: int = 0) -> pd.DataFrame:
    """Return a row for each truth; columns `SIMULATED`."""
    return pd.DataFrame([row(one, study, studies, seed) for one in truths], columns=list(SIMULATED))


TRUTHS = tuple(
    replace(Truth(gain), seeds=seeds, noise=noise)
    for seeds in (10, 20)
    for noise in (0.003, 0.006)
    for gain in (0.0, 0.005, 0.01, 0.02)
)


def of_no_file() -> Study:
    """Return the study whose margins and rules are simulated: a configuration's defaults."""
    return Study.model_validate({"name": "simulated", "regimes": {"workload": {}}})


if __name__ == "__main__":
    found = table(TRUTHS, of_no_file(), studies=int(sys.argv[1]))
    store.write(found, Path(sys.argv[2]))
    print(found.drop(columns="study").to_string(index=False, float_format=lambda x: f"{x:.3g}"))
