"""A small table of runs with known effects."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from study.analysis.comparisons import METRICS

MakeRuns = Callable[..., pd.DataFrame]


def synthetic_runs(
    effects: Mapping[tuple[str, str], float],
    seeds: Iterable[int] = range(10),
    regime: str = "clean",
    noise: float = 0.1,
) -> pd.DataFrame:
    """Runs of a study "tiny": every metric is effect(clip, regularization) + luck(seed) + noise."""
    rng = np.random.default_rng(7)
    luck = rng.normal(size=1000)
    rows = [
        {
            **{"study": "tiny", "regime": regime, "clip": clip, "regularization": regularization},
            **{"seed": seed, "status": "ok"},
            **{m: effect + luck[seed] + noise * rng.normal() for m in METRICS if m != "diverged"},
        }
        for (clip, regularization), effect in effects.items()
        for seed in seeds
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def make_runs() -> MakeRuns:
    return synthetic_runs


@pytest.fixture
def seen(record_property: Callable[[str, object], None]) -> Callable[[str, float, Sequence[bool]], float]:
    """The share of true `outcomes` in a simulation, put into the table after the tests with what it should be."""

    def record(what: str, nominal: float, outcomes: Sequence[bool]) -> float:
        share = float(np.mean(outcomes))
        record_property("simulated", [what, float(nominal), share, len(outcomes)])
        return share

    return record
