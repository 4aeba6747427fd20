"""Write where the runs of a study come from."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

import pandas as pd

from study.results import provenance, store

evaluated = pd.concat([provenance.runs_of(path) for path in snakemake.params.evaluated])
evaluated = evaluated[evaluated["seed"].isin(snakemake.params.seeds)]
runs = [evaluated, *(provenance.runs_of(path) for path in snakemake.params.tuning)]
store.write(provenance.provenance_table(pd.concat(runs)), snakemake.output[0])
