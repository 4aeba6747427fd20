"""The figure of federated rounds shows the numbers of its table, and nothing of other workloads."""

import numpy as np
import pandas as pd

from study.figures import FIGURES
from study.figures.clients import LOGARITHMIC, QUANTITIES

from .conftest import Tables, drawn, study


def test_lines_are_means_over_seeds_of_each_quantity() -> None:
    epochs = study("federated")["epochs"]
    panels = [axes for axes in drawn("federated", "clients").axes if axes.lines]
    assert len(panels) == len(QUANTITIES)
    for axes, (name, label, factor) in zip(panels, QUANTITIES, strict=True):
        assert axes.get_ylabel() == label
        by_name = {str(line.get_label()): line for line in axes.lines}
        assert by_name.keys() == {*epochs["clip"], *epochs["regularization"]}
        for clip in set(epochs["clip"]):
            own = epochs[(epochs["clip"] == clip) & (epochs["regularization"] == "none")].dropna(subset=[name])
            each = own.groupby("epoch")[name]
            wanted = (
                np.exp(each.agg(lambda values: np.log(values).mean())) if name == LOGARITHMIC else factor * each.mean()
            )
            np.testing.assert_allclose(by_name[clip].get_ydata(), wanted, rtol=1e-12)
            np.testing.assert_array_equal(by_name[clip].get_xdata(), wanted.index)


def test_regimes_of_another_workload_are_left_out(default: Tables) -> None:
    federated, others = study("federated")["epochs"], default["epochs"]
    both = {"epochs": pd.concat([federated, others], ignore_index=True)}
    assert "9 seeds" not in FIGURES["clients"].caption(both)
    assert FIGURES["clients"].caption(both) == FIGURES["clients"].caption({"epochs": federated})
    assert FIGURES["clients"].caption(default).endswith("The study has no federated training.")
