"""What most tests of the core start from: the shipped digits, one thread, examples without a time limit."""

from pathlib import Path

import pytest
import torch
from hypothesis import settings

from study.data import Digits, load

settings.register_profile("core", deadline=None)  # the first example of a test pays for imports and tracing
settings.load_profile("core")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> Digits:
    return load("mnist-sample", Path())
