"""Choose each method's strength, and compare the chosen with the baseline tuned likewise."""

import sys

from study import store
from study.analysis.tuning import choose, compare_tuned
from study.config import Study

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115
study = Study.model_validate_json(snakemake.params.study)
runs = store.read(snakemake.input.runs)
tuning = choose(store.read(snakemake.input.tuning_runs), runs, study)
store.write(tuning, snakemake.output.tuning)
store.write(compare_tuned(tuning, runs, seed=0), snakemake.output.tuned)
