"""Write where the runs of a study come from, and the reference that a rerun is compared with."""

import sys
from pathlib import Path

import pandas as pd

from study.analysis import verification
from study.results import provenance, store

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
folders = [Path(path).parent for path in snakemake.input.evaluated]
reference = verification.reference(folders, snakemake.params.seeds)
runs = [reference, *(provenance.runs_of(path) for path in snakemake.input.tuning)]
store.write(provenance.provenance_table(pd.concat(runs)), snakemake.output.provenance)
store.write(reference, snakemake.output.reference)
