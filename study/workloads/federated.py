"""Federated averaging: who the clients are, what they do in a round, and what the server does with their updates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from study.clipping import Clipping
from study.clipping.per_sample_adaptive import PerSampleAdaptive
from study.methods.base import MethodCombination, entry
from study.optim.optimizers import SGD, Optimizer
from study.parameters import NOT_NUMBERS, Inside, Must, NonNegative, NotBool, PositiveInt
from study.workloads.base import Floats, Workload
from study.workloads.client_splits import IID, ClientSplitChoice
from study.workloads.privacy import epsilon

Fraction = Annotated[
    float,
    Field(ge=0, le=1),
    NotBool,
    Must("a number from 0 (one client a round) to 1 (all)", (-0.1, 1.5, *NOT_NUMBERS)),
]
if TYPE_CHECKING:  # a type checker sees what a field holds, pydantic also how it is read
    ServerChoice = Optimizer
else:
    ServerChoice = entry(Optimizer)
COLLAPSE = 0.5  # of its best validation accuracy: a run that ends at or below it has collapsed


class Federated(Workload):
    """Clients learn from their own digits for some epochs, and a server averages the weights they come to.

    In each round a fraction of the clients is drawn, and each takes its steps from the server's weights w with a fresh
    optimizer; clips and regularizers of its steps remember nothing of earlier rounds. The mean of w - w_k over the
    clients is the gradient of the `server`'s optimizer, so SGD with rate 1 is federated averaging, and with momentum
    FedAvgM. All clients have the same number of digits, so no client weighs more than another. `clip_at` says what the
    clips of the regime act on: the gradient of each step of a client, or the `update` w - w_k of each client. A clip
    of single samples then takes the clients for its samples: `per_sample` is the flat clip of DP-FedAvg,
    `per_sample_adaptive` its adaptive one. `noise_multiplier` z adds normal noise to the sum of the updates, of z
    times the norm to which each was clipped; a run without a clip has none, and no privacy.
    """

    formula: ClassVar[str] = r"w_{t+1} = w_t - \eta_s \frac1m \sum_{k \in S_t} \operatorname{clip}(w_t - w_t^k)"
    source: ClassVar[str] = "@mcmahan2017, algorithm 1; server momentum: @hsu2019; noise: @mcmahan2018; @andrew2021"
    unit: ClassVar[str] = "round"
    learner: ClassVar[str] = "client"
    columns: ClassVar[tuple[str, ...]] = (
        "update_norm",
        "update_norm_max",
        "update_clipped",
        "update_bound",
        "update_noise",
        "client_cosine",
        "client_drift",
        "server_step",
        "most_drawn",
    )
    name: Literal["federated"] = "federated"
    clients: PositiveInt = 100
    split: ClientSplitChoice = IID()
    fraction: Fraction = 0.1
    local_epochs: PositiveInt = 1
    server: ServerChoice = SGD(lr=1.0)
    clip_at: Annotated[Literal["step", "update"], Must("'step' or 'update'", ("server", True))] = "step"
    noise_multiplier: NonNegative = 0.0
    delta: Inside = 1e-3
    target: Inside = 0.9

    @model_validator(mode="after")
    def _noise_needs_bounded_updates(self) -> Self:
        if self.noise_multiplier and self.clip_at != "update":
            self.refuse(("noise_multiplier", "be 0 unless clip_at is 'update'", self.noise_multiplier))
        if self.server.by_torch:
            self.refuse(("server", "be an optimizer that is no optimizer of torch", f"'{self.server.name}'"))
        return self

    @property
    def sampled(self) -> int:
        """Number m of clients in each round."""
        return max(1, round(self.fraction * self.clients))

    @property
    def words(self) -> str:
        acts = "steps" if self.clip_at == "step" else "updates"
        passes = f"{self.local_epochs} local epoch{'s' if self.local_epochs > 1 else ''}"
        noise = f" Noise multiplier {self.noise_multiplier:g}, delta {self.delta:g}." if self.noise_multiplier else ""
        return (
            f"Federated: {self.clients} clients, digits dealt by `{self.split.label}`, {self.sampled} drawn a round"
            f" for {passes}; server `{self.server.label}`; clips act on the clients' {acts}.{noise}"
        )

    def digits_of_one(self, digits: int) -> int:
        return self.split.size(digits, self.clients)

    def steps(self, digits: int, batch_size: int) -> int:
        return self.sampled * self.client_steps(digits, batch_size)

    def client_steps(self, digits: int, batch_size: int) -> int:
        """Return the steps that one client takes in a round; an incomplete last batch of an epoch is dropped."""
        return self.local_epochs * (self.digits_of_one(digits) // batch_size)

    def conflict_with(self, combination: MethodCombination) -> str | None:
        if combination.model.normalizes_batches:
            return "workload 'federated' averages weights, and no running statistics of batch normalization"
        if combination.optimizer.by_torch:
            return "workload 'federated' starts the optimizer of each client afresh, which one of torch cannot"
        if self.noise_multiplier and combination.clip.name != "none" and not combination.clip.bounds_norm:
            return f"clipping '{combination.clip.name}' bounds the norm of no update, by which noise could be measured"
        if isinstance(combination.clip, PerSampleAdaptive) and self.noise_multiplier >= 2 * self.count_std:
            most = f"a tenth of the {self.sampled} clients of a round"
            return f"clipping '{combination.clip.name}' needs a noise_multiplier below {most}, whose count is noisy too"
        return None

    @property
    def count_std(self) -> float:
        """Noise on the number of clipped clients, as Andrew et al. 2021 set it: a twentieth of the clients."""
        return self.sampled / 20

    def noise_of_updates(self, clip: Clipping) -> float:
        """Return the noise on the sum of the updates, in multiples of their bound.

        With the adaptive bound, the noise on the count takes its share of the privacy that z buys: the updates get
        (z^-2 - (2 s)^-2)^(-1/2), s being the deviation of the count (Andrew et al. 2021, theorem 1).
        """
        z = self.noise_multiplier
        return (z**-2 - (2 * self.count_std) ** -2) ** -0.5 if z and isinstance(clip, PerSampleAdaptive) else z

    def outcomes(self, epochs: Mapping[str, Floats]) -> dict[str, float]:
        accuracy = epochs["validation_accuracy"]
        best, last = np.fmax.reduce(accuracy), accuracy[-1]
        found = {
            name: _mean(epochs[name]) for name in ("client_cosine", "client_drift", "update_norm", "update_clipped")
        }
        if self.clip_at == "update":
            found["clip_rate"] = found["update_clipped"]
        return found | {
            "rounds_to_target": rounds_to_target(self.target, accuracy),
            "fall": float(best - last),
            "collapsed": float(not last > COLLAPSE * best),
            "epsilon": self._epsilon(epochs),
        }

    def _epsilon(self, epochs: Mapping[str, Floats]) -> float:
        noisy, drawn = np.nan_to_num(epochs["update_noise"]).any(), np.nan_to_num(epochs["most_drawn"])
        return epsilon(self.noise_multiplier if noisy else 0.0, int(drawn.max()), self.delta)


def rounds_to_target(target: float, accuracy: Floats) -> float:
    """Round at which the best accuracy so far reaches the target, between rounds by a straight line; NaN if none.

    As McMahan et al. 2017 count them. accuracy: [E + 1], the first before training.
    """
    best = np.fmax.accumulate(accuracy)
    reached = np.flatnonzero(best >= target)
    if not reached.size:
        return float("nan")
    at = int(reached[0])
    if at == 0 or not np.isfinite(best[at - 1]):
        return float(at)
    return at - 1 + float((target - best[at - 1]) / (best[at] - best[at - 1]))


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
