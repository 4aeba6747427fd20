# One job does the trainings of a pack, one after the other, on one thread. Its output is a stamp alone: the tables are no
# outputs, which Snakemake would delete when the job fails or starts again, so that every training that is whole stays.
rule train:
    input:
        data=lambda w: data_of(pack_of(w).tasks[0].variant.data.name),
        trials=lambda w: [path for one in pack_of(w).tasks for path in trials_of(one.variant)],
    output:
        touch(f"{STAMPS}/{{pack}}"),
    log:
        f"{LOGS}/train/{{pack}}.log",
    threads: 1
    resources:
        mem_mb=scaled(3000),
        runtime=training_minutes,
    # By a function of `threads`, which Snakemake does not compare with its records: a training's folder says what it is.
    params:
        orders=lambda w, threads: [order_of(one) for one in pack_of(w).tasks],
    script:
        "../scripts/train.py"
