"""Write the configuration that a study was made by, with what the command line changed, as one file."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

import json
from pathlib import Path

import yaml

text = yaml.safe_dump(json.loads(snakemake.params.config), sort_keys=False, allow_unicode=True, width=120)
Path(snakemake.output[0]).write_text(text, encoding="utf-8")
