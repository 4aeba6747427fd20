"""Rerun of an entry: a sample of its runs, or all with its trials, trained again and held against it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from study.challenge.checks import misfits, tried_in
from study.challenge.entry import Entry, choice_facts, differences, made_facts
from study.challenge.plan import Plan, Training, trials_path
from study.challenge.ranking import RANKED_BY, runs_of
from study.challenge.submission import Submission
from study.challenge.terms import DRAWN, Benchmark, ChallengeError
from study.config.variants import Variant, scored_only, trial, trials
from study.results import store
from study.results.trial_choice import best, metric_of, score, scored

FOLDER = Path("results/verify-entry")
FEW = 4  # runs of a sample, unless asked
IDENTICAL, CLOSE, DIFFERS = "identical", "equal within the margins", "different"


@dataclass(frozen=True)
class Sample:
    """Runs of an entry that are trained again; whole: all of them, and its trials too."""

    entry: Entry
    rows: pd.DataFrame
    seed: int
    whole: bool

    @classmethod
    def of(cls, entry: Entry, count: str, seed: int) -> Sample:
        """Return so many runs drawn by a seed, or "all"; raises ChallengeError for any other count."""
        table = entry.table
        if count == "all":
            return cls(entry, table, seed, True)
        if count and not (count.isdecimal() and int(count) > 0):
            must = "The 'RUNS' parameter of verify-entry must be 'all' or a whole number of at least 1."
            raise ChallengeError(f"{must} Got '{count}' instead.")
        chosen = random.Random(seed).sample(range(len(table)), min(int(count or FEW), len(table)))
        return cls(entry, table.iloc[sorted(chosen)], seed, False)


def again(benchmark: Benchmark, submission: Submission, sample: Sample) -> Plan:
    """Return what trains a sample again: at the entry's choices, or with the whole its trials too.

    Raises ChallengeError for an entry whose runs are none of the benchmark.
    """
    entry, workload = sample.entry, benchmark.terms.drawn.workload
    if wrong := list(misfits(entry, submission, benchmark)):
        raise ChallengeError(*wrong)
    variants = tried_in(entry, submission, benchmark)
    tried = {name: scored_only(one) for name, one in variants.items()} if sample.whole else {}
    evaluated, drawn = list[Training](), list[Training]()
    keys = ["regime", "clip_method", "regularization_method"]
    for (regime, clip, regularization), part in sample.rows.astype(dict.fromkeys(keys, "str")).groupby(
        keys, sort=False
    ):
        name, seeds = workload if regime == DRAWN else str(regime), tuple(sorted(map(int, part["seed"])))
        table = trials_path(FOLDER, tried[name]) if name in tried else None
        if (method := (str(clip), str(regularization))) != submission.cell:
            one = Training(name, benchmark.published_choice(name, method), seeds)
        elif sample.whole:
            one = Training(name, variants[name], seeds, table)
        else:
            one = Training(name, trial(variants[name], entry.chosen[name]["trial"]), seeds)
        (drawn if regime == DRAWN else evaluated).append(one)
    return Plan(FOLDER, submission.file, tried, tuple(evaluated), (), tuple(drawn))


def verdicts(benchmark: Benchmark, sample: Sample, plan: Plan) -> pd.DataFrame:
    """Return a row for each run that was trained again, and for each choice of trials: how it equals the entry's."""
    here = pd.concat([runs_of(plan, plan.evaluated), runs_of(plan, plan.drawn, drawn=True)], ignore_index=True)
    keys = ["regime", "clip_method", "regularization_method", "seed"]
    pairs = sample.rows.merge(here, on=keys, suffixes=("", "_here"), how="left")
    rows = [_of_run(row, benchmark) for row in pairs.to_dict("records")]
    rows += [_of_choice(name, one, sample.entry, plan) for name, one in plan.tried.items()]
    first = (*plan.evaluated, *plan.drawn)[0]
    made = made_facts(plan.task(first).tables["runs"])
    elsewhere = "; ".join(differences(sample.entry.made, made))
    return pd.DataFrame(rows).assign(study=sample.entry.name, elsewhere=elsewhere)


def _of_run(row: Mapping[object, object], benchmark: Benchmark) -> dict[str, object]:
    margins = {"best_test_accuracy": benchmark.study.margins.test_accuracy}
    margins["best_test_loss"] = benchmark.study.margins.test_loss
    apart = {key: _apart(row[key], row[f"{key}_here"]) for key in RANKED_BY}
    near = row["status"] == row["status_here"] and all(apart[key] <= margins[key] for key in RANKED_BY)
    verdict = IDENTICAL if row["content"] == row["content_here"] else CLOSE if near else DIFFERS
    labels = [str(row[key]) for key in ("clip", "regularization") if row[key] != "none"]
    what = f"{row['regime']}: {' + '.join(labels) or 'the baseline'}, seed {row['seed']}"
    told = ", ".join(f"{key} {row[key]} in the entry, {row[f'{key}_here']} here" for key in RANKED_BY)
    return {"what": what, "verdict": verdict, "told": "" if verdict == IDENTICAL else told}


def _apart(a: object, b: object) -> float:
    one, other = float(str(a)), float(str(b))
    return 0.0 if np.isnan(one) and np.isnan(other) else abs(one - other) if np.isfinite([one, other]).all() else np.inf


def _of_choice(name: str, variant: Variant, entry: Entry, plan: Plan) -> dict[str, object]:
    index, chosen = chosen_trial(variant, store.read(trials_path(plan.folder, variant)))
    found, said = choice_facts(index, chosen), entry.chosen[name]
    told = f"trial {said['trial']} in the entry, {index} here" if found != said else ""
    return {"what": f"{name}: the chosen trial", "verdict": IDENTICAL if found == said else DIFFERS, "told": told}


def chosen_trial(variant: Variant, trial_runs: pd.DataFrame) -> tuple[int, Variant]:
    """Return the number of the trial that a variant's trials choose, and the variant as it is scored there."""
    tried = trials(variant)
    index = best([score(scored(one, trial_runs), metric_of(variant)) for one in tried])
    return index, tried[index]


def told(table: pd.DataFrame) -> str:
    """Return the verdicts as text for a terminal."""
    counts = table["verdict"].value_counts()
    lines = [f"{table['study'].iloc[0]}: {len(table)} of its runs and choices were trained again."]
    lines += [f"{counts.get(verdict, 0):5d} {verdict}" for verdict in (IDENTICAL, CLOSE, DIFFERS)]
    lines += [f"  {row['what']}: {row['verdict']}; {row['told']}" for row in table.to_dict("records") if row["told"]]
    elsewhere = str(table["elsewhere"].iloc[0])
    if elsewhere:
        lines += ["Trained elsewhere than the entry, which is no fault (there -> here):"]
        lines += [f"  {one}" for one in elsewhere.split("; ")]
    return "\n".join(lines)
