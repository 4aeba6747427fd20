"""Write the reference that a rerun of a study is compared with."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.analysis import verification
from study.results import store

folders = [Path(path) for path in snakemake.params.folders]
store.write(verification.reference(folders, snakemake.params.seeds), snakemake.output[0])
