# The catalogue: every method that a configuration can name, with what it does; part of the documentation.

from study.clipping import Clipping
from study.gallery.examples import example
from study.regularization import Regularization

# With methods of a user's own it is not the one of the repository.
DOCS = f"{RESULTS}/docs" if STUDY.plugins else "docs"
DRAWN = [
    f"{family.family}-{name}"
    for family in (Clipping, Regularization)
    for name, method in family.members.items()
    if example(method)
]


rule catalogue:
    input:
        code=[str(path) for path in sorted(Path("study").rglob("*.py")) if "figures" not in path.parts],
        style="study/figures/style.py",
        plugins=STUDY.plugins,
        template="study/gallery/catalogue.md.j2",
        bibliography="paper/references.bib",
        css="paper/report.css",
    output:
        md=f"{DOCS}/catalogue.md",
        html=f"{DOCS}/catalogue.html",
        pictures=expand(f"{DOCS}/catalogue/{{drawn}}.png", drawn=DRAWN),
    log:
        "logs/catalogue.log",
    resources:
        **SUMMARY,
    params:
        plugins=STUDY.plugins,
        folder=lambda w, output: os.path.dirname(output.md),
    script:
        "../scripts/catalogue.py"
