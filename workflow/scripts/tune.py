"""Choose each method's strength, compare the chosen with the baseline tuned likewise, and look across settings."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.analysis import profiles
from study.analysis.selection import choose, compare_tuned
from study.analysis.thresholds import thresholds
from study.config.study import Study
from study.results import own_metrics, store

study = Study.model_validate_json(snakemake.params.study)
runs = store.read(snakemake.input.runs)
tried = store.read(snakemake.input.tuning_runs)
by_metric = choose(own_metrics.by_metric(tried, study), runs, study)
tuning = own_metrics.chosen_by(choose(tried, runs, study), by_metric)
tuned, groups = compare_tuned(tuning, runs, seed=0), list(profiles.groups(tuning, runs))
store.write(tuning, snakemake.output.tuning)
store.write(tuned, snakemake.output.tuned)
store.write(profiles.profiles(groups, seed=0), snakemake.output.profiles)
store.write(profiles.across(groups, tuned, seed=0), snakemake.output.across)
store.write(thresholds(tuning, runs, store.read(snakemake.input.steps)), snakemake.output.thresholds)
