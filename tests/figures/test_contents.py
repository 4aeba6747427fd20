"""Each figure shows its table: read from the artists, never from pixels."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from study.figures import FIGURES
from study.figures._layout import decimal
from study.figures._style import style_for
from study.methods.phrases import label_phrase

from .conftest import DRAWN, drawn, study, style_of
from .synthetic import Grid, tables

pytestmark = pytest.mark.slow


def line(axes: Axes, label: str) -> Line2D:
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return found


def of(frame: pd.DataFrame, regime: str, clip: str, regularization: str = "none") -> pd.DataFrame:
    """The rows of one variant."""
    keys = {"regime": regime, "clip": clip, "regularization": regularization}
    return frame[(frame[list(keys)] == pd.Series(keys)).all(axis="columns")]


def words(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.axison]


def panel(figure: Figure, heading: str, label: str) -> Axes:
    """The small multiple of a label (unwrapped) under the heading of its regime."""
    current = ""
    for axes in figure.axes:
        current = current if axes.axison else axes.get_title(loc="left")
        if axes.axison and current == heading and axes.get_title().replace("\n", " ") == label_phrase(label):
            return axes
    raise AssertionError((heading, label))


def test_forest_marks_the_estimates_and_fills_the_significant(default, draw):
    rows = default["comparisons"]
    rows = rows[rows["family"].isin(["clip", "regularization"])]
    regimes = list(dict.fromkeys(rows["regime"]))
    filled = 0
    for number, axes in enumerate(panels(draw("gap_forest"))):
        metric = ("gap_accuracy", "test_accuracy")[number % 2]
        part = rows[(rows["regime"] == regimes[number // 2]) & (rows["metric"] == metric) & rows["estimate"].notna()]
        assert len(part) > 0
        for row in part.itertuples():
            label = row.clip if row.family == "clip" else row.regularization
            marker = line(axes, label)
            assert marker.get_xdata() == pytest.approx([100 * row.estimate])
            assert line(axes, f"interval of {label}").get_xdata() == pytest.approx([100 * row.low, 100 * row.high])
            assert same_color(marker.get_markerfacecolor(), "white") == (row.p_adjusted >= 0.05)
            filled += row.p_adjusted < 0.05
    assert filled > 0


def test_forest_says_how_many_pairs_and_runs_were_lost(draw):
    notes = [text.get_text() for text in panels(draw("gap_forest"))[-1].texts]
    assert "n = 0, 5/5 div" in notes
    assert "undefined" in [note.strip() for note in notes]
    assert [text.get_text() for text in panels(draw("gap_forest"))[0].texts] == []


def test_forest_leaves_an_undefined_p_open():
    for axes in panels(drawn("one seed", "gap_forest")):
        dots = [line for line in axes.lines if line.get_marker() not in ("None", "")]
        assert dots
        assert all(same_color(dot.get_markerfacecolor(), "white") for dot in dots)


def test_heatmap_cells_hold_the_means_and_the_diverged(default, draw, style):
    runs = default["runs"]
    for axes, (regime, metric) in zip(
        panels(draw("heatmap")),
        [(regime, metric) for regime in dict.fromkeys(runs["regime"]) for metric in ("gap_accuracy", "test_accuracy")],
        strict=True,
    ):
        own = runs[runs["regime"] == regime]
        clips = [clip for clip in style.clips if clip in set(own["clip"])]
        others = [name for name in style.regularizations if name in set(own["regularization"])]
        cells = {text.get_position(): text.get_text() for text in axes.texts}
        assert len(cells) == len(clips) * len(others)
        for (column, row), text in cells.items():
            cell = own[(own["clip"] == clips[int(column)]) & (own["regularization"] == others[int(row)])]
            mean, lost = cell[metric].mean(), (cell["status"] == "diverged").sum()
            expected = (decimal(100 * mean) if np.isfinite(mean) else "−") + (f"\n†{lost}/{len(cell)}" if lost else "")
            assert text == expected


def test_heatmap_colours_order_the_values(draw):
    for axes in panels(draw("heatmap")):
        (mesh,) = axes.collections
        values = np.ma.compressed(mesh.get_array())
        lightness = mesh.cmap(mesh.norm(np.sort(values)))[:, :3] @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(lightness) <= 1e-6).all()
        assert lightness.min() > 0.35  # black numbers stay legible


def test_many_clips_are_split_into_blocks_that_share_a_colour_scale():
    meshes = [axes.collections[0] for axes in panels(drawn("12 x 12", "heatmap"))]
    assert len(meshes) == 2  # 12 columns fit the page below each other
    grid = Grid({"r": (["none", *(f"value({n})" for n in range(19))], ["none"])}, seeds=1, windows=1)
    made = tables(grid)
    page = FIGURES["heatmap"].draw(made, style_for(made["runs"]["clip"], ["none"]))
    first, second, *_ = [axes.collections[0] for axes in panels(page)]
    assert first.norm.vmin == second.norm.vmin
    assert sum(len(axes.texts) for axes in panels(page)) == 2 * 20


def test_learning_curves_are_means_over_seeds_with_the_gap_in_the_corner(default, draw):
    epochs = default["epochs"]
    own = of(epochs, "memorize", "none", "l2(0.001)")
    axes = panel(draw("learning_curves"), "memorize", "l2(0.001)")
    for side in ("train_accuracy", "validation_accuracy"):
        assert line(axes, f"l2(0.001) {side}").get_ydata() == pytest.approx(100 * own.groupby("epoch")[side].mean())
    last = own[own["epoch"] == own["epoch"].max()]
    distance = 100 * (last["train_accuracy"] - last["validation_accuracy"]).mean()
    assert words(axes) == [f"t − v {decimal(distance)} pp"]
    assert line(axes, "l2(0.001) train_accuracy").get_linestyle() == "-"
    assert line(axes, "l2(0.001) validation_accuracy").get_linestyle() == "--"
    assert (
        line(axes, "baseline train_accuracy").get_linewidth() < line(axes, "l2(0.001) train_accuracy").get_linewidth()
    )


def test_learning_curves_keep_the_last_epoch_in_view(default, draw):
    epochs = default["epochs"]
    means = epochs.groupby(["regime", "clip", "regularization", "epoch"])["train_accuracy"].mean()
    axes = panel(draw("learning_curves"), "memorize", "value(0.01)")
    low, high = axes.get_ylim()
    assert low < 100 * means["memorize", "value(0.01)", "none"].iloc[-1] < high


def test_gradient_norms_are_medians_with_the_extremes_behind(default, draw):
    steps = default["steps"]
    own = of(steps, "unstable", "value(0.01)")
    axes = panel(draw("gradient_norm"), "unstable", "value(0.01)")
    assert axes.get_yscale() == "log"
    for when in ("norm_before", "norm_after"):
        assert line(axes, f"value(0.01) {when}").get_ydata() == pytest.approx(own.groupby("step")[when].median())
    (band,) = axes.collections
    spike = own["norm_before_max"].max()
    assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(spike)


def test_clip_rates_are_means_and_ticks_of_the_seeds(default, draw):
    runs, steps = default["runs"], default["steps"]
    own = of(runs, "unstable", "value(0.01)")
    fired, changed = panels(draw("clip_rate"))[-2:]
    assert line(fired, "seeds of value(0.01)").get_xdata() == pytest.approx(100 * own["clip_rate"])
    assert line(fired, "value(0.01)").get_xdata() == pytest.approx([100 * own["clip_rate"].mean()])
    part = of(steps, "unstable", "value(0.01)")
    assert line(changed, "seeds of value(0.01)").get_xdata() == pytest.approx(
        100 * part.groupby("seed")["changed"].mean()
    )
    assert f"{100 * own['clip_rate'].mean():.1f} %" in words(fired)
    assert all(float(x) >= 0 for x in fired.get_xticks())


def test_long_windows_count_more_in_the_share_of_coordinates(default, style):
    steps = default["steps"]
    first = steps["step"] == 0
    steps = steps.assign(changed=np.where(first, 1.0, 0.0), last_step=steps["last_step"].where(~first, 19))
    page = FIGURES["clip_rate"].draw({"runs": default["runs"], "steps": steps}, style)
    windows = steps.loc[first.idxmax() : first.idxmax() + 7]
    share = 20 / (windows["last_step"] - windows["step"] + 1).sum()
    assert line(panels(page)[1], "global_norm(5)").get_xdata() == pytest.approx([100 * share])


def test_layer_norms_show_weights_from_dark_to_light(default, draw):
    tensors = default["tensors"]
    own = of(tensors, "memorize", "none")
    axes = panel(draw("layer_norms"), "memorize", "none")
    assert [line.get_label() for line in axes.lines] == ["layers.0.weight", "layers.2.weight"]
    for name in ("layers.0.weight", "layers.2.weight"):
        medians = own[own["tensor"] == name].groupby("step")["norm_before"].median()
        assert line(axes, name).get_ydata() == pytest.approx(medians)


def test_a_dead_layer_is_a_gap_and_not_a_fall(default, style):
    tensors = default["tensors"]
    dead = (tensors["step"] == 40) & (tensors["tensor"] == "layers.0.weight")
    page = FIGURES["layer_norms"].draw(
        {"tensors": tensors.assign(norm_before=tensors["norm_before"].mask(dead, 0))}, style
    )
    values = np.asarray(line(panel(page, "memorize", "none"), "layers.0.weight").get_ydata())
    assert np.flatnonzero(np.isnan(values)).tolist() == [2]


def test_weight_curves_start_at_the_exact_zeros_and_end_at_all(default, draw):
    axes = panels(draw("weights"))[0]
    curve = np.asarray(line(axes, "l1(0.0001)").get_ydata())
    assert curve[0] == pytest.approx(42, abs=0.1)
    assert curve[-1] == pytest.approx(100)
    assert (np.diff(curve) >= -1e-9).all()
    assert np.asarray(line(axes, "none").get_ydata())[0] == pytest.approx(0, abs=0.1)


def test_weight_shares_are_means_of_the_runs(default, draw):
    runs = default["runs"]
    own = of(runs, "tutorial", "none", "l1(0.0001)")
    axes = panels(draw("weights"))[2]
    assert line(axes, "l1(0.0001) zero").get_xdata() == pytest.approx([100 * own["weight_zero"].mean()])
    assert line(axes, "l1(0.0001) small").get_xdata() == pytest.approx([100 * own["weight_small"].mean()])


def test_divergence_bars_have_the_length_of_their_share(default, draw):
    runs = default["runs"]
    unstable = runs[runs["regime"] == "unstable"]
    (axes,) = panels(draw("divergence"))
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    causes = sum(
        bar.get_width() for container in axes.containers if container.get_label()[0] != "_" for bar in container
    )
    full = bars[0].get_width()
    assert causes == pytest.approx(full * (unstable["status"] == "diverged").sum() / 5)
    counts = words(axes)
    assert sum(int(text.split("/")[0]) for text in counts) == (unstable["status"] == "diverged").sum()
    assert {text.split("/")[1] for text in counts} == {"5"}


def test_divergence_is_told_when_there_is_none(default, draw):
    titles = [axes.get_title(loc="left") for axes in draw("divergence").figure.axes]
    assert titles[:2] == ["tutorial: no run of 90 failed", "memorize: no run of 180 failed"]
    well = default["runs"].assign(status="ok", cause="")
    assert "No run of 450 failed." in FIGURES["divergence"].caption({"runs": well})


def test_an_unheard_of_cause_is_counted_too(default, style):
    runs = default["runs"].head(3).assign(status=["diverged", "diverged", "ok"], cause=["", "gremlins", ""])
    page = FIGURES["divergence"].draw({"runs": runs}, style)
    assert "2/3" in [text.get_text() for text in panels(page)[0].texts]
    assert "another cause 2" in FIGURES["divergence"].caption({"runs": runs})


def test_nothing_to_show_is_said():
    words = {"gap_forest": "Nothing to compare", "clip_rate": "No clip to show"}
    for figure, text in words.items():
        assert text in drawn("baseline alone", figure).texts[0].get_text()
    for figure in ("gradient_norm", "layer_norms"):
        assert "does not measure every step" in drawn("no step measured", figure).texts[0].get_text()


def test_captions_count_what_was_left_out(default):
    captions = {
        name: FIGURES[name].caption({table: default[table] for table in FIGURES[name].needs})
        for study_name, name in DRAWN
        if study_name == "default"
    }
    lost = int(default["runs"]["gap_accuracy"].isna().sum())
    assert f"Runs left out because their gap is undefined: {lost}." in captions["heatmap"]
    assert "Pairs left out because the gap is undefined: 5." in captions["gap_forest"]
    assert "Runs whose accuracy is undefined in the end: 5 of 150." in captions["learning_curves"]
    uncounted = {name for name, caption in captions.items() if "5 seeds per variant." not in caption}
    assert uncounted <= {"claims", "clients"}


def test_all_diverged_is_drawn_as_such():
    assert style_of("all diverged").clips.keys() == set(study("all diverged")["runs"]["clip"])
    (axes,) = panels(drawn("all diverged", "divergence"))
    assert {text.get_text() for text in axes.texts} == {"3/3"}
    for axes in panels(drawn("all diverged", "heatmap")):
        assert {text.get_text() for text in axes.texts} == {"−\n†3/3"}


def test_the_figure_of_claims_names_contrasts_in_words() -> None:
    ledger = study("default")["claims"].assign(contrast="map_lr=3: global_norm(0.1), gap")
    page = FIGURES["claims"].draw({"claims": ledger}, style_for(["global_norm(0.1)"], [], {"map_lr=3": "map, rate 3"}))
    names = {label.get_text().replace("\n", " ") for axes in page.axes for label in axes.get_yticklabels()}
    assert {name for name in names if ":" in name} == {"map, rate 3: clip to norm 0.1, gap"}


def test_what_clips_of_samples_change_is_not_measured() -> None:
    named = {"global_norm(0.1)": "per_sample(0.1)"}
    made = {name: study("default")[name].replace({"clip": named}) for name in ("runs", "steps")}
    page = FIGURES["clip_rate"].draw(made, style_for(made["runs"]["clip"].unique(), made["runs"]["regularization"]))
    notes = [text.get_text() for axes in page.axes[1::2] for text in axes.texts]
    assert notes.count("not measured") == sum(
        "per_sample(0.1)" in set(part["clip"]) for _, part in made["runs"].groupby("regime")
    )
    assert "where changes are not measured" in FIGURES["clip_rate"].caption(made)
    assert "where changes are not measured" not in FIGURES["clip_rate"].caption(study("default"))
