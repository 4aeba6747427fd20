"""Train a block of seeds of one variant and write its five tables."""

import gc
import sys
from pathlib import Path

import torch

from study import blame, jobs, memory, plugins
from study.variants import Block, Variant

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
torch.set_num_threads(snakemake.threads)
memory.keep_freed()
plugins.load(snakemake.params.plugins)
variant = Variant.model_validate_json(snakemake.params.spec)
block = Block.parse(snakemake.wildcards.seeds)
data, tables = Path(snakemake.params.folder), dict(snakemake.output.items())
gc.freeze()  # all that was loaded stays: looking through it for garbage takes a twentieth of a training
with blame.named(variant, len(block.seeds)) as report:
    jobs.train(snakemake.params.study, variant, block, data, tables, report)
gc.freeze()  # what is there ends with the process: looking through it for garbage takes a second
