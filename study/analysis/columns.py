"""Data dictionary of the tables of analyses: the meaning of every column, in addition to `results.columns`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.analysis.budgets import BUDGETS, ROBUSTNESS
from study.analysis.comparisons import COMPARISONS, SUMMARY
from study.analysis.gains import GAINS, LEADERBOARD
from study.analysis.hypotheses import HYPOTHESES
from study.analysis.profiles import ACROSS, PROFILES
from study.analysis.questions.numbers import ANSWERS
from study.analysis.ranking import RANKING
from study.analysis.regimes import REGIMES
from study.analysis.selection import TUNED, TUNING
from study.analysis.thresholds import THRESHOLDS
from study.analysis.trials import TRIALS
from study.analysis.verdicts import EVIDENCE, LEDGER
from study.results.columns import COUNT, KEYS, RUNS, SHARE, TRAININGS, Column, Table

Meanings = Mapping[str, str]

COMMON: Meanings = {
    "kind": "`clip` or `regularization`.",
    "method": "Name of the method without its parameters.",
    "label": "Label of the method with its parameters.",
    "setting": "Where strengths are tuned: a regime, or a sweep whose points are chosen among too.",
    "family": "`clip`, `regularization` or `combination` against the baseline; `interaction` against additivity.",
    "metric": "Column of `runs` that the numbers are of, in a study scored at the best epoch its `best_` one;"
    " `diverged` is 1 for a run whose status is not `ok`.",
    "baseline": "What the variant is held against.",
    "baseline_regime": "Regime of the baseline, which is tuned likewise.",
    "n": "Number of seeds that the numbers rest on.",
    "n_undefined": "Number of seeds left out since the metric is not finite.",
    "estimate": "Mean difference to the baseline, paired by seed, in the metric's unit.",
    "sd": "Standard deviation of the differences.",
    "mean": "Mean over seeds in the metric's unit.",
    "baseline_mean": "Mean of the baseline over seeds.",
    "low": "Lower end of the 95 % interval.",
    "high": "Upper end of the 95 % interval.",
    "p": "p value of the exact or sampled sign-flip test.",
    "p_adjusted": "p after Holm's method over the comparisons of one family.",
    "superiority": "Share of pairs in which the variant has the greater number, ties half.",
    "runs": "Number of runs.",
    "ok": "Number of runs that ended well.",
    "diverged": "Number of runs with the status `diverged`: not finite, or at chance level.",
    "failed": "Number of runs with the status `failed`, which no run has: 0.",
    "position": "Place in its order, from 0.",
    "validation_loss": "Mean validation loss of the tuning runs.",
    "validation_accuracy": "Mean validation accuracy of the tuning runs.",
    "gap_accuracy": "Mean accuracy gap.",
    "regret": "Test accuracy lost against the candidate that is best on the test set.",
    "claim": "Name of the claim.",
    "contrast": "Name of a contrast that bears on the claim.",
    "settings": "Settings that the row rests on.",
    "strength": "Number by which strengths are ordered.",
}
"""Meanings of columns in any table that does not say otherwise."""

COMPARED: Meanings = {"method": "How interval and p were computed, or why nothing is compared."}
SUMMARISED: Meanings = {"method": "How the interval was computed."}
RANKED: Meanings = {
    "place": "Place by mean rank, from 1.",
    "strengths": "Number of strengths that the method was tried at.",
    "rank": "Mean over seeds of the rank by test accuracy, 1 the best.",
    "rank_low": "Lower end of the rank's 95 % interval.",
    "rank_high": "Upper end of the rank's 95 % interval.",
    "mean": "Mean test accuracy.",
    "p_best": "p value of the difference to the method in first place.",
    "p_best_adjusted": "The same after Holm's method.",
}
OF_REGIMES: Meanings = {
    "part_of": "Sweep that the regime is a point of; empty for a regime by itself.",
    "axis": "Key that the sweep varies.",
    "value": "Value of that key, as text.",
    "number": "Value of that key where it is a number.",
    "position": "Place of the value on its axis, from 0.",
    "setting": "What strengths are tuned in; empty where none are.",
}
OF_TUNING: Meanings = {
    "n": "Number of tuning runs.",
    "validation_se": "Standard error of that loss.",
    "train_loss": "Mean training loss of the tuning runs.",
    "test_n": "Number of evaluation seeds with a test accuracy.",
    "test_loss": "Mean test loss of the evaluation seeds.",
    "test_accuracy": "Mean test accuracy of the evaluation seeds.",
    "rule": "Rule by which a strength is chosen.",
    "chosen": "Whether the rule chooses it.",
    "chosen_by_accuracy": "Whether validation accuracy would choose it.",
    "chosen_by_training": "Whether training loss would choose it.",
    "best_on_test": "Whether it has the best mean test accuracy.",
    "best_on_test_loss": "Whether it has the smallest mean test loss.",
    "regret_loss": "Test loss above that of the candidate with the smallest.",
    "edge": "What of the choice lies at an end of the tried values, as `strength: first of 4`; else empty.",
}
OF_TUNED: Meanings = {
    "superiority_low": "Lower end of the superiority's 95 % interval.",
    "superiority_high": "Upper end of the superiority's 95 % interval.",
    "outperforms": "Verdict by the rule of Bouthillier et al. (2021).",
    "method_of_test": "How interval and p were computed.",
}
OF_PROFILES: Meanings = {
    "regime": "Settings of the group, joined by `; `.",
    "gain": "Gain in test accuracy over the baseline.",
    "share": "Share of runs that gain more.",
}
OF_ACROSS: Meanings = {
    "regime": "Settings of the group, joined by `; `.",
    "settings": "Number of settings.",
    "none_chosen": "Settings in which tuning chose no method, so that its gains are 0.",
    "seeds": "Seeds in each setting.",
    "lost": "Runs without an accuracy.",
    "iqm": "Interquartile mean of the gains in test accuracy.",
    "better": "Settings in which it outperforms the baseline.",
    "worse": "Settings in which the baseline outperforms it.",
}
OF_THRESHOLDS: Meanings = {
    "threshold": "Threshold that tuning chose.",
    "median": "Median gradient norm of the runs without a clip.",
    "percentile": "Share of the unclipped windows whose norm is at most the threshold.",
    "clip_rate": "Share of steps at which the clip fired.",
}
OF_CELLS: Meanings = {
    "regime": "Regime of the cell that the number is of.",
    "clip": "Clip of that cell.",
    "regularization": "Regularizer of that cell.",
}
OF_ANSWERS: Meanings = {
    **OF_CELLS,
    "question": "What is asked.",
    "part": "Group within the question.",
    "by": "How strengths were chosen.",
    "item": "Key of rows that belong together.",
    "baseline_clip": "Clip of the cell that it is held against.",
    "baseline_regularization": "Regularizer of that cell.",
    "metric": "What the number is.",
    "unit": "Unit of the number.",
    "verdict": "`better`, `worse`, `same` or `undecided`, or why nothing is compared.",
}
OF_CLAIMS: Meanings = {
    "statement": "What is claimed.",
    "verdict": "Verdict on the claim.",
    "combine": "Whether all or any of its contrasts must hold.",
    "hypothesis": "What a positive difference means.",
    "expectation": "`increase`, `not_worse` or `same`.",
    "unit": "Words for the unit.",
    "points": "Whether the numbers are shares, to be told in points.",
    "smallest": "Smallest difference that matters.",
    "p_for": "p value for the claim.",
    "p_against": "p value against the claim.",
    "p_for_adjusted": "The first after Holm's method over the claim's contrasts.",
    "p_against_adjusted": "The second likewise.",
    "contrast_verdict": "Verdict on the contrast.",
    "against": "What a contradicted contrast shows.",
    "seeds_to_decide": "Seeds that would decide it.",
    "reached": "What both sides came to.",
    "strengths": "Labels of the methods in the deciding contrasts.",
    "changed": "What was changed of the rule after results had been seen.",
    "notes": "What the verdict is not told without.",
    "where": "Where the values are: table, column, cells.",
    "figure": "Figure that shows it.",
    "method": "How interval and p were computed.",
}
OF_TRIALS: Meanings = {
    "trial": "Number of the trial in its design, from 0.",
    "lr": "Learning rate that was tried.",
    "strengths": "Strengths that were tried, as `method value`.",
    "n": "Number of tuning runs of the trial.",
    "best_validation_loss": "Mean validation loss of the tuning runs at the best validation epoch.",
    "best_validation_accuracy": "The same of the validation accuracy.",
    "test_loss": "Mean test loss of the tuning runs; it chooses nothing.",
    "test_accuracy": "Mean test accuracy of the tuning runs; it chooses nothing.",
    "best_test_loss": "The loss at the best validation epoch.",
    "best_test_accuracy": "The accuracy at the best validation epoch.",
    "metric": "What chooses.",
    "score": "That metric, turned so that more is better.",
    "chosen": "Whether it is the first of the best.",
    "chosen_by_accuracy": "Whether `best_validation_accuracy` would choose it.",
    "edge": "What of the chosen trial lies in the outer tenth of its range.",
}
OF_BUDGETS: Meanings = {
    "budget": "Number of trials.",
    "best_test_accuracy": "Expected test accuracy of the best of so many, at the best validation epoch.",
    "best_test_loss": "Expected test loss of the best of so many, at the best validation epoch.",
}
OF_ROBUSTNESS: Meanings = {
    "trials": "Number of trials.",
    "near": "Share of trials within 1 point of the method's best test accuracy.",
    "decades": "That share of the decades of learning rate that were tried.",
    "diverged": "Share of the tuning runs that diverged.",
    "runs": "Number of tuning runs.",
}
OF_GAINS: Meanings = {
    "kind": "`clip`, `regularization` or `pair`.",
    "metric": "Column of `runs` that is compared.",
    "primary": "Whether that metric was declared to decide.",
    "margin": "Smallest difference that matters.",
    "gain": "How much better it is than the baseline, mean over seeds.",
    "p_gain": "p value of a gain of at most the margin.",
    "p_harm": "p value of a loss of at most the margin.",
    "p_less": "p value of a gain of at least the margin.",
    "p_gain_adjusted": "The first after Holm's method over the methods of a workload and kind.",
    "p_harm_adjusted": "The second likewise.",
    "p_less_adjusted": "The third likewise.",
    "verdict": "`supported`, `harm`, `no gain found`, `undecided` or `not tested`.",
    "copy_of": "Cell with the very same runs, which is counted in its place.",
}
OF_LEADERBOARD: Meanings = {
    "place": "Place by mean rank, from 1.",
    "metric": "What methods are ranked by.",
    "workloads": "Number of workloads that have the method.",
    "mean_rank": "Mean over workloads of the rank by that metric, from 0, the best there, to 1, the last.",
    "supported": "Workloads in which it gains more than the margin.",
    "harm": "Workloads in which it loses more than the margin.",
    "no gain found": "Workloads in which it gains less than the margin.",
    "undecided": "Workloads in which that is undecided.",
    "not tested": "Workloads in which nothing could be compared.",
    "gain": "Mean gain over the workloads.",
}
OF_HYPOTHESES: Meanings = {
    **OF_GAINS,
    "hypothesis": "Name of the hypothesis.",
    "statement": "What it says.",
    "claim": "What in the literature it bears on.",
    "against_clip": "Clip of the cell that it is held against.",
    "against_regularization": "Regularizer of that cell.",
    "against_mean": "Mean of that cell over seeds.",
    "gain": "How much better the one cell is than the other, mean over seeds.",
    "p_gain_adjusted": "The first p value after Holm's method over all rows of the study.",
    "of_all": "Verdict of the hypothesis: `harm` if any workload shows it, else what all workloads agree in.",
}
OF_EVIDENCE: Meanings = {**OF_CELLS, "quantity": "Table, and what of it.", "weight": "Weight in the difference."} | {
    "value": "Value of the quantity."
}


def _table(name: str, row: str, names: Sequence[str], own: Meanings) -> Table:
    known = {column.name: column for column in (*RUNS.columns, *KEYS)}
    return Table(f"{name}.csv", row, tuple(_column(one, own, known) for one in names))


def _column(name: str, own: Meanings, known: Mapping[str, Column]) -> Column:
    """Return a column of an analysis, by its table's meaning, else by the common one, else by that of `runs`."""
    title = name.replace("_", " ")
    if name not in own and name not in COMMON and name in known:
        return known[name]
    meaning = own.get(name) or COMMON.get(name, "")
    return Column(name, title, meaning, UNITS.get(name, Column(name, title, meaning).unit))


UNITS = {"n": COUNT, "n_undefined": COUNT, "runs": COUNT, "ok": COUNT, "diverged": COUNT, "failed": COUNT} | {
    "superiority": SHARE
}

ANALYSES: Mapping[str, Table] = {
    name: _table(name, row, names, own)
    for name, row, names, own in (
        ("comparisons", "a variant and a metric, against its baseline", COMPARISONS, COMPARED),
        ("summary", "a variant and a metric", SUMMARY, SUMMARISED),
        ("ranking", "a method of a regime, at the strength that validates best", RANKING, RANKED),
        ("regimes", "a regime and a key that its sweep varies", REGIMES, OF_REGIMES),
        ("tuning", "a candidate of a method", TUNING, OF_TUNING),
        ("tuned", "a method at its chosen strength, and a metric", TUNED, OF_TUNED),
        ("profiles", "a group of settings, a method and a gain", PROFILES, OF_PROFILES),
        ("across", "a group of settings and a method", ACROSS, OF_ACROSS),
        ("thresholds", "a clip by the global norm that tuning chose", THRESHOLDS, OF_THRESHOLDS),
        ("answers", "a number that an answer of the report is made of", ANSWERS, OF_ANSWERS),
        ("claims", "a contrast of a claim", LEDGER, OF_CLAIMS),
        ("trials", "a trial of a method", TRIALS, OF_TRIALS),
        ("budgets", "a method and a number of trials", BUDGETS, OF_BUDGETS),
        ("robustness", "a method of a workload", ROBUSTNESS, OF_ROBUSTNESS),
        ("gains", "a method of a workload and a metric, against the baseline", GAINS, OF_GAINS),
        ("leaderboard", "a method, over all workloads", LEADERBOARD, OF_LEADERBOARD),
        ("hypotheses", "a hypothesis in a workload", HYPOTHESES, OF_HYPOTHESES),
        ("evidence", "a value that a contrast is taken from", EVIDENCE, OF_EVIDENCE),
    )
}
"""The tables of analyses, by name."""

DICTIONARY: Mapping[str, Table] = {**TRAININGS, **ANALYSES}
"""Every table of a study, by name."""
