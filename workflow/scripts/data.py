"""Make the files of a data set present and verified, and leave a stamp that says so."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.data.fetch import fetch

folder = Path(snakemake.params.folder)
files = fetch(snakemake.wildcards.name, folder, say=lambda line: print(line, file=sys.__stderr__))
Path(snakemake.output.stamp).write_text("\n".join(map(str, files)) + "\n")
