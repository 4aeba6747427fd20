"""Where a step of the engine spends its time: the kernels by what they are for, and what is left."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

from torch.profiler import ProfilerActivity, profile

from benchmarks.speed.engine_ways import with_statistics
from benchmarks.speed.task import Task

PARTS: Mapping[str, tuple[str, ...]] = {
    "matrix products": ("aten::bmm",),
    "reading the batches' digits": ("aten::index_select",),
    "norms of gradients and weights": ("aten::linalg_vector_norm",),
    "the optimizer's update": ("aten::addcmul_",),
}
REST = "the rest: activations, loss, sums, calls of about sixty small operations, Python"


def parts(task: Task, turns: int) -> dict[str, float]:
    """Milliseconds per step and model by part.

    The whole is timed without the profiler, which slows small operations; the large kernels' own time is taken with
    it, and what is left is the rest.
    """
    engine = with_statistics(task)
    engine.turn()
    each = 1000 / (task.steps * task.seeds)
    spent = []
    for _ in range(turns):
        started = time.process_time()
        engine.turn()
        spent.append(time.process_time() - started)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(turns):
            engine.turn()
    own = {event.key: event.self_cpu_time_total / 1e6 / turns for event in seen.key_averages()}
    found = {name: each * sum(own[kernel] for kernel in kernels) for name, kernels in PARTS.items()}
    return {**found, REST: each * statistics.median(spent) - sum(found.values())}
