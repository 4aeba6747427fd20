"""Choices at an edge in words."""

import pandas as pd

from study.report.trials import edge_rows


def test_a_choice_at_an_edge_names_its_workload_its_method_and_the_end() -> None:
    cell = {"regime": "few", "clip_method": "global_norm", "regularization_method": "none"}
    trials = pd.DataFrame(
        [
            {**cell, "chosen": True, "edge": "lr: high end of [1e-05, 0.03]; global_norm: low end of [0.01, 10]"},
            {**cell, "chosen": False, "edge": ""},
        ]
    )
    (row,) = edge_rows(trials, {"few": "*few*"})
    assert list(row.values()) == [
        "*few*",
        "global norm",
        "learning rate: high end of [1e-05, 0.03]; global norm: low end of [0.01, 10]",
    ]
