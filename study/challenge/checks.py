"""Checks of an entry without training: its code, seeds, choices and numbers follow from each other and the protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from study.challenge.entry import (
    Entry,
    choice_facts,
    gains_facts,
    method_facts,
    place_facts,
    protocol_facts,
    tuning_seeds,
)
from study.challenge.plan import compared
from study.challenge.ranking import Ranking
from study.challenge.submission import Submission, drawn_seeds
from study.challenge.terms import DRAWN, Benchmark, ChallengeError, Method
from study.config.variants import Variant, trial


def tried_in(entry: Entry, submission: Submission, benchmark: Benchmark) -> dict[str, Variant]:
    """Return the method in the workloads of an entry and that of the drawn seeds, to be tuned."""
    names = [*entry.workloads, benchmark.terms.drawn.workload]
    return submission.variants(benchmark, list(dict.fromkeys(names)))


def faults(entry: Entry, seal: str, submission: Submission, benchmark: Benchmark) -> Iterator[str]:
    """Yield what of an entry does not follow from its code, the protocol and the published tables."""
    if seal != entry.seal:
        yield _fault("The entry", "be as `make rank` wrote it", "another checksum")
    if entry.digest != submission.digest or entry.method != method_facts(submission):
        yield _fault(
            "The digest", "be that of the method's code and parameters", entry.digest[:16], submission.digest[:16]
        )
    if entry.protocol != (wanted := protocol_facts(benchmark)):
        got = f"protocol {entry.protocol['number']}, {entry.protocol['digest']}, of '{entry.protocol['study']}'"
        yield _fault("The protocol", "be the one that is frozen here", got, f"{wanted['number']}, {wanted['digest']}")
    for name, digest in benchmark.digests.items():
        if entry.published.get(name) != digest:
            must = f"be those of '{Path(benchmark.terms.published, name)}'"
            yield _fault("The published runs", must, str(entry.published.get(name))[:16], digest[:16])
    yield from _wrong_seeds(entry, benchmark)
    if wrong := list(misfits(entry, submission, benchmark)):
        yield from wrong
        return
    yield from _wrong_numbers(entry, submission, benchmark)


def misfits(entry: Entry, submission: Submission, benchmark: Benchmark) -> Iterator[str]:
    """Yield what keeps the runs of an entry from being planned again: its workloads, choices and runs."""
    try:
        benchmark.workloads(entry.workloads)
    except ChallengeError as error:
        yield str(error)
        return
    yield from _wrong_choices(entry, submission, benchmark)
    yield from _wrong_runs(entry, submission, benchmark)


def _fault(what: str, must: str, got: object, wanted: str = "") -> str:
    return f"{what} must {must}{f' ({wanted})' if wanted else ''}. Got {got} instead."


def _wrong_seeds(entry: Entry, benchmark: Benchmark) -> Iterator[str]:
    if entry.seeds["drawn"] != drawn_seeds(entry.digest, benchmark.terms.drawn.seeds):
        yield _fault("The drawn seeds", "follow from the digest", f"{entry.seeds['drawn'][:2]} and others")
    if entry.seeds["evaluation"] != list(benchmark.study.seeds):
        yield _fault("The evaluation seeds", "be the protocol's", f"{entry.seeds['evaluation'][:2]} and others")
    if entry.drawn != asdict_of_drawn(benchmark):
        yield _fault("The workload of the drawn seeds", "be that of the terms", entry.drawn)
    known = [name for name in entry.workloads if name in benchmark.study.regimes]
    if entry.seeds["tuning"] != tuning_seeds(benchmark, [*known, benchmark.terms.drawn.workload]):
        yield _fault("The tuning seeds", "be the protocol's", entry.seeds["tuning"])


def asdict_of_drawn(benchmark: Benchmark) -> dict[str, object]:
    """Return the terms of the drawn workload as an entry holds them."""
    return benchmark.terms.drawn.model_dump(mode="json")


def _wrong_choices(entry: Entry, submission: Submission, benchmark: Benchmark) -> Iterator[str]:
    tried = tried_in(entry, submission, benchmark)
    if set(entry.chosen) != set(tried):
        yield _fault("The chosen trials", "be of each workload", sorted(entry.chosen))
    for name in set(entry.chosen) & set(tried):
        own, count = entry.chosen[name], (tuning.trials or 0) if (tuning := tried[name].tuned) else 0
        index = own["trial"]
        if type(index) is not int or not 0 <= index < count:  # True is no number here
            yield _fault(f"The chosen trial of '{name}'", f"be one of 0 to {count - 1}", index)
        elif own != (wanted := choice_facts(index, trial(tried[name], index))):
            got = f"{own['label']} at learning rate {own['lr']}"
            must = f"be trial {index} of the protocol's design"
            yield _fault(f"The choice of '{name}'", must, got, f"{wanted['label']} at {wanted['lr']:g}")


def _wanted_runs(entry: Entry, submission: Submission, benchmark: Benchmark) -> set[tuple[str, Method, int]]:
    names, again = entry.workloads, [*compared(benchmark), submission.cell]
    on_workloads = {(name, submission.cell, seed) for name in names for seed in entry.seeds["evaluation"]}
    return on_workloads | {(DRAWN, method, seed) for method in again for seed in entry.seeds["drawn"]}


def _wrong_runs(entry: Entry, submission: Submission, benchmark: Benchmark) -> Iterator[str]:
    table = entry.table
    methods = zip(table["clip_method"], table["regularization_method"], strict=True)
    there = list(zip(table["regime"], methods, map(int, table["seed"]), strict=True))
    wanted = _wanted_runs(entry, submission, benchmark)
    if len(there) != len(set(there)) or set(there) != wanted:
        got = f"{len(there)}, {len(set(there) & wanted)} of which are such"
        yield _fault("The runs", f"be the {len(wanted)} of the method's workloads and the drawn seeds, each once", got)
    for row in table.to_dict("records"):
        name = benchmark.terms.drawn.workload if row["regime"] == DRAWN else str(row["regime"])
        method = (row["clip_method"], row["regularization_method"])
        if method == submission.cell and name in entry.chosen:
            label = row["clip"] if row["clip"] != "none" else row["regularization"]
            if label != (wanted_label := entry.chosen[name]["label"]):
                yield _fault(f"The runs of '{name}'", "be of its chosen trial", label, wanted_label)
                return


def _wrong_numbers(entry: Entry, submission: Submission, benchmark: Benchmark) -> Iterator[str]:
    ranking = Ranking.of(benchmark, entry.workloads, entry.table)
    own = gains_facts(ranking.of_method(submission.cell))
    place = place_facts(ranking.place(submission.cell), len(ranking.board))
    for said, found in zip(entry.gains, own, strict=False):
        if not _alike(said, found):
            what = f"The gain in {found['metric']} on '{found['regime']}'"
            yield _fault(what, "follow from the entry's runs", _told(said), _told(found))
    if len(entry.gains) != len(own):
        yield _fault("The gains", f"be {len(own)}", len(entry.gains))
    if not _alike(entry.place, place):
        yield _fault("The place", "follow from the entry's runs", entry.place["place"], str(place["place"]))


def _told(gain: Mapping[str, object]) -> str:
    return f"{gain['gain']:.5g}, {gain['verdict']}" if isinstance(gain["gain"], float) else str(gain["verdict"])


def _alike(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Return whether two mappings are equal, numbers up to what another processor rounds."""
    if set(one) != set(other):
        return False
    pairs = [(one[key], other[key]) for key in one]
    return all(a == b or _near(a, b) for a, b in pairs)


def _near(a: object, b: object) -> bool:
    return isinstance(a, float) and isinstance(b, float) and bool(np.isclose(a, b, rtol=1e-6))
