"""The open challenge by its workflow: a method is ranked, its entry verified, a forged one refused."""

import subprocess
import sys

import pytest

from tests.challenge.published import COPY, publish
from tests.checkout import Checkout

pytestmark = pytest.mark.workflow
TERMS = ("--terms", "terms.yaml")


def challenge(checkout: Checkout, target: str, *settings: str, expect: int = 0) -> str:
    """What the workflow of the challenge prints."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", "workflow/challenge.smk", "--cores", "2"]
    return done(checkout, [*command, "--config", "terms=terms.yaml", *settings, "--", target], expect)


def verify(checkout: Checkout, *words: str, expect: int = 0) -> str:
    return done(checkout, [sys.executable, "-m", "study.challenge.verify", *words, *TERMS], expect)


def done(checkout: Checkout, command: list[str], expect: int = 0) -> str:
    ran = subprocess.run(command, cwd=checkout.root, capture_output=True, text=True, timeout=900, check=False)
    assert ran.returncode == expect, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def test_a_method_is_ranked_and_its_entry_verified(fresh: Checkout) -> None:
    publish(fresh.root)
    fresh.share_programs()
    (fresh.root / "mine.py").write_text(COPY)
    in_the_way = fresh.root / "results/entry-my_value"
    in_the_way.touch()
    refused = challenge(fresh, "rank", "method=mine.py", "workloads=wrong", expect=1)
    assert "The path 'results/entry-my_value/jobs/" in refused
    assert "Traceback" not in refused
    in_the_way.unlink()
    printed = challenge(fresh, "rank", "method=mine.py", "workloads=wrong")
    assert "clipping 'my_value', digest " in printed
    assert "19 runs to train, about " in printed, "the cost is said first"
    assert "reproduces the published baseline: yes, 1 of 1 runs" in printed

    entry = fresh.root / "given.json"
    (fresh.root / "results/entry-my_value/entry.json").rename(entry)
    (fresh.root / "mine.py").unlink()
    assert "entry 'my_value': its digest is that of its code" in verify(fresh, "check", "given.json")
    challenge(fresh, "verify", "entry=given.json", "runs=2", "seed=1")
    assert "2 identical" in verify(fresh, "verdict")

    entry.write_text(entry.read_text().replace('"class MyValue(Value):"', '"class MyValue(Value):  # mine"'))
    refused = verify(fresh, "check", "given.json", expect=1)
    assert "The digest must be that of the method's code and parameters" in refused
    assert "Traceback" not in refused
