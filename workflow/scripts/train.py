"""Train a block of seeds of one variant and write its five tables."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

import gc
from pathlib import Path

import torch

from study.config.variants import Block, Variant
from study.jobs import failure, job
from study.jobs.trials import resolved
from study.methods import plugins
from study.utils import malloc

torch.set_num_threads(snakemake.threads)
malloc.keep_freed()
plugins.load(snakemake.params.plugins)
variant = Variant.model_validate_json(snakemake.params.spec)
block = Block.parse(snakemake.wildcards.seeds)
data, tables = Path(snakemake.params.folder), dict(snakemake.output.items())
gc.freeze()  # all that was loaded stays: looking through it for garbage takes a twentieth of a training
with failure.named(variant, len(block.seeds)) as report:
    chosen = resolved(variant, snakemake.input.get("trials"))
    job.train(snakemake.params.study, chosen, block, data, tables, report, code=snakemake.params.code, named=variant)
gc.freeze()  # what is there ends with the process: looking through it for garbage takes a second
