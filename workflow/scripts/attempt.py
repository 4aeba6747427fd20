"""Train all trials of a variant and write the table of their runs."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

import gc
from pathlib import Path

import torch

from study.config.variants import Variant
from study.jobs import failure
from study.jobs.trials import train_trials
from study.methods import plugins
from study.utils import malloc

torch.set_num_threads(snakemake.threads)
malloc.keep_freed()
plugins.load(snakemake.params.plugins)
variant = Variant.model_validate_json(snakemake.params.spec)
data, table = Path(snakemake.params.folder), Path(snakemake.output[0])
gc.freeze()  # all that was loaded stays: looking through it for garbage takes a twentieth of a training
with failure.report_failure(variant, len(variant.tuned.seeds)) as report:
    train_trials(snakemake.params.study, variant, data, table, report, code=snakemake.params.code)
gc.freeze()  # what is there ends with the process: looking through it for garbage takes a second
