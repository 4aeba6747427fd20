"""Decide the hypotheses of the study."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.analysis.hypotheses import hypotheses
from study.config.study import Study
from study.methods import plugins
from study.results import store

plugins.load(snakemake.params.plugins)
study = Study.model_validate_json(snakemake.params.study)
store.write(hypotheses(store.read(snakemake.input.runs), study, seed=0), snakemake.output[0])
