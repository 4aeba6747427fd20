"""Tell which trial each method takes, which lie at an edge of what was tried, and what fewer trials would find."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.analysis.budgets import budgets, robustness
from study.analysis.trials import trial_table, wider
from study.config.study import Study
from study.methods import plugins
from study.results import store

plugins.load(snakemake.params.plugins)
study = Study.model_validate_json(snakemake.params.study)
table = trial_table(store.read(snakemake.input.runs), study)
store.write(table, snakemake.output.trials)
store.write(budgets(table), snakemake.output.budgets)
store.write(robustness(table, study), snakemake.output.robustness)
print("\n".join(wider(table)), file=sys.__stderr__)
