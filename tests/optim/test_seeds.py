"""Random streams: from the seed and the stream's name alone."""

import hashlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from study.optim.rng import generator, stream_seed

SEEDS, NAMES = st.integers(0, 2**40), st.text("abcdefgh-0123/", min_size=1, max_size=12)


def drawn(seed: int, stream: str) -> torch.Tensor:
    return torch.rand(8, generator=generator(seed, stream))


@given(SEEDS, NAMES)
def test_a_stream_is_the_same_whenever_it_is_opened(seed: int, stream: str) -> None:
    assert torch.equal(drawn(seed, stream), drawn(seed, stream))


@given(SEEDS, st.lists(NAMES, min_size=2, max_size=5, unique=True))
def test_names_tell_streams_apart(seed: int, names: list[str]) -> None:
    assert len({tuple(drawn(seed, name).tolist()) for name in names}) == len(names)


@given(st.lists(SEEDS, min_size=2, max_size=5, unique=True), NAMES)
def test_seeds_tell_streams_apart(seeds: list[int], stream: str) -> None:
    assert len({tuple(drawn(seed, stream).tolist()) for seed in seeds}) == len(seeds)


def test_streams_are_pinned() -> None:
    """Another number here means that no stored run can be made again."""
    by_hand = int(hashlib.sha256(b"3/init").hexdigest()[:8], 16)
    assert stream_seed(3, "init") == by_hand == 89136671


@pytest.mark.usefixtures("global_randomness_untouched")
def test_opening_a_stream_leaves_the_global_one_alone() -> None:
    assert drawn(0, "init").shape == (8,)
