"""Clipping and regularization, compared: config -> variants -> runs -> tables -> comparisons -> figures -> report."""

import os
import platform

# The same bits with AVX2 and AVX-512: each library is kept to the former, and MKL to one rounding wherever a matrix
# lies in memory, so that a model's bits do not depend on how many are trained beside it. Steps have the same bits on
# AMD and Intel; MKL, which computes scores, rounds by the maker. Each reads this when it is loaded, so `study` is
# imported first. A value of the environment's own stays.
SAME_BITS = {
    "MKL_CBWR": "AVX2,STRICT",
    "ATEN_CPU_CAPABILITY": "avx2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"  # a job has a core
X86 = platform.machine() in ("x86_64", "AMD64")
for name, value in SAME_BITS.items() if X86 else ():
    os.environ.setdefault(name, value)
os.environ.setdefault("XLA_FLAGS", f"{ONE_THREAD} --xla_cpu_max_isa=AVX2" if X86 else ONE_THREAD)
os.environ.setdefault("JAX_PLATFORMS", "cpu")  # what runs on a GPU is left to torch
# Threads of XLA. It splits long sums among them, so that with one for each core the number of cores would change the
# bits; and a second one spins while it waits, on another job's core.
os.environ.setdefault("PJRT_NPROC", "1")
