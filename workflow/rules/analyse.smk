# Which differences are real: paired comparisons, and every variant's mean with its interval.
rule analyse:
    input:
        runs=table_path("runs"),
        sources=sources("workflow/scripts/analyse.py"),
    output:
        comparisons=f"{RESULTS}/comparisons.csv",
        summary=f"{RESULTS}/summary.csv",
        ranking=f"{RESULTS}/ranking.csv",
        regimes=f"{RESULTS}/regimes.csv",
    log:
        f"{LOGS}/analyse.log",
    resources:
        **SUMMARY,
    params:
        study=lambda w: STUDY.model_dump_json(),
    script:
        "../scripts/analyse.py"
