# The digits: fetched once by a checked chain, or shipped with the repository.
def drop_stamps():
    """Delete the stamps of data sets of which a file is gone, as after a purge: they are fetched again."""
    for name, download in DOWNLOADS.items():
        if not all(os.path.exists(f"data/{name}/{file}") for file in download.files):
            Path(f"data/{name}.verified").unlink(missing_ok=True)


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
