"""Compare every variant with its baseline, summarise each, rank the methods, and list the regimes."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.analysis.comparisons import compare, summarise
from study.analysis.ranking import rank
from study.analysis.regimes import regime_table
from study.config.study import Study
from study.results import store

runs = store.read(snakemake.input.runs)
store.write(compare(runs, seed=0), snakemake.output.comparisons)
store.write(summarise(runs), snakemake.output.summary)
store.write(rank(runs, seed=0), snakemake.output.ranking)
store.write(regime_table(Study.model_validate_json(snakemake.params.study)), snakemake.output.regimes)
