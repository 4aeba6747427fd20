# The ledger: each claim that the configuration names, decided by its rule.
rule claims:
    input:
        tables=[table_path(name) for name in ("runs", "epochs", "tensors", "weights", *(["tuning"] if TUNED else []))],
        sources=sources("workflow/scripts/claims.py"),
    output:
        claims=f"{RESULTS}/claims.csv",
        evidence=f"{RESULTS}/evidence.csv",
    log:
        f"{LOGS}/claims.log",
    resources:
        **SUMMARY,
    params:
        study=lambda w: STUDY.model_dump_json(),
        plugins=lambda w: STUDY.plugins,
    script:
        "../scripts/claims.py"


# The hypotheses that the configuration states, each a difference of two cells in some workloads.
rule hypotheses:
    input:
        runs=f"{RESULTS}/runs.parquet",
        sources=sources("workflow/scripts/hypotheses.py"),
    output:
        f"{RESULTS}/hypotheses.csv",
    log:
        f"{LOGS}/hypotheses.log",
    resources:
        **SUMMARY,
    params:
        study=lambda w: STUDY.model_dump_json(),
        plugins=lambda w: STUDY.plugins,
    script:
        "../scripts/hypotheses.py"
