"""The pictures show what the methods do: read from what is drawn."""

from pathlib import Path
from typing import ClassVar, Literal

import matplotlib.colors
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from study.catalogue.panels import AFTER, MARKED, picture
from study.catalogue.pictures import draw, panels_of, words_of
from study.catalogue.pictures_training import stopped_at
from study.catalogue.pictures_weights import RATE
from study.clipping import Clipping, Part
from study.parameters import Positive
from study.regularization import Place, Regularization

ATOL = 1e-5


def axes_of(method: Clipping | Regularization, title: str) -> Axes:
    """The drawn panel of a title."""
    (panel,) = [panel for panel in panels_of(method) if panel.title == title]
    (axes,) = picture([panel]).axes
    return axes


def line(axes: Axes, color: str) -> tuple[np.ndarray, np.ndarray]:
    """The first line of a colour, as drawn."""
    lines = [each for each in axes.lines if matplotlib.colors.same_color(each.get_color(), color)]
    return np.asarray(lines[0].get_xdata(), dtype=float), np.asarray(lines[0].get_ydata(), dtype=float)


def points(axes: Axes, label: str) -> np.ndarray:
    """The points [n, 2] of a label, as drawn."""
    (shown,) = [each for each in axes.lines if each.get_label() == label]
    return np.asarray(shown.get_xydata(), dtype=float)


@pytest.mark.parametrize("bound", [0.5, 3.0])
@pytest.mark.parametrize("color", [AFTER, MARKED])
def test_the_global_norm_after_is_the_smaller_of_norm_and_bound(bound: float, color: str) -> None:
    before, after = line(axes_of(Clipping.parse({"name": "global_norm", "max_norm": bound}), "Norms"), color)
    np.testing.assert_allclose(after, np.minimum(before, bound), rtol=1e-4)


def test_a_map_shows_where_points_go() -> None:
    axes = axes_of(Clipping.parse({"name": "value", "bound": 1.0, "low": -0.5}), "One unit")
    np.testing.assert_allclose(points(axes, "after"), points(axes, "before").clip(-0.5, 1.0), atol=ATOL)


def test_a_clip_that_remembers_is_shown_with_its_series_and_its_spike() -> None:
    clip = Clipping.parse({"name": "zscore"})
    axes = axes_of(clip, "A series of norms")
    (_, before), (_, after) = ((line.get_xdata(), np.asarray(line.get_ydata(), dtype=float)) for line in axes.lines)
    assert before.argmax() == 150
    assert after[150] < before[150] / 3
    np.testing.assert_allclose(after[:20], before[:20], rtol=1e-5)


def test_the_soft_threshold_is_drawn() -> None:
    before, after = line(axes_of(Regularization.parse({"name": "l1_proximal", "strength": 1.0}), "One weight"), AFTER)
    np.testing.assert_allclose(after, np.sign(before) * np.maximum(np.abs(before) - RATE, 0), atol=ATOL)


def test_the_projection_is_drawn() -> None:
    axes = axes_of(Regularization.parse({"name": "max_norm", "bound": 1.0}), "One unit")
    before, after = points(axes, "before"), points(axes, "after")
    norms = np.linalg.norm(before, axis=1, keepdims=True)
    np.testing.assert_allclose(after, before / np.maximum(norms, 1), atol=ATOL)


def test_the_pull_of_a_penalty_is_its_slope_downhill() -> None:
    before, pull = line(axes_of(Regularization.parse({"name": "l2", "strength": 2.0}), "Pull on one weight"), AFTER)
    np.testing.assert_allclose(pull, -2 * before, atol=ATOL)


def test_smoothed_targets_are_drawn() -> None:
    axes = axes_of(Regularization.parse({"name": "label_smoothing", "smoothing": 0.2}), "Targets")
    heights = [bar.get_height() for bar in axes.patches[10:]]
    np.testing.assert_allclose(sorted(heights), [0.02] * 9 + [0.82], atol=ATOL)


def test_the_stop_is_where_patience_ends() -> None:
    stopping = Regularization.parse({"name": "early_stopping", "patience": 2})
    assert stopped_at(stopping, [3.0, 2.0, 2.5, 2.5, 1.0]) == 3
    assert stopped_at(stopping, [3.0, 2.0, 1.0]) is None


def test_words_of_a_picture_cost_no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Figure, "add_axes", None)
    assert "Norms:" in words_of(Clipping.parse({"name": "percentile"}))


def test_the_same_picture_is_the_same_file(tmp_path: Path) -> None:
    noise = Regularization.parse({"name": "gradient_noise", "eta": 0.3})
    draw(noise, tmp_path / "a.png")
    draw(noise, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_method_that_the_gallery_does_not_know_gets_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clipping, "members", dict(Clipping.members))
    monkeypatch.setattr(Regularization, "members", dict(Regularization.members))

    class Halved(Clipping):
        """Half of it."""

        name: Literal["halved"] = "halved"
        acts_per: ClassVar[Part] = "coordinate"
        share: Positive

        def clip(
            self, gradient: dict[str, Tensor], parameters: dict[str, Tensor], state: dict[str, Tensor]
        ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
            return {key: g * self.share for key, g in gradient.items()}, state

    class Fourth(Regularization):
        """A penalty of the fourth power."""

        name: Literal["fourth"] = "fourth"
        place: ClassVar[Place] = "loss"

        def penalty(self, parameters: dict[str, Tensor]) -> Tensor:
            return torch.stack([p.pow(4).sum() for p in parameters.values()]).sum()

    _, after = line(axes_of(Halved(share=0.5), "Norms"), AFTER)
    before, _ = line(axes_of(Halved(share=0.5), "Norms"), AFTER)
    np.testing.assert_allclose(after, before / 2, rtol=1e-4)
    weights, pull = line(axes_of(Fourth(), "Pull on one weight"), AFTER)
    np.testing.assert_allclose(pull, -4 * weights**3, rtol=1e-4, atol=ATOL)
