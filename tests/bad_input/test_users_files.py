"""Users' methods of every family are tried before anything runs, also for what they keep in Python."""

from pathlib import Path

import pytest

from study.config.errors import ConfigError
from study.config.read import parse
from study.methods import plugins

pytestmark = [pytest.mark.usefixtures("registries_as_before"), pytest.mark.slow]

CLIP = """import functools, itertools, random
from typing import Any, ClassVar, Literal
import torch
from pydantic import PrivateAttr
from study.clipping import Clipping
{top}

class Mine(Clipping):
    name: Literal["mine"] = "mine"
{within}

    def clip(self, gradient, parameters, state):
        factor = {factor}
        return {{key: g * factor for key, g in gradient.items()}}, state
"""
# What stands above the class and in it, the factor, and what is named.
KEPT = {
    "a list of the class": (
        "",
        "    past: ClassVar[list] = []",
        "self.past.append(1) or 1",
        "'Mine.past' (a list of 1, ",
    ),
    "a number of the module": (
        "calls = 0\ndef count():\n    global calls\n    calls += 1\n    return 1",
        "",
        "count()",
        "'calls' in mine.py (1, then 2)",
    ),
    "a mapping of the module": ("seen = {}", "", "seen.setdefault(len(seen), 1)", "'seen' in mine.py"),
    "a counter": ("ticks = itertools.count()", "", "1 + 0 * next(ticks)", "'ticks' in mine.py"),
    "a closure": (
        "def make():\n    n = [0]\n    def step():\n        return n.append(1) or 1\n    return step\nstep = make()",
        "",
        "step()",
        "'step' in mine.py",
    ),
    "a private attribute": (
        "",
        "    _last: Any = PrivateAttr(default=None)",
        "[1, setattr(self, '_last', next(iter(gradient.values())).sum())][0]",
        "'self._last'",
    ),
    "an attribute of a function": (
        "def f():\n    f.n = getattr(f, 'n', 0) + 1\n    return 1",
        "",
        "f()",
        "'f' in mine.py",
    ),
    "an object": (
        "class Box:\n    n = 0\nbox = Box()",
        "",
        "setattr(box, 'n', box.n + 1) or 1",
        "'box' in mine.py",
    ),
    "a tensor changed in place": ("total = torch.zeros(1)", "", "[1, total.add_(1)][0]", "'total' in mine.py"),
    "random numbers of Python": ("", "", "random.random()", "the random numbers of Python's 'random'"),
}


def refused(text: str, **regime: object) -> str:
    """The only error of a study with this file of methods."""
    Path("mine.py").write_text(text)
    with pytest.raises(ConfigError) as caught:
        parse({"name": "a", "plugins": ["mine.py"], "regimes": {"x": regime}})
    (message,) = caught.value.messages
    assert message.endswith("instead. (mine.py)")
    return message


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", KEPT)
def test_what_a_method_keeps_in_python_is_named(kind: str) -> None:
    top, within, factor, named = KEPT[kind]
    message = refused(CLIP.format(top=top, within=within, factor=factor), clips=["none", "mine"])
    assert "The 'clip' method of clipping 'mine' must keep what it remembers in its state, tensors that" in message
    assert named in message


@pytest.mark.parametrize(
    ("top", "factor"),
    [
        ("@functools.cache\ndef half():\n    return 0.5", "half()"),
        ("known = {}", "known.setdefault('half', 0.5)"),
        ("TABLE = torch.tensor([0.5])", "TABLE[0]"),
    ],
)
def test_what_is_computed_once_may_be_kept(top: str, factor: str) -> None:
    Path("mine.py").write_text(CLIP.format(top=top, within="", factor=factor))
    study = parse({"name": "a", "plugins": ["mine.py"], "regimes": {"x": {"clips": ["none", "mine"]}}})
    assert study.regimes["x"].clip_labels == ["none", "mine"]


OTHERS = """import math
from typing import Literal
import torch
from torch import nn
from study.models.base import Model, untouched
from study.optimizers import Optimizer
from study.optim.losses import Loss
from study.optim.schedules import Schedule

class Net(nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.a = nn.Linear(inputs, 4)
        self.norm = {norm}
        self.b = nn.Linear(4, classes)

    def forward(self, x, site=untouched):
        return self.b(site("hidden0", self.norm(self.a(site("input", x))))){after}

class MyModel(Model):
    name: Literal["mine"] = "mine"
    {declared}

    def network(self, inputs, classes):
        return Net(inputs, classes)

    def initialise(self, module, random):
        return {{key: 0.1 * torch.randn(p.shape, generator={random}) for key, p in module.named_parameters()}}

class Rule(torch.optim.Optimizer):
    def __init__(self, parameters):
        super().__init__(parameters, {{"lr": 0.1}})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(group["lr"] * p.grad{divided})

class MyRule(Optimizer):
    name: Literal["mine"] = "mine"

    def build(self, parameters):
        return Rule(list(parameters))

class MyLoss(Loss):
    name: Literal["mine"] = "mine"

    def value(self, logits, targets):
        return (logits - targets).square(){reduced}

class MySchedule(Schedule):
    name: Literal["mine"] = "mine"

    def decay(self, step, steps):
        return {factor}
"""
RIGHT = {
    "norm": "nn.LayerNorm(4)",
    "declared": "",
    "after": "",
    "random": "random",
    "divided": "",
    "reduced": ".mean()",
    "factor": "1 / (1 + step)",
}
USED = {"model": "mine", "optimizer": {"name": "mine", "lr": 0.1}, "loss": "mine", "schedule": "mine"}
WRONG = {
    "batch norm": ({"norm": "nn.BatchNorm1d(4)"}, "network", "model", "Got the layer 'norm' instead."),
    "batch norm without a moving average": (
        {"norm": "nn.BatchNorm1d(4, momentum=None)", "declared": "batch_norm: bool = True"},
        "network",
        "model",
        "Got 'norm.running_mean', 'norm.running_var', 'norm.num_batches_tracked' instead.",
    ),
    "batch norm of another width": (
        {"norm": "nn.BatchNorm1d(5)", "declared": "batch_norm: bool = True"},
        "network",
        "model",
        "run on the tensors of a small net. Got RuntimeError",
    ),
    "another shape of logits": (
        {"after": "[:, :3]"},
        "network",
        "model",
        "return a tensor of shape (4, 10). Got (4, 3)",
    ),
    "an if on values": (
        {"after": " * (1 if x.sum() > 0 else 2)"},
        "network",
        "model",
        "without a Python 'if' on the value of a tensor",
    ),
    "random numbers of its own": ({"random": "None"}, "initialise", "model", "must draw from the generator alone."),
    "seeds mixed": ({"divided": " / p.grad.norm()"}, "build", "optimizer", "must treat each seed's parameters by them"),
    "a step that fails": (
        {"divided": " / nothing"},
        "build",
        "optimizer",
        "Got NameError: name 'nothing' is not defined",
    ),
    "no scalar": ({"reduced": ""}, "value", "loss", "must return a tensor of shape (). Got (4, 10)"),
    "no gradient": ({"reduced": ".mean().sqrt() * math.inf"}, "value", "loss", "must return finite numbers."),
    "no number": ({"factor": "math.nan"}, "factor", "schedule", "must return a finite number of at least 0. Got nan"),
    "the wrong sign": ({"factor": "-1.0"}, "factor", "schedule", "Got -1.0 at step 0 of 1,000"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_models_losses_optimizers_and_schedules_are_tried_too(kind: str) -> None:
    changes, hook, family, said = WRONG[kind]
    message = refused(OTHERS.format(**{**RIGHT, **changes}), **USED)
    assert message.startswith(f"plugins.0: The '{hook}' method of {family} 'mine' must ")
    assert said in message


def test_those_that_are_right_are_taken_and_a_method_in_a_file_that_the_plugin_imports_is_tried() -> None:
    Path("others.py").write_text(OTHERS.format(**RIGHT))
    parse({"name": "a", "plugins": ["others.py"], "regimes": {"x": USED}})
    normed = {"norm": "nn.BatchNorm1d(4)", "declared": "batch_norm: bool = True"}
    Path("others.py").write_text(OTHERS.format(**{**RIGHT, **normed}))
    parse({"name": "a", "plugins": ["others.py"], "regimes": {"x": USED}})
    clips = ["none", {"name": "per_sample", "max_norm": 1}]
    with pytest.raises(ConfigError, match="which batch normalization mixes"):
        parse({"name": "a", "plugins": ["others.py"], "regimes": {"x": {**USED, "clips": clips}}})
    Path("base_of_mine.py").write_text(CLIP.format(top="calls = []", within="", factor="calls.append(1) or 1"))
    Path("mine.py").write_text(
        "from typing import Literal\nfrom base_of_mine import Mine\n\n"
        'class Second(Mine):\n    name: Literal["second"] = "second"\n'
    )
    with pytest.raises(ConfigError, match=r"'calls' in base_of_mine.py \(a list of 1, then a list of 2\)"):
        parse({"name": "a", "plugins": ["mine.py"], "regimes": {"x": {"clips": ["none", "second"]}}})


def test_two_files_beside_plugins_may_not_share_a_name() -> None:
    for folder in ("one", "two"):
        Path(folder).mkdir()
        Path(folder, "shared_name.py").write_text(f"F = '{folder}'\n")
        Path(folder, f"{folder}.py").write_text(
            f"from typing import Literal\nfrom shared_name import F\nfrom study.clipping import Clipping\n\n"
            f'class C(Clipping):\n    name: Literal["{folder}"] = "{folder}"\n'
        )
    plugins.load(["one/one.py"])
    with pytest.raises(
        plugins.PluginError, match=r"Got 'shared_name' in 'two/two.py', which is '.*one/shared_name.py'"
    ):
        plugins.load(["two/two.py"])


def test_a_clip_by_sample_is_refused_where_a_model_has_parameters_outside_linear_layers() -> None:
    net = (
        "from typing import Literal\nimport torch\nfrom torch import nn\nfrom study.models import Model\n\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, inputs, classes):\n"
        "        super().__init__()\n"
        "        self.norm, self.last = nn.LayerNorm(inputs), nn.Linear(inputs, classes)\n\n"
        "    def forward(self, x, site=lambda name, h: h):\n"
        "        return self.last(self.norm(x))\n\n"
        "class Normed(Model):\n"
        '    name: Literal["normed"] = "normed"\n\n'
        "    def build(self, inputs, classes):\n"
        "        return Net(inputs, classes)\n\n"
        "    def initialise(self, module, generator):\n"
        "        parameters = module.named_parameters()\n"
        "        return {key: 0.1 * torch.randn(p.shape, generator=generator) for key, p in parameters}\n"
    )
    Path("mine.py").write_text(net)
    study = {"name": "a", "plugins": ["mine.py"], "regimes": {"x": {"model": "normed"}}}
    parse(study)
    study["regimes"]["x"]["clips"] = ["none", {"name": "per_sample", "max_norm": 1.0}]  # type: ignore[index]
    with pytest.raises(ConfigError) as caught:
        parse(study)
    assert caught.value.messages == [
        "regimes.x.clips: The 'clips' parameter of regime 'x' must be free of clips by sample where model 'normed' has "
        "parameters outside nn.Linear layers. Got 'per_sample(1)' and ['norm.weight', 'norm.bias'] instead."
    ]
