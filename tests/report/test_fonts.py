"""What fonts cannot print is said, not printed as boxes without a word."""

from pathlib import Path

import pytest

from study.report import fonts
from study.report.fonts import unprintable, warning


@pytest.fixture
def no_system_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", list)


@pytest.mark.usefixtures("no_system_fonts")
def test_alphabets_are_printed_and_what_is_not_is_named_once() -> None:
    assert unprintable("Größe, Сравнение методов, λ ≤ 1\n") == ""
    assert unprintable("小数据, 小") == "小据数"
    assert warning("") == ""
    assert "U+5C0F, U+636E, U+6570: they are boxes" in warning("小据数")
    assert "and 2 more" in warning("小据数比较正则")


def test_a_font_of_the_machine_that_has_them_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    has = {"cjk.ttf": set("小数据"), "DejaVuSans.ttf": set("a")}
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: ["cjk.ttf"])
    monkeypatch.setattr(fonts, "_glyphs", lambda font: has[Path(font).name])
    assert unprintable("a小数据") == ""
