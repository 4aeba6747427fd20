"""A round of federated averaging in Flower's simulation: `python -m benchmarks.flower`.

The work of `benchmarks.federated`: McMahan et al.'s perceptron, 10 of 100 clients of 550 digits, one epoch in batches
of ten, gradients clipped by their norm; one client at a time on one core. Needs `flwr[simulation]` beside the study's
packages. Prints seconds of wall-clock time a round, and the processor seconds of its clients' loops of torch.
"""

from __future__ import annotations

import os

os.environ.update(FLWR_TELEMETRY_ENABLED="0", RAY_USAGE_STATS_ENABLED="0", OMP_NUM_THREADS="1")

import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation
from torch import nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 6  # the first starts the workers
CLIENTS, SHARE, EACH, BATCH = 100, 0.1, 550, 10

client, server = ClientApp(), ServerApp()


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10))


@client.train()
def train(message: Message, context: Context) -> Message:
    """Train a copy of the server's net for an epoch on this client's digits."""
    from study.data import load

    torch.set_num_threads(1)
    started = time.process_time()
    digits = load("mnist", ROOT / "data/mnist")
    number = int(context.node_config["partition-id"])
    rows = torch.randperm(CLIENTS * EACH, generator=torch.Generator().manual_seed(0))[number * EACH :][:EACH]
    x = digits.train_images[rows].float().div(255).sub(digits.mean).div(digits.std)
    y = digits.train_labels[rows]
    model = network()
    model.load_state_dict(message.content["arrays"].to_torch_state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for part in torch.randperm(EACH).split(BATCH):
        optimizer.zero_grad()
        F.cross_entropy(model(x[part]), y[part]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    found = {"num-examples": EACH, "seconds": time.process_time() - started}
    content = RecordDict({"arrays": ArrayRecord(model.state_dict()), "metrics": MetricRecord(found)})
    return Message(content=content, reply_to=message)


class Timed(FedAvg):
    """FedAvg that notes when a round begins and ends, and what its clients took."""

    def __init__(self) -> None:
        super().__init__(fraction_train=SHARE, fraction_evaluate=0.0)
        self.rounds: list[tuple[float, float]] = []
        self.began = 0.0

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        self.began = time.monotonic()
        return super().configure_train(server_round, arrays, config, grid)

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        answers = list(replies)
        found = super().aggregate_train(server_round, answers)
        clients = sum(float(one.content["metrics"]["seconds"]) for one in answers)
        self.rounds.append((time.monotonic() - self.began, clients))
        return found


@server.main()
def average(grid: Grid, context: Context) -> None:
    """Run the rounds and print what they took."""
    strategy = Timed()
    strategy.start(grid=grid, initial_arrays=ArrayRecord(network().state_dict()), num_rounds=ROUNDS)
    clock, clients = (median(side) for side in zip(*strategy.rounds[1:], strict=True))
    print(f"A round: {clock:.3f} s by the clock, of which {clients:.3f} s of its clients' loops of torch.")


if __name__ == "__main__":
    resources = {"client_resources": {"num_cpus": 1, "num_gpus": 0.0}, "init_args": {"num_cpus": 1}}
    run_simulation(server_app=server, client_app=client, num_supernodes=CLIENTS, backend_config=resources)
