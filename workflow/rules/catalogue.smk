# The catalogue: every method that a configuration can name, with what it does; part of the documentation.

from study.clipping import Clipping
from study.catalogue.examples import example
from study.regularization import Regularization

# With methods of a user's own it is not the one of the repository.
DOCS = f"{RESULTS}/docs" if STUDY.plugins else "docs"
METHOD_FILES = {
    code_digest.file_of(method).relative_to(workflow.basedir)
    for family in (Clipping, Regularization)
    for method in family.members.values()
    if code_digest.file_of(method).is_relative_to(workflow.basedir)
}
DRAWN = [
    f"{family.family}-{name}"
    for family in (Clipping, Regularization)
    for name, method in family.members.items()
    if example(method)
]


rule catalogue:
    input:
        sources=sources("workflow/scripts/catalogue.py", *METHOD_FILES),
        plugins=lambda w: STUDY.plugins,
        template=beside("study/catalogue/catalogue.md.j2"),
        bibliography=beside("paper/references.bib"),
        css=beside("paper/report.css"),
        script=beside("paper/report.js"),
    output:
        md=f"{DOCS}/catalogue.md",
        html=f"{DOCS}/catalogue.html",
        pictures=expand(f"{DOCS}/catalogue/{{drawn}}.png", drawn=DRAWN),
    log:
        "logs/catalogue.log",
    resources:
        **SUMMARY,
    params:
        plugins=lambda w: STUDY.plugins,
        folder=lambda w, output: os.path.dirname(output.md),
    script:
        "../scripts/catalogue.py"
