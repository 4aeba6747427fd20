# Which differences are real: paired comparisons, and every variant's mean with its interval.
rule analyse:
    input:
        runs=f"{RESULTS}/runs.parquet",
        sources=["study/analysis/statistics.py", "study/analysis/comparisons.py"],
    output:
        comparisons=f"{RESULTS}/comparisons.csv",
        summary=f"{RESULTS}/summary.csv",
    log:
        f"{LOGS}/analyse.log",
    script:
        "../scripts/analyse.py"
