# The study as one page that is opened from disk: every table that can be looked at, and where each run comes from.
from glob import glob

EXPLORER = f"{RESULTS}/explorer.html"
EXPLORED = [
    table_path(name)
    for name in ("runs", "epochs", "steps", "comparisons", "summary", "ranking", "regimes", "provenance")
] + [table_path(name) for name in ("tuning", "trials", "leaderboard") if name in ANALYSES]


rule explorer:
    input:
        tables=EXPLORED,
        stamps=stamps(),
        configuration=rules.configuration.output,
        sources=sources("workflow/scripts/explorer.py"),
        assets=[beside(path) for path in sorted(glob(os.path.join(workflow.basedir, "study/explorer/assets/*")))],
    output:
        EXPLORER,
    log:
        f"{LOGS}/explorer.log",
    resources:
        **SUMMARY,
    params:
        study=STUDY.name,
        blocks=lambda w: [path for blocks in trained("runs") for path in blocks],
    script:
        "../scripts/explorer.py"
