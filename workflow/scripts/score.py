"""Score each run at the epoch that the study asks for, and tell when it reached the target."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.results import scores, store

runs = scores.scored(store.read(snakemake.input.runs), snakemake.params.scored_at)
if snakemake.input.epochs:
    runs = scores.with_target(runs, store.read(snakemake.input.epochs), snakemake.params.target)
store.write(runs, snakemake.output[0])
