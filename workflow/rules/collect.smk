# All runs of the study in one table of each kind, and those of the tuning in a table of their own.
rule collect:
    input:
        stamps=lambda w: stamps(TUNED if w.table == "tuning_runs" else VARIANTS),
        sources=sources("workflow/scripts/collect.py"),
        record=RECORD,
    output:
        f"{RESULTS}/{{table}}.parquet",
    log:
        f"{LOGS}/collect/{{table}}.log",
    localrule: True  # seconds, whatever the size of the study in memory: less than a cluster's queue
    params:
        blocks=lambda w: collected(w.table),
        seeds=lambda w: sorted(TUNING_SEEDS) if w.table == "tuning_runs" else STUDY.seeds,
    script:
        "../scripts/collect.py"
