"""Train a pack of trainings, each to five tables of its own."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.jobs import worker

if worker.train_all(snakemake.params.orders, snakemake.threads):
    raise SystemExit(1)
