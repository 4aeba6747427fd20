# The paper: tables, and one report in three forms.
import json

from study.report import TABLES

TITLES = {
    "variants": "Every variant: runs, diverged, and means of test accuracy and of both gaps with their intervals.",
    "main_effects": "Each clip and each regularizer alone against neither, in percentage points, and nats for a loss.",
    "interactions": "Each pair of clip and regularizer against the sum of their separate effects.",
    "ranking": "The methods of each regime in order, each at its chosen strength.",
}
REPORT_TABLES = [table_path(name) for name in ("runs", *ANALYSES)]


rule table:
    input:
        tables=REPORT_TABLES,
        sources=sources("workflow/scripts/table.py"),
    output:
        csv=report(
            f"{PAPER}/tables/{{paper_table}}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{paper_table}"},
        ),
        tex=f"{PAPER}/tables/{{paper_table}}.tex",
    log:
        f"{LOGS}/tables/{{paper_table}}.log",
    wildcard_constraints:
        paper_table="|".join(TABLES),
    localrule: True
    params:
        title=lambda w: TITLES[w.paper_table],
    script:
        "../scripts/table.py"


rule numbers:
    input:
        tables=[table_path(name) for name in ("runs", "summary", "comparisons")],
        sources=sources("workflow/scripts/numbers.py"),
    output:
        f"{PAPER}/numbers.tex",
    log:
        f"{LOGS}/numbers.log",
    localrule: True
    script:
        "../scripts/numbers.py"


rule configuration:
    output:
        f"{RESULTS}/configuration.yaml",
    log:
        f"{LOGS}/configuration.log",
    localrule: True
    params:
        config=lambda w: json.dumps({key: value for key, value in config.items() if key != "partial"}),
    script:
        "../scripts/configuration.py"


rule report:
    input:
        tables=REPORT_TABLES,
        captions=expand(f"{RESULTS}/captions/{{figure}}.txt", figure=SHOWN),
        figures=rules.figures.input,
        paper_tables=expand(
            f"{PAPER}/tables/{{paper_table}}.{{form}}",
            paper_table=TABLES,
            form=("csv", "tex"),
        ),
        configuration=rules.configuration.output,
        source=beside("paper/report.md.j2"),
        bibliography=beside("paper/references.bib"),
        css=beside("paper/report.css"),
        script=beside("paper/report.js"),
        template=beside("paper/report.typ"),
        sources=sources("workflow/scripts/report.py"),
    output:
        md=f"{PAPER}/report.md",
        html=report(
            f"{PAPER}/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"report": STUDY.name},
        ),
        pdf=f"{PAPER}/report.pdf",
    log:
        f"{LOGS}/report.log",
    localrule: True
    params:
        study=lambda w: STUDY.model_dump_json(),
        folder=lambda w, output: os.path.dirname(output.md),
        lock=lambda w: LOCK.read_text(encoding="utf-8") if STUDY.status == "confirmatory" and LOCK.exists() else "",
    script:
        "../scripts/report.py"
