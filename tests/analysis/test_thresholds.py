"""Where a chosen threshold lies among the norms without a clip, by hand."""

import pandas as pd
import pytest

from study.analysis.thresholds import THRESHOLDS, thresholds


def test_a_threshold_has_the_percentile_of_the_unclipped_norms_at_most_as_large() -> None:
    chosen = {"study": "s", "setting": "a", "kind": "clip", "regime": "a_lr=1", "regret": 0.01, "chosen": True}
    tuning = pd.DataFrame(
        [
            {**chosen, "method": "global_norm", "label": "global_norm(0.5)"},
            {**chosen, "method": "global_norm", "label": "global_norm(9)", "chosen": False},
            {**chosen, "method": "global_norm", "label": "none", "setting": "b"},
            {**chosen, "method": "value", "label": "value(0.5)"},
        ]
    ).assign(strength=[0.5, 9.0, float("nan"), 0.5])
    cell = {"regime": "a_lr=1", "regularization": "none"}
    runs = pd.DataFrame(
        [
            {**cell, "clip": clip, "seed": seed, "norm_median": 2.0 + seed, "clip_rate": rate}
            for clip, rate in (("none", 0.0), ("global_norm(0.5)", 0.25))
            for seed in (0, 1)
        ]
    )
    norms = {0: [0.1, 0.5, 0.6, 0.7], 1: [0.4, 0.3, 0.2, float("nan")]}
    steps = pd.DataFrame(
        [{**cell, "clip": "none", "seed": seed, "norm_before": norm} for seed, own in norms.items() for norm in own]
    )
    table = thresholds(tuning, runs, steps)
    assert tuple(table) == THRESHOLDS
    (row,) = table.to_dict("records")
    assert (row["threshold"], row["median"], row["clip_rate"]) == (0.5, 2.5, 0.25)
    assert row["percentile"] == pytest.approx((2 / 4 + 3 / 4) / 2)
    (bare,) = thresholds(tuning, runs, steps.drop(columns="norm_before")).to_dict("records")
    assert pd.isna(bare["percentile"]), "steps were not measured"
