# The numbers behind the answers to what users ask: intervals, p values, choices and counts, for the report to put in words.
rule answers:
    input:
        tables=[table_path(name) for name in ("runs", "regimes", "tuning", "thresholds")],
        sources=sources("workflow/scripts/answers.py"),
    output:
        f"{RESULTS}/answers.csv",
    log:
        f"{LOGS}/answers.log",
    resources:
        **SUMMARY,
    params:
        study=STUDY.name,
    script:
        "../scripts/answers.py"
