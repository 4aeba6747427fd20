# Which strength each method takes: chosen by validation loss with seeds of its own, and what it is worth on the test set.
rule tune:
    input:
        tuning_runs=f"{RESULTS}/tuning_runs.parquet",
        runs=f"{RESULTS}/runs.parquet",
        sources=["study/tuning.py", "study/analysis/statistics.py", "study/analysis/tuning.py"],
    output:
        tuning=f"{RESULTS}/tuning.csv",
        tuned=f"{RESULTS}/tuned.csv",
    log:
        f"{LOGS}/tune.log",
    params:
        study=STUDY.model_dump_json(),
    script:
        "../scripts/tune.py"
