"""Step of the server in a federated round, as a pure function of one model's tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from study.clipping import Clipping, PerSample
from study.clipping.per_sample_adaptive import PerSampleAdaptive
from study.optim.optimizers import OptimizerState
from study.optim.tensors import Tensors, expand_to, global_norm, tensor_norms
from study.regularization import Regularization
from study.workloads.federated import Federated


@dataclass(frozen=True, eq=False)
class ServerState:
    """State of the server from round to round: of its optimizer, its clip of updates, its averages of weights."""

    optimizer: OptimizerState
    clip: Tensors
    averages: dict[str, Tensors]


pytree.register_dataclass(ServerState)


@dataclass(frozen=True)
class Server:
    """Server that clips the updates of m clients, adds noise to their mean, and takes a step with it.

    averagers: the regularizers that average weights, which act on the server and not on clients.
    """

    workload: Federated
    clip: Clipping
    averagers: Sequence[Regularization]

    def initial_state(self, parameters: Tensors) -> ServerState:
        """Return the state before the first round."""
        averages = {r.name: r.initial_state(parameters) for r in self.averagers}
        return ServerState(
            self.workload.server.initial_state(parameters), self.clip.initial_state(parameters), averages
        )

    def round(
        self, parameters: Tensors, state: ServerState, updates: Tensors, noise: Tensors, count_noise: Tensor
    ) -> tuple[Tensors, ServerState, dict[str, Tensor]]:
        """Return the parameters and the state after a round, and its noted columns.

        updates [m, ...]: w - w_k of each client; noise: standard normal numbers, one per parameter, and one for the
        count of clipped clients.
        """
        clipped, clip = clipped_updates(self.clip, parameters, state.clip, updates)
        sensitivity = self.clip.norm_bound(state.clip)
        bound = torch.as_tensor(torch.nan if sensitivity is None else sensitivity)
        z = self.workload.noise_of_updates(self.clip)
        std = torch.nan_to_num(bound) * z / self.workload.sampled
        gradient = {key: u.mean(0) + std * noise[key] for key, u in clipped.items()}
        if self.workload.noise_multiplier and isinstance(self.clip, PerSampleAdaptive):
            clip = self.clip.with_noisy_count(clip, count_noise * self.workload.count_std / self.workload.sampled)
        server = self.workload.server
        ahead, optimizer = server.direction(gradient, state.optimizer, parameters)
        after = {key: p - server.lr * ahead[key] for key, p in parameters.items()}
        averages = dict(state.averages)
        for r in self.averagers:
            after, averages[r.name] = r.update(after, server.lr, averages[r.name])
        step = global_norm(tensor_norms({key: p - parameters[key] for key, p in after.items()}))
        noted = {**of_updates(updates, clipped), "update_bound": bound, "update_noise": std, "server_step": step}
        return after, ServerState(optimizer, clip, averages), noted

    def evaluated(self, parameters: Tensors, state: ServerState) -> Tensors:
        """Return the parameters that are scored and handed over."""
        return reduce(lambda p, r: r.evaluated(p, state.averages[r.name]), self.averagers, parameters)


def clipped_updates(clip: Clipping, parameters: Tensors, state: Tensors, updates: Tensors) -> tuple[Tensors, Tensors]:
    """Return the clipped updates [m, ...] and the clip's next state, which sees one client after the other.

    A clip of single samples sees all clients at once.
    """
    if isinstance(clip, PerSample):
        norms = {key: torch.linalg.vector_norm(u.flatten(1), dim=1) for key, u in updates.items()}
        weights, state = clip.weights(norms, state)
        return {key: u * expand_to(weights[key], u) for key, u in updates.items()}, state
    each = list[Tensors]()
    for k in range(len(next(iter(updates.values())))):
        one, state = clip.clip({key: u[k] for key, u in updates.items()}, parameters, state)
        each.append(one)
    return {key: torch.stack([one[key] for one in each]) for key in updates}, state


def of_updates(updates: Tensors, clipped: Tensors) -> dict[str, Tensor]:
    """Measurements of m updates: norms, the share that was clipped, and how far the clients are from each other.

    client_cosine: the mean cosine between the updates of two clients; client_drift: the mean distance of an update
    from their mean, over the norm of the mean.
    """
    flat = torch.cat([u.flatten(1) for u in updates.values()], 1)
    norms, mean = torch.linalg.vector_norm(flat, dim=1), flat.mean(0)
    differs = {key: (u != clipped[key]) & ~(u.isnan() & clipped[key].isnan()) for key, u in updates.items()}
    changed = torch.stack([one.flatten(1).any(1) for one in differs.values()]).any(0)
    m = len(flat)
    pairs = (torch.linalg.vector_norm((flat / norms[:, None]).sum(0)).square() - m) / (
        m * (m - 1) if m > 1 else math.nan
    )
    return {
        "update_norm": norms.mean(),
        "update_norm_max": norms.max(),
        "update_clipped": changed.float().mean(),
        "client_cosine": pairs,
        "client_drift": torch.linalg.vector_norm(flat - mean, dim=1).mean() / torch.linalg.vector_norm(mean),
    }
