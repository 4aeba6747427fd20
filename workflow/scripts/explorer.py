"""Make the page by which a study is looked at."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.explorer import build, page
from study.explorer.payload import payload
from study.results import store

configuration, blocks = Path(snakemake.input.configuration[0]), [Path(path) for path in snakemake.params.blocks]
study = build.study_of(snakemake.params.study, store.read_all(snakemake.input.tables), configuration, blocks)
page.write(payload([study]), Path(snakemake.output[0]))
