"""Labels are wrapped without loss; rows, blocks and numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.figures._layout import (
    FAR,
    Block,
    decimal,
    in_blocks,
    log_norm_axis,
    page,
    panel_grid,
    row_centres,
    wrap,
)
from study.figures._style import style_for

labels = st.text(alphabet="abc_(,=.0) +", min_size=1, max_size=80).map(str.strip).filter(bool)


@given(labels, st.integers(5, 40))
def test_wrapping_keeps_every_character_and_the_width(label, width):
    wrapped = wrap(label, width)
    assert "".join(wrapped.split()) == "".join(label.split())
    assert max(map(len, wrapped.split("\n"))) <= width


@pytest.mark.parametrize(
    ("label", "wrapped"),
    [
        ("dropout(0.5) + max_norm(3)", "dropout(0.5) +\nmax_norm(3)"),
        ("elastic_net(lambda1=0.0001, lambda2=0.001)", "elastic_net(\nlambda1=0.0001,\nlambda2=0.001)"),
        ("l2(0.001)", "l2(0.001)"),
    ],
)
def test_wrapping_breaks_where_a_reader_would(label, wrapped):
    assert wrap(label, 20) == wrapped


@given(st.lists(st.integers(1, 4), min_size=1, max_size=20))
def test_rows_are_centred_in_their_lines(counts):
    centres = row_centres(["\n".join("x" * count) for count in counts])
    edges = np.concatenate([[0], np.cumsum(counts)])
    assert centres == pytest.approx((edges[:-1] + edges[1:]) / 2)


@given(st.integers(1, 60), st.integers(1, 12))
def test_blocks_are_few_full_and_nearly_equal(n, most):
    blocks = in_blocks([str(number) for number in range(n)], most)
    sizes = [len(block) for block in blocks]
    assert [label for block in blocks for label in block] == [str(number) for number in range(n)]
    assert len(blocks) == -(-n // most)
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("value", "text"), [(-0.04, "0.0"), (-1.26, "−1.3"), (97.0, "97.0")])
def test_numbers_have_a_true_minus_and_no_negative_zero(value, text):
    assert decimal(value) == text


def test_an_explosion_is_named_at_the_edge_and_does_not_squeeze_the_axis(style):
    axes = page(style, 2).add_subplot()
    norms = np.array([1.0, 2.0, 1.0, 1e30])
    axes.plot(norms)
    log_norm_axis(axes, norms, norms)
    assert axes.get_ylim()[1] == pytest.approx(1.5 * FAR)
    assert [text.get_text() for text in axes.texts] == ["↑ 1e+30"]


@pytest.mark.parametrize(("clips", "rows"), [(3, 1), (4, 2), (7, 3)])
def test_groups_of_panels_share_a_row_that_holds_them_all(clips, rows):
    """Five columns; two panels in the second group."""
    values, penalties = [f"value({n + 1})" for n in range(clips)], ["l1(1)", "l2(1)"]
    style = style_for(["none", *values], ["none", *penalties])
    _, panels = panel_grid([Block("regime", (tuple(values), tuple(penalties)))], style, 5, 1.0)
    assert [(panel.group, panel.label) for panel in panels] == [
        *((0, one) for one in values),
        *((1, one) for one in penalties),
    ]
    assert len({panel.axes.get_subplotspec().rowspan.start for panel in panels}) == rows
