"""Train all trials of a variant and write the table of their runs."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.jobs.worker import attempt

attempt(**snakemake.params, table=snakemake.output[0], threads=snakemake.threads)
