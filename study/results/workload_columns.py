"""Data dictionary of the columns that one workload alone has, after those of every training."""

from __future__ import annotations

from collections.abc import Mapping

from study.results.columns import COUNT, SHARE, Column

WORKLOADS: Mapping[str, Mapping[str, tuple[Column, ...]]] = {
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
