"""Hold the runs of an entry that were trained again against it."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.challenge import rerun
from study.challenge.command import command_of
from study.results import store

command = command_of(snakemake.params.config)
store.write(rerun.verdicts(command.benchmark, command.sample, command.plan), snakemake.output[0])
