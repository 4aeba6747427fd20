"""Compare what was trained again with the reference."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.analysis import verification
from study.results import store

reference = store.read(snakemake.params.reference)
folders, covered = [Path(path).parent for path in snakemake.input.again], verification.columns_of(reference)
again = verification.reference(folders, snakemake.params.seeds, covered)
store.write(verification.verdicts(reference, again), snakemake.output[0])
