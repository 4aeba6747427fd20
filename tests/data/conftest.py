"""A tiny data set, and what it takes to fetch it from anywhere."""

from collections.abc import Callable
from pathlib import Path

import pytest
from data_files import digits_files
from hypothesis import settings

from study.data.fetch import Download, Fingerprint
from study.data.sources import Source

settings.register_profile("data", deadline=None)  # the first example imports scikit-learn
settings.load_profile("data")


@pytest.fixture
def files() -> dict[str, bytes]:
    return digits_files()


@pytest.fixture
def tiny(files: dict[str, bytes]) -> Callable[..., Download]:
    """A download of `files` from the given ways to deliver them."""

    def download(*deliver: Callable[[Path], Path]) -> Download:
        sources = [Source(f"source {n}", f"ask source {n}", way) for n, way in enumerate(deliver, 1)]
        return Download("tiny", {f: Fingerprint.of(content) for f, content in files.items()}, sources)

    return download
