"""Write the study's numbers as LaTeX macros."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.report import numbers
from study.results import store

numbers.save(numbers.numbers(store.read_all(snakemake.input.tables)), Path(snakemake.output[0]))
