# Runs as the study asks to have them analysed: by the scores of another epoch, or with what a target cost them.
rule score:
    input:
        runs=f"{RESULTS}/{{scored_table}}.parquet",
        epochs=lambda w: f"{RESULTS}/epochs.parquet" if STUDY.target and w.scored_table == "runs" else [],
        sources=sources("workflow/scripts/score.py"),
    output:
        f"{RESULTS}/scored/{{scored_table}}.parquet",
    log:
        f"{LOGS}/score/{{scored_table}}.log",
    wildcard_constraints:
        scored_table="|".join(SCORED),
    localrule: True
    params:
        scored_at=STUDY.scored_epoch,
        target=STUDY.target,
    script:
        "../scripts/score.py"
