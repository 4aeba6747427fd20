"""A study of many short trainings by two commits: seconds by the clock for each, start-up of jobs included.

    .venv/bin/python benchmarks/short_variants.py efa95bc [--variants 1000] [--before 60]

Each training has 1,000 digits, two epochs and one seed. The other commit does only the first few of them, since there
each is a job of its own; the time of each is compared, after that of a study of one, which is Snakemake's own. Both
commits are checked out with this environment and data. Prints a table and writes results/bench/short_variants.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]


def study(variants: int) -> dict[str, object]:
    """A crossed grid of about this many variants: three clips and three regularizers, each at many strengths."""
    clips, regularizers = divisors(variants)
    norms, bounds = strengths(0.05, 5, clips // 2), strengths(0.001, 0.1, (clips - 1) // 2)
    weights, shares = strengths(1e-5, 1e-2, regularizers // 2), strengths(0.05, 0.6, (regularizers - 1) // 2)
    return {
        "name": "short",
        "description": "Many short trainings.",
        "seeds": 1,
        "defaults": {
            "data": {"name": "mnist", "train_size": 1000, "validation_size": 1000},
            "model": {"name": "mlp", "hidden": [128]},
            "optimizer": {"name": "sgd", "lr": 0.1},
            "epochs": 2,
            "batch_size": 64,
        },
        "regimes": {
            "short": {
                "clips": [
                    "none",
                    *({"name": "global_norm", "max_norm": c} for c in norms),
                    *({"name": "value", "bound": c} for c in bounds),
                ],
                "regularizations": [
                    "none",
                    *({"name": "l2", "strength": c} for c in weights),
                    *({"name": "dropout", "p": c} for c in shares),
                ],
            }
        },
    }


def divisors(number: int) -> tuple[int, int]:
    """The two factors of a number that are nearest to each other, the smaller first."""
    small = next(one for one in range(int(number**0.5), 0, -1) if number % one == 0)
    return small, number // small


def strengths(low: float, high: float, count: int) -> list[float]:
    """So many numbers, evenly spaced on a log scale."""
    return [float(f"{one:.6g}") for one in np.geomspace(low, high, count)]


def clock(tree: Path, variants: int) -> float:
    """Seconds that the study takes in a checkout, from nothing to the table of runs."""
    file = tree / "short.yaml"
    file.write_text(yaml.safe_dump(study(variants)))
    for folder in ("results", "logs", ".snakemake"):
        subprocess.run(["rm", "-rf", folder], cwd=tree, check=True)
    command = [sys.executable, "-m", "snakemake", "--cores", str(os.cpu_count()), "--configfile", file.name]
    started = time.monotonic()
    done = subprocess.run([*command, "--", "results/short/runs.parquet"], cwd=tree, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return time.monotonic() - started


def each(tree: Path, variants: int) -> float:
    """Seconds by the clock of one variant, those of Snakemake and a first training left out."""
    first = clock(tree, 1)
    return (clock(tree, variants) - first) / (variants - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("--variants", type=int, default=1000)
    parser.add_argument("--before", type=int, default=60)
    given = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, commit, variants in (("before", given.commit, given.before), ("after", "HEAD", given.variants)):
            tree = Path(folder) / name
            subprocess.run(["git", "clone", "-q", ROOT, tree], check=True)
            subprocess.run(["git", "-c", "advice.detachedHead=false", "checkout", "-q", commit], cwd=tree, check=True)
            (tree / "data").mkdir(exist_ok=True)
            for path in (ROOT / "data").glob("mnist*"):
                (tree / "data" / path.name).symlink_to(path)
            found[name] = {"variants": variants, "each": each(tree, variants)}
    ratio = found["before"]["each"] / found["after"]["each"]
    for name, one in found.items():
        print(f"{name}: {one['each']:.2f} s a variant, of {one['variants']} variants on {os.cpu_count()} cores")
    print(f"before / after: {ratio:.1f}")
    path = ROOT / "results/bench/short_variants.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
