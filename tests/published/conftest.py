"""Methods of config/unit_pixels.py, gone after the test that reads them."""

import sys
from collections.abc import Iterator

import pytest

from study.methods.base import PLUGIN


@pytest.fixture
def own_methods(registries_as_before: None) -> Iterator[None]:
    """A file of methods is read anew in the next test, whose registries do not have them."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(PLUGIN):
            del sys.modules[name]
