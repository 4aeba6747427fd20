"""Compare every variant with its baseline, summarise each, rank the methods, and list the regimes."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.analysis.comparisons import METRICS, compare, summarise
from study.analysis.ranking import rank
from study.analysis.regimes import regime_table
from study.config.study import Study
from study.results import own_metrics, store

runs = store.read(snakemake.input.runs)
study = Study.model_validate_json(snakemake.params.study)
metrics = (*METRICS, *own_metrics.compared(study))
store.write(own_metrics.where_measured(compare(runs, 0, metrics), study), snakemake.output.comparisons)
store.write(own_metrics.where_measured(summarise(runs, metrics), study), snakemake.output.summary)
store.write(rank(runs, seed=0), snakemake.output.ranking)
store.write(regime_table(study), snakemake.output.regimes)
