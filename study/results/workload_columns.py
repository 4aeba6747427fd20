"""Data dictionary of the columns that one workload alone has, after those of every training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from study.results.columns import COUNT, POINTS, SHARE, Column

SAMPLES = (
    Column(
        "frechet_distance",
        "Fréchet distance",
        "Fréchet distance of the generated digits from the validation digits, on features of the shipped classifier; of"
        " as many real digits from others it is about 1.1.",
        better=-1,
        metric=True,
    ),
    Column(
        "density",
        "density",
        "Mean number of neighbourhoods of validation digits that a generated digit lies in, over five.",
        better=1,
        metric=True,
    ),
    Column(
        "coverage",
        "coverage",
        "Share of validation digits with a generated one nearer than their fifth nearest among them.",
        SHARE,
        better=1,
        metric=True,
    ),
    Column(
        "digit_distance",
        "distance of the digits",
        "Total variation distance between the histograms of generated and of validation digits, as classified.",
        SHARE,
        better=-1,
        metric=True,
    ),
    Column("digits_shown", "digits shown", "How many digits are at least 1 % of the generated ones.", COUNT, 1, True),
    Column(
        "discriminator_auc",
        "discriminator's AUC",
        "Probability that the discriminator's logit of a validation digit is above that of a generated one.",
        SHARE,
        metric=True,
    ),
    Column(
        "discriminator_gap",
        "discriminator's gap",
        "The same of training digits minus that of validation digits: what the discriminator knows by heart.",
        POINTS,
        better=-1,
        metric=True,
    ),
)
"""What is noted of the players of an adversarial training."""

WORKLOADS: Mapping[str, Mapping[str, tuple[Column, ...]]] = {
    "adversarial": {
        "runs": (
            *(replace(one, meaning=f"{one.meaning[:-1]}, at the last epoch.") for one in SAMPLES),
            Column(
                "collapsed",
                "collapsed",
                "1 if at the last epoch `digit_distance` is at least a half, or `coverage` is at most half of that of"
                " the best epoch, or the samples are not finite; else 0.",
                SHARE,
                better=-1,
                metric=True,
            ),
        ),
        "epochs": tuple(replace(one, metric=False) for one in SAMPLES),
    },
    "dp_sgd": {
        "runs": (
            Column(
                "epsilon",
                "epsilon",
                "Differential privacy of a training digit at the workload's `delta`; `inf` without noise.",
                better=-1,
            ),
        ),
        "epochs": (
            Column("drawn", "digits a step", "Mean number of digits that a step of the epoch drew."),
            Column("noise_std", "noise", "Standard deviation of the noise on each entry of the mean gradient."),
            Column("epsilon", "epsilon", "Differential privacy after the epoch, as in `runs`.", better=-1),
        ),
    },
    "federated": {
        "runs": (
            Column("client_cosine", "cosine between clients", "Mean over rounds of `client_cosine` in `epochs`."),
            Column("client_drift", "client drift", "Mean over rounds of `client_drift` in `epochs`."),
            Column("update_norm", "norm of updates", "Mean over rounds of `update_norm` in `epochs`."),
            Column("update_clipped", "updates clipped", "Mean over rounds of `update_clipped` in `epochs`.", SHARE),
            Column(
                "rounds_to_target",
                "rounds to target",
                "Rounds until the best validation accuracy so far reaches the workload's `target`, between rounds by a"
                " straight line; empty if it never does.",
                better=-1,
                metric=True,
            ),
            Column(
                "fall",
                "fall from the best",
                "Validation accuracy of the best round minus that of the last.",
                SHARE,
                better=-1,
                metric=True,
            ),
            Column(
                "collapsed",
                "collapsed",
                "1 if the last validation accuracy is at most half of the best, else 0.",
                SHARE,
                better=-1,
                metric=True,
            ),
            Column(
                "epsilon",
                "epsilon",
                "Differential privacy, at the workload's `delta`, of the client that was drawn most often, for whom the"
                " draws are no secret; `inf` without noise.",
                better=-1,
            ),
        ),
        "epochs": (
            Column("update_norm", "norm of updates", "Mean norm of the clients' updates of the round, before a clip."),
            Column("update_norm_max", "largest update", "Largest norm of the clients' updates of the round."),
            Column("update_clipped", "updates clipped", "Share of the updates that a clip changed.", SHARE),
            Column("update_bound", "bound of updates", "Norm that no clipped update exceeds; empty if there is none."),
            Column("update_noise", "noise on updates", "Standard deviation of the noise on each entry of their mean."),
            Column("client_cosine", "cosine between clients", "Mean cosine between the updates of two clients."),
            Column(
                "client_drift",
                "client drift",
                "Mean distance of an update from the mean update, over the norm of the mean.",
            ),
            Column("server_step", "server's step", "Norm of the change of the server's parameters."),
            Column("most_drawn", "most rounds of a client", "Rounds so far of the client drawn most often.", COUNT),
        ),
    },
}
"""Columns by workload, then by table."""
