"""Train a block of seeds of one variant and write its five tables."""

import gc
import sys
from pathlib import Path

import torch

from study import plugins, records, replicates, store
from study.data import load
from study.variants import Block, Variant

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
torch.set_num_threads(snakemake.threads)
plugins.load(snakemake.params.plugins)
variant = Variant.model_validate_json(snakemake.params.spec)
seeds, digits = Block.parse(snakemake.wildcards.seeds).seeds, load(variant.data.name, Path(snakemake.params.folder))
trained = replicates.train(variant, seeds, digits, report=lambda line: print(line, file=sys.stderr))
for name, table in records.tidy(snakemake.params.study, trained).items():
    store.write(table, snakemake.output[name])
gc.freeze()  # what is there ends with the process: looking through it for garbage takes a second
