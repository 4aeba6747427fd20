"""The same trainings of the default study by two commits, taking turns: processor seconds by part.

    .venv/bin/python benchmarks/before_after.py 959edf0 [--turns 1]

The other commit is checked out beside this one, with its own code and this environment and data. Its trainings are
timed from outside, since it may keep no account of its own, and so are this one's. Prints a table of before / after.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
TRAININGS = (
    ("unstable", "adaptive_unit", "l2"),
    ("memorize", "global_norm", "dropout"),
    ("tutorial", "none", "none"),
    ("tutorial", "value", "none"),
    ("tutorial", "sign_on_trigger", "l1"),
)
ONE = Path(__file__).with_name("timed_training.py")


def one(tree: Path, training: tuple[str, str, str]) -> dict[str, float]:
    """Processor seconds of a training by part, in a process of its own."""
    command, threads = [sys.executable, str(ONE), *training], {**os.environ, "OMP_NUM_THREADS": "1"}
    said = subprocess.run(command, cwd=tree, env=threads, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(said.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("--turns", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder) / "before"
        subprocess.run(["git", "clone", "-q", ROOT, before], check=True)
        subprocess.run(["git", "checkout", "-q", given.commit], cwd=before, check=True)
        if not (before / "data").exists():
            (before / "data").symlink_to(ROOT / "data")
        print("| training of ten seeds | part | before, s | after, s | before / after |\n|---|---|---|---|---|")
        for training in TRAININGS:
            spent: dict[str, list[list[float]]] = defaultdict(lambda: [[], []])
            for _ in range(given.turns):
                for side, tree in enumerate((before, ROOT)):
                    parts = one(tree, training)
                    for part, seconds in {**parts, "all": sum(parts.values())}.items():
                        spent[part][side].append(seconds)
            for part, (first, second) in spent.items():
                old, new = median(first), median(second)
                print(f"| {', '.join(training)} | {part} | {old:.1f} | {new:.1f} | {old / new:.2f} |", flush=True)


if __name__ == "__main__":
    main()
