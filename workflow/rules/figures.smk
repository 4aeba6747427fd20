# One job a figure: it gets the tables it needs and its own code, so that a new look trains nothing.
rule figure:
    input:
        tables=lambda w: [table_path(name) for name in FIGURES[w.figure].needs],
        sources=lambda w: sources("workflow/scripts/figure.py", f"study/figures/{w.figure}.py"),
    output:
        **{form: f"{PAPER}/figures/{{figure}}.{form}" for form in FORMATS if form != "png"},
        png=report(
            f"{PAPER}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        caption=f"{RESULTS}/captions/{{figure}}.txt",
    log:
        f"{LOGS}/figures/{{figure}}.log",
    resources:
        **SUMMARY,
    params:
        scored_at=STUDY.scored_epoch,
        caption=lambda w, output: Path(output.caption),  # which a page of snakemake --report reads
        # Of the whole study, also where a part of it is there: tables of the tuning name methods that are still missing.
        clips=list(dict.fromkeys(v.clip_label for v in variants.expand(STUDY))),
        regularizations=list(dict.fromkeys(v.regularization_label for v in variants.expand(STUDY))),
        by_themselves=ALONE,
        regimes=regime_phrases(STUDY.regimes),
        samples=samples_of(STUDY.regimes.values()),
    script:
        "../scripts/figure.py"


rule figures:
    input:
        expand(f"{PAPER}/figures/{{figure}}.{{form}}", figure=SHOWN, form=FORMATS),
