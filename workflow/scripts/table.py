"""Make one table of the paper."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.report.tables import TABLES, save
from study.results import store

tables = store.read_all(snakemake.input.tables)
save(TABLES[snakemake.wildcards.paper_table](tables), Path(snakemake.output.csv).with_suffix(""))
