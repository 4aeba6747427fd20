"""How fast a training is, beside other ways to the same weights: `python -m benchmarks.speed` (`make bench`).

Everything runs on one core and one thread, in one run, the ways taking turns; processor time is counted. First the ways
are shown to compute the same. Results: results/bench/speed.json, docs/speed.md and docs/speed.png and .svg.
"""

from benchmarks.speed import core

core.pin()  # before the libraries below look for cores

import argparse  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402
from dataclasses import asdict  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import torch  # noqa: E402

from benchmarks.speed import agreement, jobs, methods, picture, sections, settings, tables  # noqa: E402
from study.utils import malloc  # noqa: E402

FULL = {
    "seeds": sections.seeds((1, 5, 10, 30), 150),
    "batches": sections.batches((128, 512), 10, 20),
    "models": sections.models((1, 5, 10), 10),
}


def measured(turns: int, only: list[str]) -> dict[str, Any]:
    """All figures: what ran, whether the ways agree, the rows of each section, the whole jobs."""
    found: dict[str, Any] = {"settings": settings.found(turns), "agreement": agreement.all_checked(report)}
    for name, section in FULL.items():
        if name in only:
            found[name] = [{**asdict(row.timing), "of": row.of, "way": row.way} for row in section.rows(turns, report)]
    if "methods" in only:
        found["methods"] = methods.costs(10, turns, report)
        found["by_sample"] = methods.by_sample(10, turns)
    if "jobs" in only:
        report("whole trainings")
        found["jobs"] = [asdict(cost) for cost in jobs.costs(3)]
    return found


def report(line: str) -> None:
    print(f"{time.perf_counter() - STARTED:5.0f} s  {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description="Speed of training, side by side.")
    names = [*FULL, "methods", "jobs"]
    parser.add_argument("--turns", type=int, default=11, help="how often each way is timed (11)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="some sections; docs/ stays as it is")
    given = parser.parse_args()
    torch.set_num_threads(1)
    malloc.keep_freed()  # as the workflow does; it serves all ways
    found = measured(given.turns, given.only)
    path = Path("results/bench/speed.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1))
    print(tables.markdown(found))
    if given.only == names:
        Path("docs/speed.md").write_text(tables.page(found))
        picture.save(found, Path("docs/speed"))
    report("done")


STARTED = time.perf_counter()

if __name__ == "__main__":
    main()
