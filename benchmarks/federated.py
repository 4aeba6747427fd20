"""A round of federated averaging beside the plain loop of torch: `python -m benchmarks.federated`.

McMahan et al.'s perceptron, 10 of 100 clients of 550 digits, one epoch in batches of ten. One thread; both take turns
and start from the same weights. Shows first that both come to the same weights, then processor seconds a round.
"""

from benchmarks.speed import core

core.pin()  # before the libraries below look for cores

import copy  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import median  # noqa: E402

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from study.config.variants import Variant  # noqa: E402
from study.data import load  # noqa: E402
from study.training.batches import Batches  # noqa: E402
from study.training.recorder import Recorder  # noqa: E402
from study.training.trainers.federated import Clients  # noqa: E402
from study.utils import malloc  # noqa: E402

TURNS = 5
CLOSE = 1e-2  # relative distance of a tensor: rounding grows over 3,300 steps
VARIANT = {
    "regime": "rounds",
    "workload": {"name": "federated"},
    "data": {"name": "mnist"},
    "model": {"name": "mlp", "hidden": [200, 200]},
    "loss": "cross_entropy",
    "optimizer": {"name": "sgd", "lr": 0.1},
    "epochs": TURNS + 1,
    "batch_size": 10,
    "clip": {"name": "global_norm", "max_norm": 1.0},
    "regularization": "none",
    "statistics": {"every_step": False, "probes": 0},
}


def plain_round(model: nn.Module, images: Tensor, rows: Tensor, labels: Tensor, v: Variant) -> None:
    """What anyone would write: each client trains a copy, the model becomes their mean. rows, labels: [m, S, B]."""
    learned: list[dict[str, Tensor]] = []
    for own_rows, own_labels in zip(rows, labels, strict=True):
        client = copy.deepcopy(model)
        optimizer = torch.optim.SGD(client.parameters(), lr=v.optimizer.lr)
        for x, y in zip(own_rows, own_labels, strict=True):
            optimizer.zero_grad()
            F.cross_entropy(client(images[x]), y).backward()
            nn.utils.clip_grad_norm_(client.parameters(), v.clip.max_norm)
            optimizer.step()
        learned.append(client.state_dict())
    model.load_state_dict({key: torch.stack([one[key] for one in learned]).mean(0) for key in learned[0]})


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    malloc.keep_freed()
    v, other = Variant.model_validate(VARIANT), Variant.model_validate(VARIANT)
    batches = Batches.prepare(load("mnist", Path("data/mnist")), v.data, [0], "cpu")
    ours, twin = (Clients.start(one, [0], batches) for one in (v, other))
    recorder = Recorder.open(v, 1, ours.parameters)
    model = nn.Sequential(nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10))
    model.load_state_dict(dict(zip(model.state_dict(), ours.model(0).parameters.values(), strict=True)))
    drawn: list[tuple[Tensor, Tensor]] = []
    ours.digits_of_round = lambda batches: drawn[-1]  # type: ignore[method-assign]
    times: list[tuple[float, float]] = []
    for _ in range(TURNS + 1):  # the first compiles
        drawn.append(twin.digits_of_round(batches))
        rows, labels = (part[0] for part in drawn[-1])
        started = time.process_time()
        ours.epoch(batches, recorder)
        between = time.process_time()
        plain_round(model, batches.images, rows, labels, v)
        times.append((between - started, time.process_time() - between))
    both = zip(model.state_dict().values(), ours.model(0).parameters.values(), strict=True)
    apart = max(float((p - theirs).norm() / theirs.norm()) for theirs, p in both)
    if apart > CLOSE:
        raise SystemExit(f"The two ways must come to the same weights. Got a relative distance of {apart:.1e} instead.")
    engine, plain = (median(side) for side in zip(*times[1:], strict=True))
    print(f"After {TURNS + 1} rounds, no tensor of one is further than {apart:.1e} of its norm from the other's.\n")
    print("| a round | processor seconds | of the plain loop |\n|---|---|---|")
    print(f"| plain loop of torch | {plain:.3f} | 1 |\n| this engine | {engine:.3f} | {engine / plain:.2f} |")


if __name__ == "__main__":
    main()
