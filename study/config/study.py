"""Settings of a study: frozen, typed, checked against each other."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails

from study.config.fields import ClaimChoice
from study.config.hypotheses import Hypothesis
from study.config.regime import Regime
from study.config.tuning import distinct, seeds_schema
from study.methods import plugins
from study.parameters import (
    NOT_NUMBERS,
    Flag,
    Inside,
    Must,
    NaturalInt,
    NotBool,
    Positive,
    PositiveInt,
    Settings,
    Text,
    first_duplicate,
    listed,
    said,
)

# By their files: importing them would load matplotlib into every training.
FIGURES = Path(__file__).parents[1] / "figures"
FIGURE_NAMES = tuple(sorted(f.name for f in pkgutil.iter_modules([str(FIGURES)]) if not f.name.startswith("_")))
OF_TRIALS = ("leaderboard", "early_stopping", "budget_curves", "robustness", "gap_plane")
OF_SWEEPS = (
    "claims",
    "profiles",
    "tuning_curves",
    "sweeps",
    "firing",
    "lr_map",
    *OF_TRIALS,
)  # show points of sweeps too
OF_UNTUNED = ("gap_forest", "ranking")  # say no more than the leaderboard of a study tuned by trials
Slug = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$"),
    Must("lower-case letters, digits, '-' and '_', at most 40 of them", ("../up", "A b", "", 7)),
]
RegimeName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_.=-]{0,99}$"),
    Must("lower-case letters, digits, '-', '_', '.' and '=', at most 100 of them", ("../up", "A b", "", 7)),
]


class Statistics(Settings):
    """Measurements during training, besides losses and accuracies; they do not change results."""

    title: ClassVar[str] = "statistics"
    every_step: Flag = True
    windows: PositiveInt = 200
    probes: NaturalInt = 3
    probe_samples: Annotated[int, Field(ge=2), NotBool, Must("a whole number of at least 2", (0, 1, -5, 2.5))] = 64
    curve_samples: PositiveInt = 500


class Margins(Settings):
    """Smallest differences that matter, one for each metric, both at the best epoch and at the last."""

    title: ClassVar[str] = "margins"
    test_accuracy: Inside = 0.005
    test_loss: Positive = 0.02
    gap_accuracy: Inside = 0.01
    gap_loss: Positive = 0.05
    failed: Inside = 0.1


PRIMARY = ("best_test_accuracy", "best_test_loss", "test_accuracy", "test_loss")
MOST_SEEDS = 10_000
MAX_CORE_HOURS = 1_000.0


def _seeds(value: object) -> object:
    """Read a number of seeds n as the seeds 0 to n - 1."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_SEEDS:
        return tuple(range(value))
    return value


def _loaded(path: str) -> str:
    try:
        plugins.load([path])
    except plugins.PluginError as error:
        raise said(f"The 'plugins' parameter of study {error}.") from None
    return path


def _written_out(info: ValidationInfo) -> bool:
    """Return whether all regimes are present: a preset or sweep that cannot be read is an error of its own."""
    return not (info.context or {}).get("incomplete")


class Study(Settings):
    """Study: regimes x clips x regularizations x seeds, and their measurements."""

    title: ClassVar[str] = "study"
    looks_at: ClassVar[Mapping[str, frozenset[str]]] = {"figures": frozenset({"claims"})}
    stand_ins: ClassVar[Mapping[str, Any]] = {"name": "study"}
    name: Slug
    description: Text = ""
    seeds: Annotated[
        tuple[NaturalInt, ...],
        BeforeValidator(_seeds),
        Field(min_length=1),
        AfterValidator(distinct),
        seeds_schema(MOST_SEEDS),
        Must(
            f"a number of seeds up to {MOST_SEEDS}, or a list of different whole numbers of at least 0, below 2^31",
            (0, -1, 10**9, [], [1, 1], [-1], [2**70], "ten"),
        ),
    ] = tuple(range(10))
    scored_at: Annotated[Literal["last_epoch", "best_epoch"], Must("'last_epoch' or 'best_epoch'", ("best", 3))] = (
        "last_epoch"
    )
    target: Annotated[
        Annotated[float, Field(gt=0, le=1), NotBool] | None,
        Must("a validation accuracy above 0 and at most 1, or null", (0, 1.5, -1, *NOT_NUMBERS)),
    ] = None
    seeds_per_job: PositiveInt = 10
    max_core_hours: Annotated[Positive, Field(exclude=True)] = MAX_CORE_HOURS  # does not change results
    partial: Annotated[Flag, Field(exclude=True)] = False  # changes which runs are reported, not their results
    device: Annotated[Literal["cpu", "cuda"], Must("'cpu' or 'cuda'", ("gpu", 1))] = "cpu"
    plugins: Annotated[
        tuple[Annotated[str, AfterValidator(_loaded)], ...],  # before the regimes, which may name the methods
        Must("a list of Python files", ("methods.py", [3])),
    ] = ()
    statistics: Statistics = Statistics()
    figures: Annotated[
        Annotated[tuple[Literal[FIGURE_NAMES], ...], Field(min_length=1)] | None,  # type: ignore[valid-type]
        Must(f"a list of figures out of {listed(FIGURE_NAMES)}, or null for all", ("all", ["pie"], [], 3)),
    ] = None
    claims: Annotated[tuple[ClaimChoice, ...], Must("a list of claims, each once", ("all", 3))] = ()
    status: Annotated[
        Literal["exploratory", "confirmatory"] | None,
        Must("'exploratory', 'confirmatory' or null", ("final", 3)),
    ] = None
    primary: Annotated[
        Literal["best_test_accuracy", "best_test_loss", "test_accuracy", "test_loss"],
        Must(f"one of {listed(PRIMARY)}", ("gap", 3)),
    ] = "best_test_accuracy"
    margins: Margins = Margins()
    hypotheses: Annotated[dict[Slug, Hypothesis], Must("a mapping from names to hypotheses", (["clips help"], 3))] = {}  # noqa: RUF012, which pydantic copies
    regimes: Annotated[
        dict[RegimeName, Regime],
        Field(min_length=1),
        Must("a mapping from names (lower-case letters, digits, '-' and '_') to regimes", ({}, [], "all")),
    ]

    @classmethod
    def writable(cls) -> list[str]:
        return [*super().writable(), "defaults"]

    @model_validator(mode="after")
    def _seeds_apart(self) -> Self:
        for name, regime in self.regimes.items():
            if regime.tuning and (both := sorted({*regime.tuning.seeds} & {*self.seeds})):
                must_be = f"have other seeds than the tuning of regime '{name}'"
                self.refuse(("seeds", must_be, f"{both} in both"))
        return self

    @property
    def scored_epoch(self) -> Literal["last_epoch", "best_epoch"]:
        """The epoch whose scores are compared: `scored_at`, or that of `primary` where it alone is given."""
        if "scored_at" in self.model_fields_set or "primary" not in self.model_fields_set:
            return self.scored_at
        return "best_epoch" if self.primary.startswith("best_") else "last_epoch"

    @property
    def tuned_settings(self) -> dict[str, dict[str, Regime]]:
        """The regimes that are tuned over a grid, by name, grouped by the setting in which strengths are chosen."""
        settings: dict[str, dict[str, Regime]] = {}
        for name, regime in self.regimes.items():
            if regime.tuning and not regime.tuning.trials:
                settings.setdefault(regime.setting or name, {})[name] = regime
        return settings

    @property
    def tried_regimes(self) -> dict[str, Regime]:
        """The regimes tuned by trials, by name."""
        return {name: regime for name, regime in self.regimes.items() if regime.tuning and regime.tuning.trials}

    @model_validator(mode="after")
    def _tuned_alike(self, info: ValidationInfo) -> Self:
        for setting, regimes in self.tuned_settings.items() if _written_out(info) else ():
            kinds = {
                (one.part_of, *one.clip_labels, "x", *one.regularization_labels, str(one.tuning))
                for one in regimes.values()
            }
            if len(kinds) > 1:
                must_be = "try the same methods, tuned alike, in all regimes that are tuned together"
                self.refuse(("regimes", must_be, f"differences in '{setting}'"))
        return self

    @model_validator(mode="after")
    def _points_differ(self, info: ValidationInfo) -> Self:
        """Refuse two points of a sweep that differ only in name, as when two axes set one key."""
        swept = {name: regime for name, regime in self.regimes.items() if regime.part_of}
        first: dict[str, str] = {}
        for name, regime in swept.items() if _written_out(info) else ():
            same = first.setdefault(regime.model_copy(update={"at": {}}).model_dump_json(), name)
            if same != name:
                self.refuse(("regimes", "have points in each sweep that differ in more than their names", [same, name]))
        return self

    def lacks(self, figure: str) -> str:
        """Return what a study must have for a figure and this one lacks; "" if the figure can be drawn."""
        swept = [regime for regime in self.regimes.values() if regime.part_of]
        kinds = {regime.workload.name for regime in self.regimes.values() if not regime.part_of}
        there, what = {
            "claims": (self.claims, "claims"),
            "profiles": (self.tuned_settings, "tuned regime"),
            "tuning_curves": (self.tuned_settings, "tuned regime"),
            "sweeps": (swept, "sweep"),
            "firing": (True, ""),
            "lr_map": (swept, "sweep"),
            **dict.fromkeys(OF_TRIALS, (self.tried_regimes, "regime tuned by trials")),
            "clients": ("federated" in kinds, "federated regime without a sweep"),
            "samples": ("adversarial" in kinds, "adversarial regime without a sweep"),
        }.get(figure, (len(swept) < len(self.regimes), "regime without a sweep"))
        return "" if there else what

    def shows(self, figure: str) -> bool:
        """Return whether the report shows a figure that can be drawn: a listed one, without a list any that tells.

        No pairs are told where a clip meets no regularizer, and methods tuned by trials stand in the leaderboard.
        """
        if self.figures:
            return figure in self.figures
        if figure == "heatmap":
            return any(one.crosses for one in self.regimes.values() if not one.part_of)
        if figure == "lr_map":
            return any(one.maps_rates for one in self.regimes.values())
        return figure not in OF_UNTUNED or not self.tried_regimes

    def draws(self, figure: str, regimes: Iterable[str]) -> bool:
        """Return whether a figure is drawn of these regimes: most show no points of sweeps, the heat map only pairs."""
        own = [self.regimes[name] for name in regimes if name in self.regimes]
        there = figure in OF_SWEEPS or not any(one.part_of for one in own)
        pairs = figure != "heatmap" or all(one.grid == "crossed" for one in own)
        return there and pairs and not self.lacks(figure) and self.shows(figure)

    @model_validator(mode="after")
    def _figures_can_be_drawn(self, info: ValidationInfo) -> Self:
        for figure in self.figures or () if _written_out(info) else ():
            if what := self.lacks(figure):
                self.refuse(
                    ("figures", f"leave out '{figure}' where the study has no {what}", list(self.figures or ()))
                )
        return self

    @model_validator(mode="after")
    def _claims_are_shown(self, info: ValidationInfo) -> Self:
        """Refuse a list of figures that lacks one that shows a verdict."""
        shown: dict[str, str] = {}
        for claim in self.claims if _written_out(info) else ():
            for figure in ("claims", *claim.figures):
                shown.setdefault(figure, claim.name)
        listed = list(self.figures or shown)
        missing = {one: name for one, name in shown.items() if one not in listed and not self.lacks(one)}
        self.refuse(*(("figures", f"have '{f}', which shows claim '{name}'", listed) for f, name in missing.items()))
        return self

    @model_validator(mode="after")
    def _hypotheses_can_be_decided(self, info: ValidationInfo) -> Self:
        lines = [
            InitErrorDetails(type=said(one.fault(*fault)), loc=("hypotheses", name, fault[0]), input=fault[2])
            for name, one in (self.hypotheses if _written_out(info) else {}).items()
            for fault in one.faults(self.regimes)
        ]
        if lines:
            raise ValidationError.from_exception_data("Study", lines)
        return self

    @model_validator(mode="after")
    def _claims_can_be_decided(self, info: ValidationInfo) -> Self:
        lines = [
            InitErrorDetails(type=said(claim.fault(*fault)), loc=("claims", index, fault[0]), input=fault[2])
            for index, claim in enumerate(self.claims if _written_out(info) else ())
            for fault in claim.faults(self)
        ]
        if lines:
            raise ValidationError.from_exception_data("Study", lines)
        if twin := first_duplicate([claim.name for claim in self.claims]):
            self.refuse(("claims", "name each claim once", f"'{twin}' twice"))
        return self
