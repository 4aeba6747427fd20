"""Write the reference that a rerun of a study is compared with."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.analysis import verification
from study.results import store

<<<<<<< HEAD
sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
folders = [Path(path) for path in snakemake.params.folders]
=======
folders = [Path(path).parent for path in snakemake.input.evaluated]
>>>>>>> main
store.write(verification.reference(folders, snakemake.params.seeds), snakemake.output[0])
