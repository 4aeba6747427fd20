"""Draw and write the catalogue of every registered method."""

import sys
from pathlib import Path

from study import plugins
from study.gallery import page

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
plugins.load(snakemake.params.plugins)
page.render(Path(snakemake.params.folder))
