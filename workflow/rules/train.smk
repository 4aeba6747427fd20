# One job trains a block of seeds of one variant together, on one thread.
rule train:
    input:
        data=lambda w: data_of(variant_of(w).data.name),
    output:
        **{table: f"{RESULTS}/runs/{{regime}}/{{variant}}/{{seeds}}/{table}.parquet" for table in store.TABLES},
    log:
        f"{LOGS}/train/{{regime}}/{{variant}}/{{seeds}}.log",
    threads: 1
    resources:
        mem_mb=scaled(3000),
        runtime=training_minutes,
    params:
        study=STUDY.name,
        spec=lambda w: variant_of(w).model_dump_json(),
        # As digests: files as inputs would be looked up, hashed and recorded for each job anew.
        code=lambda w: code_digest.fingerprint(variant_of(w)),
        plugins=lambda w: plugins_of(variant_of(w)),
        folder=lambda w: f"data/{variant_of(w).data.name}",
    script:
        "../scripts/train.py"
