"""Where the time of a whole study goes: `make study` from nothing, timed, and what its jobs say of themselves.

    .venv/bin/python -m benchmarks.whole_study [--configfile config/study.yaml] [--cores 2]

Runs Snakemake on the study in this folder, whose results must not be there yet, with the environment made and the data
fetched. The limit beside it is of matrix products alone: those that the study's steps need, at the rate that a core of
this machine reaches while all multiply, as they do in the study; measured before and after. Prints a table and writes
results/bench/whole_study.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path

import torch
import yaml
from torch import nn

from study.config import read, variants
from study.config.study import Study
from study.config.variants import Variant
from study.utils.timer import parse

ROOT = Path(__file__).resolve().parents[1]
INPUTS, CLASSES = 784, 10


def products(variant: Variant) -> list[tuple[int, int, int]]:
    """The products [m, k] x [k, n] of one step of one model, by the linear layers of a perceptron: (m, k, n)."""
    layers = [m for m in variant.model.build(INPUTS, CLASSES).modules() if isinstance(m, nn.Linear)]
    batch = variant.batch_size
    forward = [(batch, m.in_features, m.out_features) for m in layers]
    weights = [(m.out_features, batch, m.in_features) for m in layers]
    inputs = [(batch, m.out_features, m.in_features) for m in layers[1:]]
    return [*forward, *weights, *inputs]


def rate(shape: tuple[int, int, int], count: int, turns: int = 21) -> float:
    """Seconds of processor time that one core needs for a product of this shape, stacked over models."""
    m, k, n = shape
    left, right, out = torch.rand(count, m, k), torch.rand(count, k, n), torch.empty(count, m, n)
    spent = []
    for _ in range(turns):
        started = time.process_time()
        torch.bmm(left, right, out=out)
        spent.append((time.process_time() - started) / count)
    return statistics.median(spent)


def limit(study: Study, count: int, cores: int) -> float:
    """Core-seconds of the matrix products of all steps of a study, measured on this many cores at once."""
    needed: Counter[tuple[int, int, int]] = Counter()
    for variant in variants.expand(study):
        for shape in products(variant):
            needed[shape] += variant.steps * len(study.seeds)
    for variant in variants.expand_tuning(study):
        for shape in products(variant):
            needed[shape] += variant.steps * len(study.regimes[variant.regime].tuning.seeds) * (variant.folds or 1)
    with get_context("spawn").Pool(cores) as pool:
        return statistics.mean(pool.starmap(core_seconds, [(needed, count)] * cores, chunksize=1))


def core_seconds(needed: Mapping[tuple[int, int, int], int], count: int) -> float:
    """Core-seconds of these products, each needed so often."""
    torch.set_num_threads(1)
    return sum(times * rate(shape, count) for shape, times in needed.items())


def said(study: str) -> tuple[Counter[str], int]:
    """Processor seconds by part over all trainings, from their logs; and the number of trainings."""
    spent, trainings = Counter[str](), 0
    for log in (ROOT / "logs" / study / "train").rglob("*.log"):
        parts = [parse(line) for line in log.read_text().splitlines()]
        for found in filter(None, parts):
            spent.update(found)
            trainings += log.parent.name != "train"  # those beside are of the jobs
    return spent, trainings


def run(command: list[str]) -> tuple[float, float, float]:
    """Run Snakemake: seconds by the clock, processor seconds of all its processes, the most MB one of them had."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(os.waitstatus_to_exitcode(status))
    return time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def table(parts: dict[str, float], cores: int, clock: float) -> str:
    whole = cores * clock
    lines = [f"| {name} | {seconds:.0f} | {seconds / whole:.0%} |" for name, seconds in parts.items()]
    return "\n".join(["| part | core-seconds | share |", "|---|---|---|", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", default="config/study.yaml")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    given = parser.parse_args()
    raw = yaml.safe_load((ROOT / given.configfile).read_text())
    study = read.read(raw, [ROOT / given.configfile], {})
    if (ROOT / "results" / study.name).exists():
        raise SystemExit(f"The folder 'results/{study.name}' must not be there yet: the study is timed from nothing.")
    before = limit(study, study.seeds_per_job, given.cores)
    clock, processor, most = run(
        [sys.executable, "-m", "snakemake", "--cores", str(given.cores), "--configfile", given.configfile]
    )
    needed = statistics.mean([before, limit(study, study.seeds_per_job, given.cores)])
    spent, jobs = said(study.name)
    others = processor - sum(spent.values())
    parts = {
        **{f"trainings: {name}": seconds for name, seconds in spent.items()},
        "all else: Snakemake, tables, figures, report": others,
        "no work: waiting": given.cores * clock - processor,
    }
    print(table(parts, given.cores, clock))
    print(
        f"\n{jobs} trainings, {clock:.0f} s by the clock on {given.cores} cores. The matrix products alone need"
        f" {needed:.0f} core-seconds, {needed / given.cores:.0f} s on these cores: the study takes"
        f" {clock * given.cores / needed:.2f} times that. Most memory of a process: {most:.0f} MB."
    )
    path = ROOT / "results/bench/whole_study.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"parts": parts, "clock": clock, "cores": given.cores, "products": needed, "jobs": jobs, "megabytes": most}
    path.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
