"""Compare what was trained again with the reference."""

import sys
from pathlib import Path

from study.analysis import verification
from study.results import store

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
again = verification.reference([Path(path).parent for path in snakemake.input.again], snakemake.params.seeds)
store.write(verification.verdicts(store.read(snakemake.params.reference), again), snakemake.output[0])
