# `snakemake cost`: what the study costs, before it starts.
rule cost:
    log:
        f"{LOGS}/cost.log",
    localrule: True
    params:
        table=lambda w: cost(),
    shell:
        "printf '%s\\n' {params.table:q} | tee {log}"
