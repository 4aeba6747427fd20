"""Make the tables of the paper."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.report.tables import TABLES, save
from study.results import store

tables = store.read_all(snakemake.input.tables)
for name, make in TABLES.items():
    save(make(tables), Path(snakemake.params.folder, name))
