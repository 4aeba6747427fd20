# The paper: tables, and one report in three forms.
import json

from study.report import TABLES

REPORT_TABLES = [table_path(name) for name in ("runs", *ANALYSES)]


# One job, since each table takes less time than a job's start.
rule tables:
    input:
        tables=REPORT_TABLES,
        sources=sources("workflow/scripts/tables.py"),
    output:
        **{f"{name}_tex": f"{PAPER}/tables/{name}.tex" for name in TABLES},
        **{
            name: report(
                f"{PAPER}/tables/{name}.csv",
                caption=f"../report/tables/{name}.rst",
                category="Tables",
                labels={"table": name},
            )
            for name in TABLES
        },
    log:
        f"{LOGS}/tables.log",
    localrule: True
    params:
        folder=lambda w, output: os.path.dirname(output[0]),
    script:
        "../scripts/tables.py"


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
        paper_tables=rules.tables.output,
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
