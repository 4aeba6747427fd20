# One job trains a block of seeds of one variant together, on one thread.
rule train:
    input:
        data=lambda w: data_of(variant_of(w).data.name),
        trials=lambda w: trials_of(variant_of(w)),
    output:
        **{table: f"{RESULTS}/runs/{{regime}}/{{variant}}/{{seeds}}/{table}.parquet" for table in store.TABLES},
    log:
        f"{LOGS}/train/{{regime}}/{{variant}}/{{seeds}}.log",
    threads: 1
    resources:
        mem_mb=scaled(3000),
        runtime=training_minutes,
    # By functions of `threads`, which Snakemake does not compare with its records: a training's folder says what it is.
    params:
        study=lambda w, threads: STUDY.name,
        spec=lambda w, threads: variant_of(w).model_dump_json(),
        code=lambda w, threads: code_digest.fingerprint(variant_of(w)),
        plugins=lambda w, threads: plugins_of(variant_of(w)),
        folder=lambda w, threads: f"data/{variant_of(w).data.name}",
    script:
        "../scripts/train.py"
