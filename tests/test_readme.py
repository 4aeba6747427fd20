"""What the README prints works as printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from study.clipping import Clipping
from study.config.data import Data
from study.config.regime import Regime
from study.config.study import Statistics, Study
from study.regularization import Regularization

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
OWN = (ROOT / "docs/own-method.md").read_text()
METHODS = dict(re.findall(r"## Add your own (clipping method|regularizer)\n.*?```python\n(.*?)```", OWN, re.DOTALL))
WORDS = 700


def test_a_method_of_ones_own_is_a_few_lines() -> None:
    assert set(METHODS) == {"clipping method", "regularizer"}
    for code in METHODS.values():
        body = code[code.index("class ") :].strip().splitlines()
        assert len([line for line in body if line.strip()]) < 10


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), [("clipping method", "fair_share"), ("regularizer", "towards_start")])
def test_the_methods_of_the_readme_pass_the_laws_by_the_printed_command(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / "mine.py").write_text(METHODS[kind])
    laws = re.search(
        r"^\t@?\$\(BIN\)/(pytest tests/laws) \$\(addprefix (--methods=),\$\(METHODS\)\)", MAKEFILE, re.MULTILINE
    )
    assert laws, "the command of `make laws`"
    command = [sys.executable, "-m", *laws[1].split(), f"{laws[2]}{tmp_path / 'mine.py'}", "-k", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) >= 6, done.stdout


def test_its_make_targets_exist() -> None:
    text = README + (ROOT / "docs/running.md").read_text()
    targets = set(re.findall(r"^make (\w+)$", text, re.MULTILINE)) | set(re.findall(r"`make ([\w-]+)[` ]", text))
    defined = set(re.findall(r"^([\w-]+):", MAKEFILE, re.MULTILINE))
    assert targets
    assert targets <= defined


def test_it_counts_the_methods() -> None:
    clips, regularizers = (len(family.members) - 1 for family in (Clipping, Regularization))  # without 'none'
    assert f"{clips} clips and {regularizers} regularizers" in README


def test_it_is_short() -> None:
    assert len(README.split()) <= WORDS


def test_its_training_loop_runs_and_measures_the_norm_before_the_clip(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    random = torch.Generator().manual_seed(0)
    loader = [(torch.randn(8, 5, generator=random), torch.arange(8) % 3) for _ in range(4)]
    model = torch.nn.Linear(5, 3)
    names = {"model": model, "loader": loader}
    exec(code.replace('float("inf")', "1e-3"), names)
    norms = names["norms"]
    assert isinstance(norms, list)
    assert len(norms) == len(loader)
    assert min(norms) > 1e-3
    clipped = [p.grad for p in model.parameters() if p.grad is not None]
    assert float(torch.nn.utils.get_total_norm(clipped)) == pytest.approx(1e-3, rel=1e-2)
    assert capsys.readouterr().out.startswith("median norm ")


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "config/README.md",
        "docs/cluster.md",
        "docs/own-method.md",
        "docs/own.md",
        "docs/running.md",
        "study/samples/README.md",
    ],
)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / document).parent.joinpath(link).exists(), link


def test_every_method_and_key_of_a_configuration_is_explained() -> None:
    text = (ROOT / "config/README.md").read_text()
    for name in [*Clipping.members, *Regularization.members]:
        assert f"| `{name}` |" in text
    unwritten = ("part_of", "at", "data.contents")  # keys that nobody writes
    keys = [*Study.model_fields, *Regime.model_fields, *(f"data.{k}" for k in Data.model_fields)]
    for key in [*keys, *(f"statistics.{k}" for k in Statistics.model_fields)]:
        assert f"| `{key}` |" in text or f"`{key}." in text or (key in unwritten and f"`{key}`" in text), key
