# All runs of the study in one table of each kind.
rule collect:
    input:
        lambda w: [path for blocks in trained(w.table) for path in blocks],
    output:
        f"{RESULTS}/{{table}}.parquet",
    log:
        f"{LOGS}/collect/{{table}}.log",
    params:
        blocks=lambda w: trained(w.table),
        seeds=STUDY.seeds,
    script:
        "../scripts/collect.py"
