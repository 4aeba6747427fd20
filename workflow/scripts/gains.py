"""Decide the gain of each method over the baseline, and order the methods over all workloads."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.analysis.gains import gains, leaderboard
from study.config.study import Study
from study.methods import plugins
from study.results import store

plugins.load(snakemake.params.plugins)
study, runs = Study.model_validate_json(snakemake.params.study), store.read(snakemake.input.runs)
runs = runs[runs["regime"].isin(study.tried_regimes)]
found = gains(runs, study, seed=0)
store.write(found, snakemake.output.gains)
store.write(leaderboard(runs, found, study, seed=0), snakemake.output.leaderboard)
