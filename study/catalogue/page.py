"""The page: one source for a code host and for a browser, and the pictures beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import jinja2
import pypandoc

from study.catalogue.examples import example
from study.catalogue.facts import LAWS, Facts, facts
from study.catalogue.pictures import draw, words_of
from study.clipping import Clipping
from study.methods.base import Method
from study.models import Initialisation, Model
from study.optim.losses import Loss
from study.optim.optimizers import Optimizer
from study.optim.schedules import Schedule
from study.regularization import Regularization
from study.report.convert import to_html
from study.report.markdown import escaped_marks
from study.results.store import atomically
from study.workloads import Workload
from study.workloads.adversarial_losses import AdversarialLoss
from study.workloads.client_splits import ClientSplit

ROOT = Path(__file__).parents[2]
BIBLIOGRAPHY, STYLE = ROOT / "paper/references.bib", ROOT / "paper/report.css"
COMMAND = "make catalogue"
Form = Literal["md", "html"]

PICTURED: tuple[type[Method], ...] = (Clipping, Regularization)
FAMILIES: tuple[tuple[type[Method], str, str], ...] = (
    (Clipping, "Clipping", "What is done to the gradient of one model, by the part whose direction is kept."),
    (Regularization, "Regularization", "What is done to one model's training, by the place of the step where it acts."),
    (Model, "Models", "Architectures."),
    (Initialisation, "Initialisations", "How the weights of a model start."),
    (Optimizer, "Optimizers", "What turns the clipped gradient into an update."),
    (Schedule, "Schedules", "How the learning rate moves over a run."),
    (Loss, "Losses", "What is minimised on a batch."),
    (Workload, "Workloads", "What is trained, by whom, and how it is scored."),
    (AdversarialLoss, "Adversarial losses", "What the two players of an adversarial training minimise."),
    (ClientSplit, "Splits", "How digits are dealt to the clients of a federated training."),
)
GROUPS: Mapping[str, Mapping[str, str]] = {
    "clipping": {
        "coordinate": "Each coordinate",
        "unit": "Each unit",
        "tensor": "Each tensor",
        "model": "The whole gradient",
        "sample": "Each sample",
    },
    "regularization": {
        "data": "The data",
        "model": "The model, while training",
        "loss": "The loss",
        "gradient": "The gradient",
        "update": "The update",
        "projection": "A projection after the update",
        "stopping": "The end of training",
        "evaluation": "What is scored",
        "none": "Nowhere",
    },
}


@dataclass(frozen=True)
class Group:
    """Methods of a family that act at the same place."""

    key: str
    title: str
    methods: tuple[Facts, ...]


@dataclass(frozen=True)
class Family:
    """A family as the page shows it."""

    title: str
    anchor: str
    words: str
    groups: tuple[Group, ...]
    laws: Mapping[str, str]
    pictured: bool


@dataclass(frozen=True)
class Shown:
    """A picture in words: the method's label in it, and what its panels show."""

    label: str
    words: str


def anchor(of: Facts) -> str:
    """The name of an entry within the page, and of its picture."""
    return f"{of.family}-{of.name}"


def registered(family: type[Method], shipped: bool) -> list[type[Method]]:
    """The methods of a family by name; only those of this package, if so wished."""
    ours = {name: m for name, m in family.members.items() if not shipped or m.__module__.startswith("study.")}
    return [ours[name] for name in sorted(ours)]


def families(shipped: bool) -> list[Family]:
    """All families with their methods, in groups."""
    return [
        Family(
            title=title,
            anchor=family.family,
            words=words,
            groups=tuple(_groups(family, registered(family, shipped))),
            laws=LAWS.get(family.family, {}),
            pictured=family in PICTURED,
        )
        for family, title, words in FAMILIES
    ]


def _groups(family: type[Method], methods: Iterable[type[Method]]) -> list[Group]:
    titles = GROUPS.get(family.family, {"all": ""})
    by_place: dict[str, list[Facts]] = {key: [] for key in titles}
    for method in methods:
        by_place[place_of(method)].append(facts(method))
    return [Group(key, titles[key], tuple(several)) for key, several in by_place.items() if several]


def place_of(method: type[Method]) -> str:
    """The key of the group that a method belongs to; a clip of samples is one, whatever part it acts on."""
    if issubclass(method, Clipping):
        return "sample" if method.__mro__[1].__name__ == "PerSample" else method.acts_per
    return method.place if issubclass(method, Regularization) else "all"


def examples(shipped: bool) -> dict[str, Method]:
    """The methods that get a picture, with the parameters shown, by the picture's name."""
    methods = [method for family in PICTURED for method in registered(family, shipped)]
    return {anchor(facts(method)): shown for method in methods if (shown := example(method))}


def source(form: Form, shipped: bool) -> str:
    """The page in pandoc's Markdown."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    all_ = families(shipped)
    return environment.get_template("catalogue.md.j2").render(
        families=all_,
        count=sum(len(group.methods) for family in all_ for group in family.groups),
        pictures={name: Shown(m.label, words_of(m)) for name, m in examples(shipped).items()},
        anchor=anchor,
        laws=lambda f: LAWS[f.family],
        form=form,
        figure=partial(_figure, form),
        heading=partial(_heading, form),
        display=partial(_display, form),
        text=text,
        cited=lambda words: text(words, kept="@;,"),
    )


def _heading(form: Form, level: int, title: str, name: str) -> str:
    marks = "#" * level
    return f"{marks} {title} {{#{name}}}" if form == "html" else f'<a id="{name}"></a>\n\n{marks} {title}'


def _figure(form: Form, of: Facts, shown: Shown) -> str:
    """A picture with what it shows: below it on a code host, in a browser as its caption."""
    words, path = f"*With `{shown.label}`.* {shown.words}", f"catalogue/{anchor(of)}.png"
    return f"![{words}]({path})" if form == "html" else f"![{of.name}]({path})\n\n{words}"


def _display(form: Form, formula: str) -> str:
    """A formula on its own line; code hosts show fenced ones best, and know no `\\operatorname`."""
    if form == "html":
        return f"$${formula}$$"
    plain = formula.replace(r"\operatorname", r"\mathrm")
    return f"```math\n{plain}\n```"


def text(words: str, kept: str = "") -> str:
    """Plain text as Markdown that shows it as it is; `code` stays code."""
    parts = re.split(r"(`[^`\n]*`)", words.replace("``", "`"))
    return "".join(part if part.startswith("`") else _plain(part, kept) for part in parts)


def _plain(part: str, kept: str) -> str:
    lines = [line if re.match(r"\s*([-*]|\d+\.)\s", line) else escaped_marks(line) for line in part.split("\n")]
    joined = "\n".join(lines)
    return joined if "@" in kept else joined.replace("@", "\\@")


def to_markdown(page: str) -> str:
    """Markdown that a code host shows: citations resolved, formulas fenced, pictures by relative links."""
    converted = pypandoc.convert_text(
        page,
        "gfm-smart",
        format="markdown-smart-implicit_figures",
        extra_args=["--wrap=none", "--citeproc", f"--bibliography={BIBLIOGRAPHY}", "--metadata=link-citations:true"],
    )
    title = re.search(r"^title: (.*)$", page, re.MULTILINE)
    return f"# {title[1] if title else ''}\n\n{converted}"


def render(folder: Path, shipped: bool = False) -> None:
    """Write catalogue.md, catalogue.html and catalogue/*.png into the folder; pictures of no method go."""
    drawn = folder / "catalogue"
    pictures = examples(shipped)
    for path in set(drawn.glob("*.png")) - {drawn / f"{name}.png" for name in pictures}:
        path.unlink()
    for name, method in pictures.items():
        draw(method, drawn / f"{name}.png")
    markdown = to_markdown(source("md", shipped))
    page = to_html(source("html", shipped), folder, BIBLIOGRAPHY, STYLE)
    atomically(folder / "catalogue.md", lambda file: file.write_text(markdown, encoding="utf-8"))
    atomically(folder / "catalogue.html", lambda file: file.write_text(page, encoding="utf-8"))
