# Which differences are real: paired comparisons, and every variant's mean with its interval.
rule analyse:
    input:
        runs=f"{RESULTS}/runs.parquet",
        sources=["study/analysis/statistics.py", "study/analysis/comparisons.py", "study/analysis/ranking.py"],
    output:
        comparisons=f"{RESULTS}/comparisons.csv",
        summary=f"{RESULTS}/summary.csv",
        ranking=f"{RESULTS}/ranking.csv",
    log:
        f"{LOGS}/analyse.log",
    script:
        "../scripts/analyse.py"
