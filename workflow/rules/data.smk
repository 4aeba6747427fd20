# The digits: fetched once by a checked chain, or shipped with the repository.
if workflow.is_main_process:
    drop_stamps()


rule data:
    # The files themselves are no output: Snakemake would delete what a person placed by hand.
    output:
        stamp="data/{name}.verified",
    log:
        "logs/data/{name}.log",
    localrule: True
    params:
        folder=lambda w, output: output.stamp.removesuffix(".verified"),
    script:
        "../scripts/data.py"
