# One job trains all trials of a method in a regime; which of them it takes, and whether that lies at an edge.
rule attempt:
    input:
        data=lambda w: data_of(TRIED[w.regime, w.variant].data.name),
    output:
        f"{RESULTS}/trials/{{regime}}/{{variant}}/trials.parquet",
    log:
        f"{LOGS}/trials/{{regime}}/{{variant}}.log",
    threads: 1
    resources:
        mem_mb=scaled(3000),
        runtime=training_minutes,
    params:
        study=lambda w, threads: STUDY.name,
        spec=lambda w, threads: TRIED[w.regime, w.variant].model_dump_json(),
        code=lambda w, threads: code_digest.fingerprint(TRIED[w.regime, w.variant]),
        plugins=lambda w, threads: plugins_of(TRIED[w.regime, w.variant]),
        folder=lambda w, threads: os.fspath(TRIED[w.regime, w.variant].data.folder),
    script:
        "../scripts/attempt.py"


rule trials:
    input:
        runs=f"{RESULTS}/trial_runs.parquet",
        sources=sources("workflow/scripts/trials.py"),
    output:
        trials=f"{RESULTS}/trials.csv",
        budgets=f"{RESULTS}/budgets.csv",
        robustness=f"{RESULTS}/robustness.csv",
    log:
        f"{LOGS}/trials.log",
    resources:
        **SUMMARY,
    params:
        study=lambda w: STUDY.model_dump_json(),
        plugins=lambda w: STUDY.plugins,
    script:
        "../scripts/trials.py"


# What each method gains over the baseline, both as their trials chose, and the order of all over the workloads.
rule gains:
    input:
        runs=f"{RESULTS}/runs.parquet",
        sources=sources("workflow/scripts/gains.py"),
    output:
        gains=f"{RESULTS}/gains.csv",
        leaderboard=f"{RESULTS}/leaderboard.csv",
    log:
        f"{LOGS}/gains.log",
    resources:
        **SUMMARY,
    params:
        study=lambda w: STUDY.model_dump_json(),
        plugins=lambda w: STUDY.plugins,
    script:
        "../scripts/gains.py"
