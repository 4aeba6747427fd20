"""Put one table of all trainings together."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.results import store

blocks = [[Path(path) for path in paths] for paths in snakemake.params.blocks]
store.collect(blocks, snakemake.params.seeds, Path(snakemake.output[0]))
