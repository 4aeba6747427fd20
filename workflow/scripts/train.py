"""Train a block of seeds of one variant and write its five tables."""

import sys
from pathlib import Path

import torch

from study import blame, memory, plugins, provenance, records, replicates, store
from study.data import load
from study.variants import Block, Variant

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
torch.set_num_threads(snakemake.threads)
memory.keep_freed()
plugins.load(snakemake.params.plugins)
variant = Variant.model_validate_json(snakemake.params.spec)
made = provenance.Provenance.of(variant, snakemake.input.sources).text
digits = load(variant.data.name, Path(snakemake.params.folder))
seeds = Block.parse(snakemake.wildcards.seeds).seeds
with blame.named(variant, len(seeds)) as report:
    trained = replicates.train(variant, seeds, digits, report)
store.write_all(records.tidy(snakemake.params.study, trained), dict(snakemake.output.items()), made)
