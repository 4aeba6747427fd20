"""What docs/own.md shows works as shown, is tried before training, and is refused by name where it does not work."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from sklearn.metrics import f1_score

from study.config.dry_run import fault_of
from study.config.dry_run_call import Shape
from study.config.read import ConfigError, parse
from study.config.study import Study
from study.config.variants import expand
from study.data.own import described
from study.models import Model
from study.optim.losses import CrossEntropy, Loss
from study.optim.metrics import Metric, higher_is_better
from study.optim.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from study.optim.schedules import Schedule
from study.results import code_digest
from tests.own_document import BLOCKS, CODE, STUDY, draw

pytestmark = [pytest.mark.usefixtures("registries_as_before"), pytest.mark.slow]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Study]]:
    """The study of the document in a folder of its own, with changes to its text and code."""
    monkeypatch.chdir(tmp_path)
    described.cache_clear()
    draw(tmp_path / "pictures", 20)

    def read(code: str = CODE, **changes: Any) -> Study:
        (tmp_path / "mine.py").write_text(code)
        raw = yaml.safe_load(STUDY)
        raw["defaults"]["data"]["validation_size"] = 12
        raw["defaults"] |= changes
        return parse(raw)

    yield read
    described.cache_clear()


def test_each_kind_is_about_ten_lines() -> None:
    _, *sections = BLOCKS["python"]
    assert len(sections) == 6, "a data set, a net, an optimizer, a schedule, a loss, a metric"
    for code in sections:
        lines = [line for line in code.splitlines() if line.strip() and not line.startswith(("from", "import"))]
        assert len(lines) <= 20, code


def test_the_study_of_the_document_is_read_with_all_that_it_names(own: Callable[..., Study]) -> None:
    study = own()
    regime = study.regimes["trees"]
    assert (regime.model.label, regime.loss.label, regime.optimizer.label) == ("funnel", "focal", "lion(0.001)")
    assert (regime.data.holds.classes, regime.data.holds.inputs, regime.data.trained_on) == (3, 784, 36)
    files = code_digest.files_of(expand(study)[0])
    assert any(file.name == "mine.py" for file in files), "its file is tracked, and handed on to jobs"
    assert Study.model_validate_json(study.model_dump_json()) == study
    rings = own(data={"name": "rings", "test": 0.25, "validation_size": 50, "parameters": {"noise": 0.2}})
    assert rings.regimes["trees"].data.holds.inputs == 2


def test_parts_of_the_document_do_what_they_say(own: Callable[..., Study]) -> None:
    own()
    random = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(60, 4, generator=random), torch.arange(60) % 4
    ours = float(Metric.parse("macro_f1").value(logits, labels))
    assert ours == pytest.approx(f1_score(labels, logits.argmax(1), average="macro"))
    targets = torch.nn.functional.one_hot(labels, 4).float()
    plain = Loss.parse({"name": "focal", "gamma": 0}).value(logits, targets)
    torch.testing.assert_close(plain, CrossEntropy().value(logits, targets))
    assert [Schedule.parse("linear").factor(step, 10) for step in (0, 5)] == [1.0, 0.5]
    built = Model.parse("funnel").build(784, 3)
    assert sum(p.numel() for p in built.parameters()) == 785 * 32 + 33 * 16 + 17 * 3


FAULTS = {
    "a net of other classes": (
        "self.last = nn.Linear(width // 2, classes)",
        "self.last = nn.Linear(width // 2, 10)",
        "The 'network' method of model 'funnel' must return a tensor of shape (4, 3). Got (4, 10) instead. (mine.py)",
    ),
    "a net with buffers": (
        "super().__init__()\n",
        "super().__init__()\n        self.register_buffer('scale', torch.ones(width))\n",
        "must build a module without buffers but those of batch normalization with a momentum: all seeds would share",
    ),
    "a net with batch normalization that nobody knows of": (
        "super().__init__()\n",
        "super().__init__()\n        self.norm = nn.BatchNorm1d(width)\n",
        "must leave out batch normalization unless the model has a true 'batch_norm', by which others know of it. "
        "Got the layer 'norm' instead.",
    ),
    "an optimizer that depends on the scale": (
        "torch.sign(0.9 * m + 0.1 * gradient[k])",
        "(0.9 * m + 0.1 * gradient[k])",
        "The 'direction' method of optimizer 'lion' must take the same steps where all gradients are a hundred times",
    ),
    "a schedule of no numbers": (
        "return 1 - step / steps",
        "return 'half'",
        "The 'factor' method of schedule 'linear' must return a finite number of at least 0. Got 'half' at step 0",
    ),
    "a loss of each example": (
        ".sum(-1).mean()",
        ".sum(-1)",
        "The 'value' method of loss 'focal' must return a tensor of shape (). Got (4,) instead. (mine.py)",
    ),
    "a metric of each class": (
        ".clamp(min=1)).mean()",
        ".clamp(min=1))",
        "The 'value' method of metric 'macro_f1' must return one number. Got a tensor of shape (3,) instead. (mine.py)",
    ),
    "a metric that fails": (
        "hits = (given * true).sum(0)",
        "hits = (given * true).sum(7)",
        "The 'value' method of metric 'macro_f1' must run on the tensors of a small net. Got IndexError: Dimension",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_fails_is_named_before_training(own: Callable[..., Study], fault: str) -> None:
    right, wrong, says = FAULTS[fault]
    assert right in CODE
    with pytest.raises(ConfigError) as error:
        own(CODE.replace(right, wrong))
    (line,) = error.value.messages
    assert line.startswith("plugins.0: ")
    assert says in line
    if "Error" in line:
        number = next(i for i, one in enumerate(CODE.replace(right, wrong).splitlines(), 1) if ".sum(7)" in one)
        assert f", line {number} instead. (mine.py)" in line


def test_metrics_are_checked_by_name(own: Callable[..., Study]) -> None:
    tuned = own(tuning={"metric": "best_validation_macro_f1"})
    assert expand(tuned)[0].metrics[0].name == "macro_f1"
    with pytest.raises(ConfigError, match=r"must have a 'metric' out of .*\. Got 'validation_f1'"):
        own(tuning={"metric": "validation_f1"})
    with pytest.raises(ConfigError, match="must be one of 'validation_loss'"):
        own(tuning={"metric": "test_macro_f1"})
    with pytest.raises(ConfigError, match="must name each metric once"):
        own(metrics=["macro_f1", "macro_f1"])
    with pytest.raises(ConfigError, match="must declare better as one of 'higher', 'lower'"):
        own(CODE.replace('= "higher"\n', '= "more"\n'))
    assert higher_is_better("best_validation_macro_f1")
    assert not higher_is_better("validation_loss")


@pytest.mark.parametrize("kind", [Adam, AdamW, RMSprop, SGD])
def test_optimizers_of_the_suite_say_rightly_whether_scale_matters(kind: type[Optimizer]) -> None:
    true_to_its_word = kind(lr=0.01).model_copy()
    assert fault_of(true_to_its_word, Shape(784, 3)) is None
    assert kind.scale_invariant == (kind is not SGD)


def test_a_digest_has_no_metrics_where_none_are_asked_for() -> None:
    raw = {"name": "x", "regimes": {"a": {"data": {"name": "mnist-sample", "validation_size": 100}}}}
    (variant,) = expand(parse(raw))
    assert "metrics" not in parse(raw).regimes["a"].model_dump()
    assert variant.metrics == ()
    assert re.fullmatch("[0-9a-f]{64}", variant.digest)
