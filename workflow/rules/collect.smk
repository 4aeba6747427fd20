# All runs of the study in one table of each kind, and those of the tuning in a table of their own.
rule collect:
    input:
        trained=lambda w: behind(w.table),
        sources=sources("workflow/scripts/collect.py"),
        record=RECORD,
    output:
        f"{RESULTS}/{{table}}.parquet",
    log:
        f"{LOGS}/collect/{{table}}.log",
    localrule: True  # seconds, whatever the size of the study in memory: less than a cluster's queue
    params:
        blocks=lambda w: collected(w.table),
        seeds=lambda w: sorted(TUNING_SEEDS) if w.table in ("tuning_runs", "trial_runs") else STUDY.seeds,
    script:
        "../scripts/collect.py"
