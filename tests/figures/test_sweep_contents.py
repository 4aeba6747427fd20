"""The figures of sweeps and of firing show their tables: read from the artists, never from pixels."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from matplotlib.lines import Line2D
from scipy import stats

from study.figures import FIGURES
from study.figures._style import by_method, style_for
from study.figures._summaries import less_none
from study.results import store

from .artists import line, panels_under
from .conftest import drawn, study, style_of


def swept_runs(sweep: str, kind: str, label: str) -> pd.DataFrame:
    runs = study("swept")["runs"]
    other = "regularization" if kind == "clip" else "clip"
    return runs[runs["regime"].str.startswith(f"{sweep}_") & (runs[kind] == label) & (runs[other] == "none")]


def test_sweeps_are_means_with_students_interval_and_shares_of_lost_runs():
    accuracy, lost, *_ = panels_under("sweeps", "rates: clipping alone")
    for label in ("none", "global_norm(0.1)"):
        own = swept_runs("rates", "clip", label)
        regimes = own.groupby(own["regime"].str.split("=").str[1].astype(float))
        assert line(accuracy, label).get_xdata() == pytest.approx([0.001, 0.01, 0.1, 1, 10, 100])
        assert line(accuracy, label).get_ydata() == pytest.approx(100 * regimes["test_accuracy"].mean(), nan_ok=True)
        shares = 100 * regimes["status"].agg(lambda status: (status != "ok").mean())
        assert line(lost, label).get_ydata() == pytest.approx(shares)
    assert accuracy.get_xscale() == "log"
    assert max(line(lost, "none").get_ydata()) == 100


def test_intervals_of_a_sweep_are_students():
    accuracy = panels_under("sweeps", "sizes: regularization alone")[0]
    own = 100 * swept_runs("sizes", "regularization", "none").set_index("regime")["test_accuracy"]
    bars = next(bars for bars in accuracy.collections if same_color(bars.get_color()[0], "#1a1a1a"))
    for segment, regime in zip(bars.get_segments(), own.index.unique(), strict=True):
        values = own[regime]
        interval = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        assert segment[:, 1] == pytest.approx(interval)


def test_an_axis_is_logarithmic_only_for_numbers_that_span_much():
    scales = {
        sweep: panels_under("sweeps", f"{sweep}: {kind} alone")[0].get_xscale()
        for sweep, kind in (
            ("rates", "clipping"),
            ("sizes", "regularization"),
            ("noise", "clipping"),
            ("deep", "clipping"),
        )
    }
    assert scales == {"rates": "log", "sizes": "log", "noise": "linear", "deep": "linear"}


def test_named_points_stand_in_their_order():
    accuracy = panels_under("sweeps", "optimizers: clipping alone")[0]
    assert [text.get_text() for text in accuracy.get_xticklabels()] == ["sgd", "adam"]
    means = 100 * swept_runs("optimizers", "clip", "none").groupby("regime", sort=False)["test_accuracy"].mean()
    assert line(accuracy, "none").get_xdata().tolist() == [0, 1]
    assert line(accuracy, "none").get_ydata() == pytest.approx(means)


def test_a_second_axis_has_a_panel_for_each_of_its_values():
    found = panels_under("sweeps", "deep: clipping alone")
    assert [axes.get_title() for axes in found] == 2 * [f"activation {name}" for name in ("sigmoid", "tanh", "relu")]
    runs = swept_runs("deep", "clip", "zscore")
    relu = runs[runs["regime"].str.endswith("=relu")].groupby("regime", sort=False)["test_accuracy"].mean()
    assert line(found[2], "zscore").get_xdata() == pytest.approx([1, 5, 10, 20])
    assert line(found[2], "zscore").get_ydata() == pytest.approx(100 * relu)


def test_a_sweep_has_panels_for_the_kinds_it_varies_and_no_others():
    titles = {axes.texts[0].get_text() for axes in drawn("swept", "sweeps").axes if not axes.axison}
    clips, others = "clipping alone", "regularization alone"
    assert titles == {
        f"rates: {clips}", f"optimizers: {clips}", f"optimizers: {others}", f"deep: {clips}", f"sizes: {others}",
        f"noise: {clips}",
    }  # fmt: skip
    assert "Regimes outside any sweep, not shown: 2." in FIGURES["sweeps"].caption(study("swept"))


def test_many_labels_are_drawn_in_several_rows_each_with_none():
    found = panels_under("sweeps", "rates: clipping alone")
    shown = [[line.get_label() for line in axes.lines] for axes in found[::2]]
    assert len(shown) > 1
    assert all("none" in labels for labels in shown)
    labels = [label for several in shown for label in several if label != "none"]
    assert sorted(labels) == sorted(set(study("swept")["runs"].query("regime == 'rates_lr=0.1'")["clip"]) - {"none"})


def test_differences_to_none_are_paired_by_seed():
    runs = study("swept")["runs"].sample(frac=1, random_state=0)
    table = less_none(runs, "test_accuracy")
    clips = runs[runs["regularization"] == "none"]
    scores = {tuple(key): score for *key, score in clips[["regime", "clip", "seed", "test_accuracy"]].to_numpy()}
    slow = [scores[regime, clip, seed] - scores[regime, "none", seed]
            for regime, clip, seed in table[["regime", "clip", "seed"]].to_numpy()]  # fmt: skip
    assert table["difference"].to_numpy() == pytest.approx(slow, nan_ok=True)
    assert len(slow) == (clips["clip"] != "none").sum()


def places(dots: Line2D) -> set[tuple[float, float]]:
    return {(round(x, 6), round(y, 6)) for x, y in zip(dots.get_xdata(), dots.get_ydata(), strict=True)}


def test_points_stand_at_the_clip_rate_and_at_the_multiple_of_the_unclipped_norm():
    rates, multiples = [axes for axes in drawn("swept", "firing").axes if axes.axison]
    runs = study("swept")["runs"]
    own = runs[(runs["regime"] == "alone") & (runs["regularization"] == "none")].set_index(["clip", "seed"])
    clips = ["global_norm(1)", "global_norm(0.1)", "global_norm(0.01)"]
    gains = [100 * (own.loc[clip, "test_accuracy"] - own.loc["none", "test_accuracy"]).mean() for clip in clips]
    often = [100 * own.loc[clip, "clip_rate"].mean() for clip in clips]
    assert places(Line2D(often, gains)) <= places(line(rates, "global_norm"))
    relative = np.array([1, 0.1, 0.01]) / own.loc["none", "norm_median"].median()
    assert places(Line2D(relative, gains)) <= places(line(multiples, "global_norm"))
    assert {str(dot.get_label()) for dot in multiples.lines if dot.get_marker() not in ("None", "")} == {"global_norm"}


def test_a_method_has_its_colour_in_both_panels():
    looks = by_method(style_of("swept")).clips
    for axes in (one for one in drawn("swept", "firing").axes if one.axison):
        dots = {str(dot.get_label()): dot for dot in axes.lines if str(dot.get_label()) in looks}
        assert dots
        assert {name: dot.get_color() for name, dot in dots.items()} == {name: looks[name].color for name in dots}


def test_a_norm_of_another_order_is_no_threshold_of_the_recorded_norms():
    runs = study("swept")["runs"].query("regime == 'alone'")
    other = runs.assign(clip=runs["clip"].str.replace("global_norm(1)", "global_norm(max_norm=1, order=1)"))
    page = FIGURES["firing"].draw({"runs": other}, style_for(other["clip"], ["none"]))
    assert len(line(page.axes[0], "global_norm").get_xdata()) == 3
    assert len(line(page.axes[1], "global_norm").get_xdata()) == 2


def test_a_clip_that_rescues_a_training_does_not_squeeze_the_others():
    axes = drawn("swept", "firing").axes[0]
    assert axes.get_yscale() == "symlog"
    runs = study("swept")["runs"].query("regime == 'alone' and clip != 'global_norm(0.01)'")
    assert FIGURES["firing"].draw({"runs": runs}, style_of("swept")).axes[0].get_yscale() == "linear"


def test_nothing_to_show_is_said_here_too():
    said = {
        ("baseline alone", "tuning_curves"): "Nothing was tuned",
        ("baseline alone", "firing"): "no clip but none",
        ("all diverged", "firing"): "none has a clip rate",
        ("two variants", "sweeps"): "No sweep to show",
    }
    for (name, figure), text in said.items():
        assert text in drawn(name, figure).texts[0].get_text()
    panels = [axes for axes in drawn("all diverged", "tuning_curves").axes if axes.get_xlabel()]
    assert panels
    for axes in panels:
        assert [text.get_text() for text in axes.texts] == ["undefined"]


def test_tables_from_a_file_are_drawn_as_those_in_memory(tmp_path):
    settings, sweeps = ["rates"], ["", "optimizers", "noise"]  # "": a regime by itself, which is read as missing
    tuning, regimes = study("swept")["tuning"], study("swept")["regimes"]
    made = {
        "tuning": tuning[tuning["setting"].isin(settings)],
        "regimes": regimes[regimes["part_of"].isin(sweeps)],
    }
    for name, table in made.items():
        store.write(table, tmp_path / f"{name}.csv")
    read = store.read_all(tmp_path / f"{name}.csv" for name in made)
    for name in ("tuning_curves", "sweeps"):
        runs, figure = {"runs": study("swept")["runs"]}, FIGURES[name]
        assert figure.caption(read | runs) == figure.caption(made | runs)
        pages = [figure.draw(tables | runs, style_of("swept")) for tables in (made, read)]
        first, second = ([line for axes in page.axes for line in axes.lines] for page in pages)
        for one, other in zip(first, second, strict=True):
            assert one.get_label() == other.get_label()
            assert np.asarray(one.get_xydata()) == pytest.approx(np.asarray(other.get_xydata()), nan_ok=True)
