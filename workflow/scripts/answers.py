"""Compute the numbers that answers to users' questions are made of."""

import sys

from study.analysis.questions import answers
from study.results import store

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
store.write(answers(snakemake.params.study, store.read_all(snakemake.input.tables)), snakemake.output[0])
