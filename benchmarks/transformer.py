"""A step of a small transformer beside the plain loop of torch: `python -m benchmarks.transformer`.

The net of `config/transformer.yaml`, batches of 64, SGD, a clip by the global norm, one thread; the ways take turns.
Shows first that both come to the same weights, then processor milliseconds a step of one model.
"""

from benchmarks.speed import core

core.pin()  # before the libraries below look for cores

import torch  # noqa: E402

from benchmarks.speed.agreement import checked  # noqa: E402
from benchmarks.speed.clock import timed  # noqa: E402
from benchmarks.speed.engine_ways import ENGINE, PLAIN_ENGINE  # noqa: E402
from benchmarks.speed.task import TRANSFORMER, Task  # noqa: E402
from benchmarks.speed.torch_ways import IN_MEMORY  # noqa: E402
from study.utils import malloc  # noqa: E402

TURNS, STEPS, SEEDS = 7, 30, (1, 10)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    malloc.keep_freed()
    found = checked(Task(2, steps=STEPS, model=TRANSFORMER), IN_MEMORY, (ENGINE,))
    apart = found[ENGINE.name]["disagreement"]
    print(f"After {STEPS} steps, no tensor of the two is further apart than {apart:.1e} of the way that it has gone.\n")
    print("| models at once | way | ms a step and model | of the plain loop |\n|---|---|---|---|")
    for seeds in SEEDS:
        times = timed((IN_MEMORY, ENGINE, PLAIN_ENGINE), Task(seeds, steps=STEPS, model=TRANSFORMER), TURNS)
        for way, timing in times.items():
            ratio = timing.median / times[IN_MEMORY.name].median
            print(f"| {seeds} | {way} | {timing.median:.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
