"""Looks are stable, distinct and legible; files are reproducible."""

from io import StringIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from study.figures import FIGURES
from study.figures._style import DARK, save, style_for, styled

from .conftest import drawn, measured
from .synthetic import CLIPS, REGULARIZATIONS

MANY = [f"value({bound})" for bound in range(20)]


def test_a_label_keeps_its_look_when_others_are_added_or_repeated():
    few, more = (
        style_for(CLIPS, REGULARIZATIONS),
        style_for([*CLIPS, *CLIPS, "sign"], ["none", *REGULARIZATIONS, "l1(2)"]),
    )
    assert few.clips.items() <= more.clips.items()
    assert few.regularizations.items() <= more.regularizations.items()


@pytest.mark.parametrize("labels", [["none", "sign"], ["sign", "none"], ["sign"]])
def test_none_is_dark_and_first_wherever_it_appears(labels):
    style = style_for(labels, labels)
    assert style.clips["none"] == style.regularizations["none"] == DARK
    assert list(style.clips) == ["none", "sign"]


def test_twenty_labels_look_different_even_without_colour():
    style = style_for(MANY, MANY)
    for looks in (style.clips, style.regularizations):
        assert len({(look.marker, look.line) for look in looks.values()}) == 21


def _lightness(color: str) -> float:
    return float(np.dot(np.array(to_rgb(color)) ** 2.2, [0.2126, 0.7152, 0.0722]))


def test_colours_stand_out_from_the_page():
    style = style_for(MANY, MANY)
    for look in (*style.clips.values(), *style.regularizations.values()):
        assert 1.05 / (_lightness(look.color) + 0.05) > 1.6


def test_draws_under_its_own_settings_and_leaves_the_users_alone(style):
    seen = {}

    @styled
    def draw(tables, style):
        seen.update(mpl.rcParams)
        return Figure()

    with mpl.rc_context({"font.size": 33, "axes.grid": True}):
        draw({}, style)
        assert mpl.rcParams["font.size"] == 33
    assert seen["font.size"] == 7
    assert not seen["axes.grid"]


def test_a_label_without_a_look_is_named(default):
    with pytest.raises(ValueError, match=r"The 'clip' labels of the style must include every label drawn. Got 'value"):
        FIGURES["heatmap"].draw(default, style_for([c for c in CLIPS if "value" not in c], REGULARIZATIONS))


def test_saves_the_same_bytes_twice(tmp_path: Path, default, style):
    for name in ("first", "second"):
        paths = save(FIGURES["layer_norms"].draw(default, style), tmp_path / name)
        assert [path.name for path in paths] == [f"{name}.pdf", f"{name}.svg", f"{name}.png"]
    for suffix in ("pdf", "svg", "png"):
        assert (tmp_path / f"first.{suffix}").read_bytes() == (tmp_path / f"second.{suffix}").read_bytes()


def test_the_layout_gives_text_the_room_it_takes_in_the_vector_formats():
    vector = RendererSVG(468, 468, StringIO(), image_dpi=72)
    lines = [item for item in measured("default", "gap_forest").texts if "\n" not in item.text.get_text()]
    assert len(lines) > 50
    for item in lines:
        width, *_ = vector.get_text_width_height_descent(item.text.get_text(), item.text.get_fontproperties(), False)
        assert 0.99 * width - 0.5 < 72 * (item.box[1, 0] - item.box[0, 0]) < 1.03 * width + 0.5, item.text


def test_files_hold_fonts_and_no_dates(tmp_path: Path):
    pdf, svg = save(drawn("two variants", "clip_rate"), tmp_path / "new" / "clip_rate", ("pdf", "svg"))
    assert b"/CreationDate" not in pdf.read_bytes()
    assert b"/FontFile2" in pdf.read_bytes()  # TrueType, which journals ask for
    assert b"<dc:date>" not in svg.read_bytes()


def test_a_failing_save_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch):
    path = tmp_path / "figure.svg"
    path.write_text("old")

    def fail(self, file, **keywords):
        Path(file).write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        save(Figure(), tmp_path / "figure", ("svg",))
    assert [file.name for file in tmp_path.iterdir()] == ["figure.svg"]
    assert path.read_text() == "old"


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path):
    with pytest.raises(
        ValueError, match=r"The 'formats' parameter of save must hold only pdf, svg, png. Got 'bmp' instead."
    ):
        save(Figure(), tmp_path / "figure", ("pdf", "bmp"))
    assert list(tmp_path.iterdir()) == []
