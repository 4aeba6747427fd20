"""Profiles over the tuned settings of a made-up study."""

import pandas as pd

from study.analysis.profiles import across, groups, profiles


def profile_tables(tuning: pd.DataFrame, runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables `profiles` and `across`; which method outperforms none goes by the settings' names."""
    found = list(groups(tuning, runs))
    chosen = tuning[tuning["chosen"]]
    tuned = chosen[["setting", "kind", "method", "label"]].assign(metric="test_accuracy")
    verdicts = ["better", "not significant", "worse"]
    tuned["outperforms"] = [verdicts[len(setting) % 3] for setting in tuned["setting"]]
    return {"profiles": profiles(found, seed=0), "across": across(found, tuned, seed=0)}
