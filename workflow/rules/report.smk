# The paper: tables, and one report in three forms.
from study.report.tables import TABLES

REPORT_TABLES = [table_path(name) for name in ("runs", *ANALYSES)]


rule table:
    input:
        tables=REPORT_TABLES,
        sources=sources("workflow/scripts/table.py"),
    output:
        csv=f"{PAPER}/tables/{{paper_table}}.csv",
        tex=f"{PAPER}/tables/{{paper_table}}.tex",
    log:
        f"{LOGS}/tables/{{paper_table}}.log",
    wildcard_constraints:
        paper_table="|".join(TABLES),
    localrule: True
    script:
        "../scripts/table.py"


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
        source=beside("paper/report.md.j2"),
        bibliography=beside("paper/references.bib"),
        css=beside("paper/report.css"),
        template=beside("paper/report.typ"),
        sources=sources("workflow/scripts/report.py"),
    output:
        md=f"{PAPER}/report.md",
        html=f"{PAPER}/report.html",
        pdf=f"{PAPER}/report.pdf",
    log:
        f"{LOGS}/report.log",
    localrule: True
    params:
        study=lambda w: STUDY.model_dump_json(),
        folder=lambda w, output: os.path.dirname(output.md),
    script:
        "../scripts/report.py"
