# From a configuration to a paper: data -> train -> collect -> analyse -> figures -> report.
import gc

from snakemake.utils import min_version

min_version("9.27")


# The base of an image for sites that run containers (with the packages of locks/study.txt put in); it is
# used only when asked for with --sdm.
container: "docker://python:3.11"


if not workflow.overwrite_configfiles:

    configfile: "config/study.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/packs.smk"
include: "workflow/rules/cluster.smk"
include: "workflow/rules/progress.smk"
include: "workflow/rules/cost.smk"
include: "workflow/rules/stamps.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/trials.smk"
include: "workflow/rules/collect.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/tune.smk"
include: "workflow/rules/answers.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/explorer.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/catalogue.smk"


rule all:
    default_target: True
    input:
        rules.report.output,
        rules.numbers.output,
        rules.figures.input,
        rules.explorer.output,
        # Also what they were made from, so that a deleted result is made again.
        rules.configuration.output,
        stamps(),
        [table_path(name) for name in (*store.TABLES, *TUNING_TABLES, *ANALYSES)],


localrules:
    all,
    figures,


# Last, since it knows all rules.
include: "workflow/rules/targets.smk"


# All that was loaded stays: without this Python looks through it for garbage again and again, the last time at its end.
gc.freeze()
