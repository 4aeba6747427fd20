"""Compare every variant with its baseline, summarise each, and rank the methods."""

import sys

from study import store
from study.analysis import compare, rank, summarise

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
runs = store.read(snakemake.input.runs)
store.write(compare(runs, seed=0), snakemake.output.comparisons)
store.write(summarise(runs, seed=0), snakemake.output.summary)
store.write(rank(runs, seed=0), snakemake.output.ranking)
