# The digits: fetched once by a checked chain, or shipped with the repository.
from study.data import DOWNLOADS


def data_of(name):
    """What a training on a data set waits for."""
    return f"data/{name}.verified" if name in DOWNLOADS else []


rule data:
    # The files themselves are no output: Snakemake would delete what a person placed by hand.
    output:
        stamp="data/{name}.verified",
    params:
        folder="data/{name}",
    log:
        "logs/data/{name}.log",
    localrule: True
    script:
        "../scripts/data.py"
