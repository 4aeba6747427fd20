# One job a figure: it gets the tables it needs and its own code, so that a new look trains nothing.
rule figure:
    input:
        tables=lambda w: [table_path(name) for name in FIGURES[w.figure].needs],
        sources=lambda w: sources("workflow/scripts/figure.py", f"study/figures/{w.figure}.py"),
    output:
        **{form: f"{PAPER}/figures/{{figure}}.{form}" for form in FORMATS},
        caption=f"{RESULTS}/captions/{{figure}}.txt",
    log:
        f"{LOGS}/figures/{{figure}}.log",
    resources:
        **SUMMARY,
    params:
        clips=list(dict.fromkeys(v.clip_label for v in VARIANTS.values())),
        regularizations=list(dict.fromkeys(v.regularization_label for v in VARIANTS.values())),
        by_themselves=ALONE,
    script:
        "../scripts/figure.py"


rule figures:
    input:
        expand(f"{PAPER}/figures/{{figure}}.{{form}}", figure=SHOWN, form=FORMATS),
