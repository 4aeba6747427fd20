# The study that the configuration asks for, and where its files are.
import inspect
import os
import sys
from itertools import product
from pathlib import Path

sys.path.insert(0, workflow.basedir)  # the library beside this Snakefile, here and in every script
os.environ["PYTHONPATH"] = os.pathsep.join([workflow.basedir, *filter(None, [os.environ.get("PYTHONPATH")])])

from study import config as configuration, progress, store, variants
from study.figures import FIGURES


def read_study():
    source = ", ".join(str(path) for path in workflow.configfiles) or "the configuration"
    try:
        return configuration.parse(config, source)
    except configuration.ConfigError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None  # a WorkflowError would add lines of this file to the message


STUDY = read_study()
RESULTS = f"results/{STUDY.name}"
PAPER = "paper" if STUDY.name == "default" else f"{RESULTS}/paper"
LOGS = f"logs/{STUDY.name}"
VARIANTS = {(v.regime, v.slug): v for v in variants.expand(STUDY)}


def source_of(method):
    """The file that defines a method."""
    return str(Path(inspect.getsourcefile(type(method))).relative_to(workflow.basedir))


def blocks_there(variant):
    """The blocks of seeds that are trained already, whole."""
    folder = Path(RESULTS, "runs", variant.regime, variant.slug)
    for path in folder.glob("*/weights.parquet"):
        yield variants.Block.parse(path.parent.name)


BLOCKS = {
    key: variants.plan_blocks(STUDY.seeds, blocks_there(variant), STUDY.seeds_per_job) for key, variant in VARIANTS.items()
}


def trained(table):
    """The paths of one table of every training, by variant."""
    return [
        [f"{RESULTS}/runs/{regime}/{slug}/{block.name}/{table}.parquet" for block in BLOCKS[regime, slug]]
        for regime, slug in VARIANTS
    ]


wildcard_constraints:
    regime=r"[a-z0-9_-]+",
    variant=r"[^/]+",
    seeds=r"[0-9_-]+",
    table="|".join(store.TABLES),
    figure="|".join(FIGURES),
