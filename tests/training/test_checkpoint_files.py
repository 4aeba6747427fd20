"""Files of checkpoints that are of no use: damaged, of another training, or made to run code."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cases import variant
from test_checkpoints import IDENTITY, LEAN, assert_same, begun, train

from study.data import Digits
from study.training.checkpoints import CheckpointError, packed, state_of, unpacked


@pytest.fixture
def content(digits: Digits) -> bytes:
    return packed(state_of(begun(variant(), digits)[0]), IDENTITY)


def test_a_damaged_file_is_recognised_wherever_the_damage_is(content: bytes) -> None:
    for place in np.linspace(0, len(content) - 1, 200).astype(int):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(place) % 8
        for wrong in (bytes(damaged), content[:place]):
            with pytest.raises(CheckpointError, match="checksum mismatch"):
                unpacked(wrong, IDENTITY)


def test_a_file_of_another_training_is_recognised(content: bytes) -> None:
    for identity, named in (
        ({**IDENTITY, "spec": "b"}, "spec"),
        ({**IDENTITY, "torch": "3"}, "torch"),
        ({}, "spec, seeds"),
    ):
        with pytest.raises(CheckpointError, match=f"one of another {named} instead"):
            unpacked(content, identity)


@pytest.mark.parametrize("of_no_use", ["damaged", "empty", "of another", "a folder"])
def test_a_training_starts_anew_beside_a_file_of_no_use_and_says_so(
    digits: Digits, content: bytes, of_no_use: str, tmp_path: Path
) -> None:
    file, lines, v = tmp_path / "checkpoint", list[str](), variant(epochs=1, **LEAN)
    if of_no_use == "a folder":
        file.mkdir()
    else:
        of_another = packed({}, {"spec": "b"})
        file.write_bytes({"damaged": content[:-1], "empty": b"", "of another": of_another}[of_no_use])
    assert_same(train(v, digits), train(v, digits, file, say=lines))
    assert lines[0].startswith(f"The checkpoint '{file}' is left aside: ")
    assert lines[1].startswith("epoch 1 of 1")
    if of_no_use == "a folder":
        assert lines[2].startswith(f"The checkpoint '{file}' cannot be written: ")


def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    file = io.BytesIO()
    torch.save({"identity": {}, "state": Malicious()}, file)
    sealed = hashlib.sha256(file.getvalue()).digest() + file.getvalue()
    with pytest.raises(CheckpointError, match="nothing but tensors"):
        unpacked(sealed, {})
    assert not (tmp_path / "ran").exists()
