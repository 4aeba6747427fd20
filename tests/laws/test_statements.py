"""A broken law names itself, the numbers for which it breaks, and the line that waives it."""

import os
import subprocess
import sys
from pathlib import Path

HALF = '''
from typing import ClassVar, Literal

from study.clipping import Clipping
from study.parameters import Positive


class Half(Clipping):
    """Halve every gradient."""

    acts_per: ClassVar = "model"
    formula: ClassVar = "g / 2"
    source: ClassVar = "made up"
    waives: ClassVar = {"nan_visible": "made up too"}
    name: Literal["half"] = "half"
    bound: Positive

    def clip(self, gradient, parameters, state):
        return {key: g / 2 for key, g in gradient.items()}, state
'''


def test_a_broken_law_and_a_waiver_too_many(tmp_path: Path) -> None:
    mine, laws = tmp_path / "mine.py", Path(__file__).parent
    mine.write_text(HALF)
    chosen = ["-k", "half and (below or nan_stays)", "-p", "no:xdist", f"--methods={mine}"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", os.fspath(laws / "test_clipping.py"), *chosen],
        capture_output=True,
        text=True,
        cwd=laws.parents[1],
        check=False,
    )
    assert ran.returncode == 1
    said = ran.stdout
    sentence = "a gradient below the bound passes unchanged, bit for bit."
    assert f"Law 'unchanged_below' does not hold for half(0.5): {sentence}" in said
    assert "c=0.01" in said
    assert "tensor([[" in said
    assert 'waives = {"unchanged_below": "..."}' in said
    assert "The 'waives' of half(0.5) must name laws that it breaks. Got 'nan_visible', which holds:" in said
    assert "Traceback" not in said
    assert "Error" not in said
