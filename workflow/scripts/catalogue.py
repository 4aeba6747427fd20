"""Draw and write the catalogue of every registered method."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.catalogue import page
from study.methods import plugins

plugins.load(snakemake.params.plugins)
page.render(Path(snakemake.params.folder))
