# Which strength each method takes: chosen by validation loss with seeds of its own, and what it is worth on the test set.
rule tune:
    input:
        tuning_runs=table_path("tuning_runs"),
        runs=table_path("runs"),
        steps=f"{RESULTS}/steps.parquet",
        sources=sources("workflow/scripts/tune.py"),
    output:
        tuning=f"{RESULTS}/tuning.csv",
        tuned=f"{RESULTS}/tuned.csv",
        profiles=f"{RESULTS}/profiles.csv",
        across=f"{RESULTS}/across.csv",
        thresholds=f"{RESULTS}/thresholds.csv",
    log:
        f"{LOGS}/tune.log",
    resources:
        **SUMMARY,
    params:
        study=lambda w: STUDY.model_dump_json(),
    script:
        "../scripts/tune.py"
