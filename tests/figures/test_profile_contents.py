"""The profiles show their tables: read from the artists, never from pixels."""

import numpy as np
import pytest

from study.figures import FIGURES
from study.methods.phrases import short_name

from .artists import line
from .conftest import drawn, study


def test_profiles_and_means_are_those_of_the_tables():
    page, across, profiles = drawn("swept", "profiles"), study("swept")["across"], study("swept")["profiles"]
    panels = [axes for axes in page.axes if axes.axison]
    groups = across.groupby(["kind", "regime"], sort=False)
    assert len(panels) == 2 * groups.ngroups > 2
    for (key, part), left, right in zip(groups, panels[::2], panels[1::2], strict=True):
        of_group = profiles.set_index(["kind", "regime"]).loc[key]
        for row in part.itertuples():
            own = of_group[of_group["method"] == row.method]
            assert line(left, row.method).get_xdata() == pytest.approx(100 * own["gain"])
            assert line(left, row.method).get_ydata() == pytest.approx(100 * own["share"])
            assert line(right, f"{row.method}: mean").get_xdata() == pytest.approx([100 * row.iqm])
        names = [text.get_text() for text in right.get_yticklabels()]
        assert {f"better in {row.better} of {row.settings}" in " ".join(names) for row in part.itertuples()} == {True}


def test_the_caption_names_the_first_of_each_group():
    across, text = study("swept")["across"], FIGURES["profiles"].caption(study("swept"))
    for _, part in across.groupby(["kind", "regime"], sort=False):
        first = part.loc[part["iqm"].idxmax()]
        assert f"is that of {short_name(first['method'])}, " in text
    assert np.isfinite(across["iqm"]).all()
    assert "No methods share settings" in FIGURES["profiles"].caption(study("two variants"))
