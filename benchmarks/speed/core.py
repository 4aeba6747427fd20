"""One core and one thread for every library; to be imported before any that looks for cores when it is loaded."""

import os

ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 --xla_cpu_max_isa=AVX2",
    "JAX_PLATFORMS": "cpu",
}


def pin() -> None:
    """Keep this process and its children on one core, so that nobody gains by threads."""
    os.environ |= ONE_THREAD
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
