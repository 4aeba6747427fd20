"""What the README prints works as printed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from study.clipping import Clipping
from study.config import Data, Regime, Statistics, Study
from study.regularization import Regularization

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TRY = """
import torch
from study.clipping import Clipping
box = Clipping.parse({"name": "box", "bound": 0.5})
clipped, _ = box.clip({"w": torch.tensor([-2.0, 0.25, 2.0])}, {}, {})
print(box.label, clipped["w"].tolist())
"""


def test_the_clipping_method_of_the_readme_is_found_by_being_there(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "study", tmp_path / "study", ignore=shutil.ignore_patterns("__pycache__", "samples"))
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code
    (tmp_path / "study/clipping/box.py").write_text(code[1])
    done = subprocess.run([sys.executable, "-c", TRY], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "box(0.5) [-0.5, 0.25, 0.5]", done.stderr


def test_its_make_targets_exist() -> None:
    targets = set(re.findall(r"^make (\w+)$", README, re.MULTILINE)) | set(re.findall(r"`make (\w+)`", README))
    defined = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets
    assert targets <= defined


@pytest.mark.parametrize("document", ["README.md", "config/README.md", "study/samples/README.md"])
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / document).parent.joinpath(link).exists(), link


def test_every_method_and_key_of_a_configuration_is_explained() -> None:
    text = (ROOT / "config/README.md").read_text()
    for name in [*Clipping.members, *Regularization.members]:
        assert f"| `{name}` |" in text
    keys = [*Study.model_fields, *Regime.model_fields, *(f"data.{k}" for k in Data.model_fields)]
    for key in [*keys, *(f"statistics.{k}" for k in Statistics.model_fields)]:
        assert f"| `{key}` |" in text or f"`{key}." in text, key
