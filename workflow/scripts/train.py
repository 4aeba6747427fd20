"""Train a pack of trainings, each to five tables of its own."""

import sys

from study.jobs import worker

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
if worker.train_all(snakemake.params.orders, snakemake.threads):
    raise SystemExit(1)
