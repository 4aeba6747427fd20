# One job trains a block of seeds of one variant together, on one thread.
ENGINE = [
    f"study/{module}.py"
    for module in (
        *("batches", "evaluation", "gradients", "journal", "losses", "models", "optimizers", "probes"),
        *("records", "replicates", "seeds", "training", "clipping/base", "regularization/base"),
        *("data/digits", "data/idx", "data/splits"),
    )
]


def variant_of(wildcards):
    return VARIANTS[wildcards.regime, wildcards.variant]


def sources(wildcards):
    """The code that a training runs: an edit elsewhere, or to another method, trains nothing again."""
    variant = variant_of(wildcards)
    return [*ENGINE, source_of(variant.clip), *map(source_of, variant.regularization)]


rule train:
    input:
        data=lambda w: data_of(variant_of(w).data.name),
        sources=sources,
    output:
        **{
            table: f"{RESULTS}/runs/{{regime}}/{{variant}}/{{seeds}}/{table}.parquet"
            for table in store.TABLES
        },
    params:
        study=STUDY.name,
        spec=lambda w: variant_of(w).model_dump_json(),
        folder=lambda w: f"data/{variant_of(w).data.name}",
    log:
        f"{LOGS}/train/{{regime}}/{{variant}}/{{seeds}}.log",
    threads: 1
    resources:
        mem_mb=2000,
    script:
        "../scripts/train.py"
