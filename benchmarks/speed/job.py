"""A whole training in a process of its own, from the start of Python to the written results, by one of three ways.

    python -m benchmarks.speed.job engine|stock|memory STEPS EPOCHS SEEDS FOLDER

The engine does what the workflow's script does, with all that it measures by default; the loops score the test digits
after every epoch, as PyTorch's example does. Prints the MB that it had at most.
"""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

import torch

from benchmarks.speed.task import Task, digits


def engine(task: Task, folder: Path) -> None:
    from study.results import store
    from study.training import engine, records
    from study.utils import malloc

    malloc.keep_freed()
    trained = engine.train(task.variant(), range(task.seeds), digits())
    for name, table in records.tidy("bench", trained).items():
        store.write(table, folder / f"{name}.parquet")


def memory(task: Task, folder: Path) -> None:
    from benchmarks.speed.torch_ways import in_memory
    from study.training.batches import normalised

    images, labels = normalised(digits().test_images, digits()), digits().test_labels
    for seed in range(task.seeds):
        loop = in_memory(task, seed)
        for epoch in range(task.epochs):
            loop.turn()
            noted(folder, epoch, loop.right(images.split(1000), labels.split(1000)))


def stock(task: Task, folder: Path) -> None:
    """One seed: the script is started anew for each."""
    from torch.utils.data import DataLoader, Subset

    from benchmarks.speed.torch_ways import Loop, Plain, mnist

    train = Subset(mnist(folder, train=True), range(task.steps * task.batch))
    test = DataLoader(mnist(folder, train=False), batch_size=1000)
    loop = Loop(Plain.of(task, 0), DataLoader(train, batch_size=task.batch, shuffle=True))
    for epoch in range(task.epochs):
        loop.turn()
        noted(folder, epoch, sum(loop.right([x], [y]) for x, y in test))


def noted(folder: Path, epoch: int, right: int) -> None:
    with (folder / "log").open("a") as log:
        print(epoch, right, file=log)


def most_used() -> float:
    """The most memory that this process had, in MB; on Linux from what counts no process before it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def main(way: str, steps: str, epochs: str, seeds: str, folder: str) -> None:
    torch.set_num_threads(1)
    task = Task(seeds=int(seeds), steps=int(steps), epochs=int(epochs))
    {"engine": engine, "memory": memory, "stock": stock}[way](task, Path(folder))
    print(most_used())


if __name__ == "__main__":
    main(*sys.argv[1:])
