# Where the runs come from, what a rerun must equal, and `make verify`: cells trained once more and compared with that.
REFERENCE = f"{PAPER}/reference/runs.parquet"


rule provenance:
    input:
        stamps=stamps(TRAINED),
        trials=[trials_path(key) for key in TRIED],
        sources=sources("workflow/scripts/provenance.py"),
        record=RECORD,
    output:
        f"{RESULTS}/provenance.csv",
    log:
        f"{LOGS}/provenance.log",
    resources:
        **SUMMARY,
    params:
        evaluated=lambda w: [path for blocks in trained("runs") for path in blocks],
        tuning=lambda w: [path for blocks in [*trained("runs", TUNED), *collected("trial_runs")] for path in blocks],
        seeds=STUDY.seeds,
    script:
        "../scripts/provenance.py"


# Written when it is asked for by name: what reruns are compared with must not follow them.
rule reference:
    input:
        stamps=stamps(),
        sources=sources("workflow/scripts/reference.py"),
        record=RECORD,
    output:
        REFERENCE,
    log:
        f"{LOGS}/reference.log",
    resources:
        **SUMMARY,
    params:
        folders=[os.fspath(one.folder) for key in VARIANTS for one in TASKS[key]],
        seeds=STUDY.seeds,
    script:
        "../scripts/reference.py"


rule retrain:
    input:
        data=lambda w: data_of(variant_of(w).data.name),
        trials=lambda w: trials_of(variant_of(w)),
    output:
        **{table: f"{AGAIN}/{{regime}}/{{variant}}/{{seeds}}/{table}.parquet" for table in store.TABLES},
    log:
        f"{LOGS}/verify/jobs/{{regime}}/{{variant}}/{{seeds}}.log",
    threads: 1
    resources:
        mem_mb=scaled(3000),
        runtime=training_minutes,
    params:
        orders=lambda w, threads: [order_of(again(w))],
    script:
        "../scripts/train.py"


rule verify:
    input:
        again=sampled,
        sources=sources("workflow/scripts/verify.py"),
    output:
        f"{AGAIN}/{{cells}}-cells-seed-{{seed}}.csv",
    log:
        f"{LOGS}/verify/{{cells}}-cells-seed-{{seed}}.log",
    wildcard_constraints:
        cells=r"[1-9]\d*|all",
        seed=r"\d+",
    resources:
        **SUMMARY,
    params:
        # No input: it is kept with the paper, and must not be made anew to be compared with.
        reference=REFERENCE,
        seeds=STUDY.seeds,
    script:
        "../scripts/verify.py"
