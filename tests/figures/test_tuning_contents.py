"""The curves of the tuning show its table: read from the artists, never from pixels."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from study.clipping import Clipping
from study.figures import FIGURES
from study.figures._layout import log_ticks
from study.figures._style import by_method, style_for
from study.figures._summaries import numbers_of
from study.regularization import Regularization

from .artists import line, panels_under
from .conftest import study, style_of


def candidates(setting: str, kind: str, method: str) -> pd.DataFrame:
    table = study("swept")["tuning"]
    return table[(table["setting"] == setting) & (table["kind"] == kind) & (table["method"] == method)]


def test_tuning_curves_are_the_means_of_every_strength_to_a_real_scale():
    loss, gap, test, _ = panels_under("tuning_curves", "optimizers optimizer=adam: regularization alone")
    rows = candidates("optimizers_optimizer=adam", "regularization", "l2")
    strengths = rows["label"].iloc[1:].str.extract(r"\((.*)\)")[0].astype(float)
    decades = abs(np.log10(strengths / strengths.iloc[0])).tolist()
    for axes, column, factor in (
        (loss, "validation_loss", 1),
        (gap, "gap_accuracy", 100),
        (test, "test_accuracy", 100),
    ):
        curve = line(axes, "l2")
        assert curve.get_ydata() == pytest.approx(factor * rows[column])
        assert curve.get_xdata()[1:] == pytest.approx(decades), "the strengths, as multiples of the weakest"
        assert curve.get_xdata()[0] < 0, "none stands left of them"
        base = factor * candidates("optimizers_optimizer=adam", "regularization", "none")[column].iloc[0]
        assert line(axes, "none").get_ydata() == pytest.approx([base, base])


def test_error_bars_of_the_validation_loss_are_one_standard_error():
    loss, gap, *_ = panels_under("tuning_curves", "optimizers optimizer=sgd: clipping alone")
    rows = candidates("optimizers_optimizer=sgd", "clip", "global_norm")
    (bars,) = loss.collections
    for segment, row in zip(bars.get_segments(), rows.itertuples(), strict=True):
        assert segment[:, 1] == pytest.approx(row.validation_loss + row.validation_se * np.array([-1, 1]))
    assert not gap.collections


@pytest.mark.parametrize(("heading", "setting", "kind"), [
    ("plain: regularization alone", "plain", "regularization"),
    ("plain: clipping alone", "plain", "clip"),
    ("rates: clipping alone", "rates", "clip"),
])  # fmt: skip
def test_marks_stand_at_the_candidates_they_name(heading, setting, kind):
    table = study("swept")["tuning"]
    rows = table[(table["setting"] == setting) & (table["kind"] == kind) & (table["method"] != "none")]
    test, table_of = panels_under("tuning_curves", heading)[2:]
    for column in ("chosen", "chosen_by_training", "best_on_test"):
        for method in rows["method"].unique():
            own = rows[rows["method"] == method]
            grid = list(dict.fromkeys(own["label"]))
            places = {grid.index(label) for label in own.loc[own[column], "label"]}
            assert {round(frame.get_x() + frame.get_width() / 2) for frame in cells(table_of, column, method)} == places
    for row in rows[rows["chosen"]].itertuples():
        assert line(test, f"chosen of {row.method}").get_ydata() == pytest.approx([100 * row.test_accuracy])
    assert rows["chosen"].sum() == rows["method"].nunique()


def cells(axes: Axes, column: str, method: str) -> list[Rectangle]:
    return [patch for patch in axes.patches if patch.get_label() == f"{column} of {method}"]


def test_the_table_names_the_strengths_of_every_method():
    table_of = panels_under("tuning_curves", "plain: regularization alone")[3]
    texts = [text.get_text() for text in table_of.texts]
    assert texts[:6] == ["none", "1e-4", "1e-3", ".01", ".1", "1"], "a strength of 1 is no default of l1"
    rows = study("swept")["tuning"].query("setting == 'plain' and kind == 'regularization' and method != 'none'")
    assert len(texts) == 6 * rows["method"].nunique()


def test_a_strength_much_worse_than_none_does_not_squeeze_the_others():
    tuning = study("swept")["tuning"].query("setting == 'plain' and kind == 'regularization'").copy()
    usual = panels_under("tuning_curves", "plain: regularization alone")[2].get_ylim()
    tuning.loc[tuning["label"] == "l2(1)", "test_accuracy"] = 0.01
    page = FIGURES["tuning_curves"].draw({"tuning": tuning}, style_of("swept"))
    low, high = page.axes[3].get_ylim()
    assert line(page.axes[3], "l2").get_ydata()[-1] < low
    assert high - low < 2 * (usual[1] - usual[0])


def test_a_method_tuned_along_is_drawn_at_its_chosen_point():
    test, table_of = panels_under("tuning_curves", "rates: clipping alone")[2:]
    rows = candidates("rates", "clip", "value")
    chosen = rows[rows["chosen"]].iloc[0]
    assert rows["regime"].nunique() == 6
    own = rows[rows["regime"] == chosen["regime"]]
    assert line(test, "value").get_ydata() == pytest.approx(100 * own["test_accuracy"])
    names = [text.get_text().replace("\n", " ") for text in table_of.get_yticklabels()]
    assert f"value ({chosen['regime'].removeprefix('rates_')})" in names
    assert "was tuned too" in FIGURES["tuning_curves"].caption(study("swept"))
    assert "tuned along" not in FIGURES["tuning_curves"].caption(study("default"))


def test_a_candidate_that_diverged_leaves_a_gap_and_is_counted():
    tuning = study("swept")["tuning"].query("setting == 'plain' and kind == 'regularization'")
    before, tuning = FIGURES["tuning_curves"].caption({"tuning": tuning}), tuning.copy()
    own = tuning["label"] == "l2(0.01)"
    tuning.loc[own, ["validation_loss", "validation_se"]] = [np.inf, np.nan]
    page = FIGURES["tuning_curves"].draw({"tuning": tuning}, style_of("swept"))
    loss = next(axes for axes in page.axes if any(line.get_label() == "dropout" for line in axes.lines))
    assert np.isnan(line(loss, "l2").get_ydata()).tolist() == [False, False, False, True, False, False]
    counts = [int(text.split("left out: ")[1].split(" of ")[0]) if "left out: " in text else 0
              for text in (before, FIGURES["tuning_curves"].caption({"tuning": tuning}))]  # fmt: skip
    assert counts[1] == counts[0] + 1


def test_the_caption_says_what_the_choices_cost():
    table = study("swept")["tuning"]
    choices = table[table["chosen"] & (table["method"] != "none")]
    text = FIGURES["tuning_curves"].caption(study("swept"))
    assert f"in {choices['best_on_test'].sum()} of {len(choices)} cases" in text
    assert f"{100 * choices['regret'].mean():.2f} percentage points" in text
    assert f"at most {100 * choices['regret'].max():.2f}, by " in text
    assert f"the same in {choices['chosen_by_training'].sum()}." in text
    assert f"{(choices['edge'] != '').sum()} of the choices lie" in text


def test_many_methods_are_drawn_in_several_rows():
    names = [f"penalty{number}" for number in range(11)]
    table = study("default")["tuning"]
    row = table[(table["kind"] == "regularization") & (table["method"] == "none") & (table["setting"] == "memorize")]
    many = [
        row.assign(method=name, label=label, chosen=label != "none")
        for name in names
        for label in ("none", f"{name}(0.1)")
    ]
    tuning = pd.concat([row, *many], ignore_index=True)
    page = FIGURES["tuning_curves"].draw({"tuning": tuning}, style_for(["none"], [f"{name}(0.1)" for name in names]))
    titles = [axes.texts[0].get_text() for axes in page.axes if not axes.axison]
    assert titles == [f"memorize: regularization alone ({number} of 2)" for number in (1, 2)]
    drawn_ = [line.get_label() for axes in page.axes[1::5] for line in axes.lines if line.get_label() in names]
    assert sorted(drawn_) == sorted(names)


positive = st.floats(1e-8, 1e8, allow_subnormal=False)


@given(st.lists(positive, min_size=1, max_size=6, unique=True), st.sampled_from(["clip", "l2", "elastic_net"]))
def test_strengths_are_read_back_from_labels(numbers, family):
    make = {
        "clip": lambda x: Clipping.parse({"name": "global_norm", "max_norm": x, "order": "inf"}),
        "l2": lambda x: Regularization.parse({"name": "l2", "strength": x}),
        "elastic_net": lambda x: Regularization.parse({"name": "elastic_net", "lambda1": 0.5, "lambda2": x}),
    }[family]
    expected = tuple(numbers) if family != "elastic_net" or len(numbers) > 1 else (0.5,)
    assert numbers_of([make(x).label for x in numbers]) == expected


@pytest.mark.parametrize("labels", [["percentile(5)", "percentile"], ["sign", "zscore"], ["l2(0)", "l2(1)"], []])
def test_labels_without_a_positive_number_each_have_no_strengths(labels):
    assert numbers_of(labels) == ()


@given(st.floats(1e-6, 1e6), st.floats(1.0, 1e9), st.integers(2, 8))
def test_ticks_of_a_log_axis_are_few_and_inside(low, ratio, most):
    ticks = log_ticks(low, low * ratio, most)
    assert 1 <= len(ticks) <= most
    assert all(low * (1 - 1e-6) <= tick <= low * ratio * (1 + 1e-6) for tick in ticks)
    assert list(ticks) == sorted(ticks)


def test_methods_look_as_labels_do_where_each_has_one():
    labels, methods = style_for(["none", "value(1)", "sign"], ["l2(1)", "l1(2)"]), ["none", "value", "sign"]
    assert by_method(labels).clips == dict(zip(methods, labels.clips.values(), strict=True))
    several = by_method(style_for([f"{name}({n})" for name in ("value", "global_norm") for n in range(6)], []))
    assert list(several.clips) == ["none", "value", "global_norm"]
    assert several.clips["value"].color != several.clips["global_norm"].color


def test_strengths_that_are_no_numbers_stand_by_their_place():
    tuning = study("swept")["tuning"].query("setting == 'plain' and kind == 'regularization'").copy()
    named = {label: f"l2(word_{place})" for place, label in enumerate(tuning["label"].unique()) if label[:3] == "l2("}
    page = FIGURES["tuning_curves"].draw({"tuning": tuning.replace({"label": named})}, style_of("swept"))
    assert line(page.axes[3], "l2").get_xdata() == pytest.approx(range(1 + len(named)))
    assert page.axes[3].get_xlabel() == "place in the grid"


def test_a_tuned_setting_is_named_as_the_study_names_it() -> None:
    tuning = study("swept")["tuning"]
    words = {name: f"setting {place}" for place, name in enumerate(tuning["setting"].unique())}
    style = replace(style_of("swept"), regimes=words)
    page = FIGURES["tuning_curves"].draw({"tuning": tuning}, style)
    titles = {text.get_text() for axes in page.axes for text in axes.texts if ": " in text.get_text()}
    assert {title.partition(":")[0] for title in titles} >= set(words.values())
