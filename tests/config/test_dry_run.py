"""The dry run of users' methods finds nothing wrong with the methods that are right."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import CLIP_MODES, REGULARIZATION_MODES

from study.clipping import Clipping
from study.config.dry_run import Small, fault_of
from study.methods import plugins
from study.methods.base import Method
from study.regularization import Regularization

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MODES = {**CLIP_MODES, **REGULARIZATION_MODES}
HOOKS = {"batch", "activation", "penalty", "data_penalty", "ascent", "before_clip", "after_clip", "update", "evaluated"}


@pytest.mark.parametrize("make", MODES.values(), ids=MODES)
def test_no_method_of_the_library_is_at_fault(make: Callable[[float], Method]) -> None:
    method = make(0.3)
    called = {hook for hook, _ in Small(method).calls()}
    if isinstance(method, Regularization):
        assert called == {hook for hook in HOOKS if method.overrides(hook)}
    else:
        assert called == {"clip"}
    assert fault_of(method) is None


def test_nor_are_the_methods_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for family in (Clipping, Regularization):
        monkeypatch.setattr(family, "members", dict(family.members))
    code = re.findall(r"## Add your own .*?```python\n(.*?)```", (ROOT / "docs/own-method.md").read_text(), re.DOTALL)
    (tmp_path / "mine.py").write_text("\n".join(code))
    plugins.load([tmp_path / "mine.py"])
    assert fault_of(Clipping.parse({"name": "fair_share", "max_norm": 0.5})) is None
    assert fault_of(Regularization.parse({"name": "towards_start", "strength": 0.1})) is None
