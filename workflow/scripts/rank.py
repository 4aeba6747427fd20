"""Rank a method whose trainings are there, and write its entry and its page."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.challenge import outcome
from study.challenge.command import command_of

outcome.write(command_of(snakemake.params.config))
