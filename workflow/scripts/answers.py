"""Compute the numbers that answers to users' questions are made of."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.analysis.questions import answers
from study.results import store

store.write(answers(snakemake.params.study, store.read_all(snakemake.input.tables)), snakemake.output[0])
