"""Decide the claims of the study."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from study.analysis.evidence import Evidence
from study.analysis.verdicts import evidence_table, ledger
from study.config.study import Study
from study.results import store

study = Study.model_validate_json(snakemake.params.study)
evidence = Evidence.of(study, store.read_all(snakemake.input.tables))
store.write(ledger(study.claims, evidence, seed=0), snakemake.output.claims)
store.write(evidence_table(study.claims, evidence), snakemake.output.evidence)
