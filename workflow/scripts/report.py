"""Fill the report's source with what was computed, and render it in each form."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.config.study import Study
from study.report import render
from study.results import store

study, folder = Study.model_validate_json(snakemake.params.study), Path(snakemake.params.folder)
render.render(
    source=Path(snakemake.input.source),
    study=study,
    tables=store.read_all(snakemake.input.tables),
    captions={Path(path).stem: Path(path).read_text(encoding="utf-8") for path in snakemake.input.captions},
    folder=folder,
    lock=snakemake.params.lock,
)
