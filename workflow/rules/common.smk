# The study that the configuration asks for, where its files are, and what its jobs depend on.
import os
import random
import shlex
import sys
from pathlib import Path

# The library is the one beside this Snakefile, here and in every script.
sys.path.insert(0, workflow.basedir)
# Figures are drawn into files, whatever a notebook that started this has set.
os.environ.update(MPLBACKEND="agg")
os.environ.update(PYTHONPATH=os.pathsep.join([workflow.basedir, os.environ.pop("PYTHONPATH", "")]).strip(os.pathsep))

from snakemake.cli import get_argument_parser
from snakemake.exceptions import WorkflowError

from study.config import cost as forecasts
from study.config import read, variants
from study.config.errors import ConfigError
from study.jobs import interrupt, progress
from study.results import code_digest, protocol, store
from study.results.code_digest import folder_of
from study.results.terms import regime_phrases, samples_of
from study.utils.imports import sources_of
from study.data.fetch import DOWNLOADS
from study.figures import FIGURES

FORMATS = ("pdf", "svg", "png")


def read_study():
    """The study, or all errors of its configuration and the end."""
    try:
        return read.read(config, workflow.configfiles, workflow.config_settings.config)
    except ConfigError as error:
        # A WorkflowError would add lines of this file to the message.
        raise SystemExit(str(error)) from None


def beside(path):
    """A file of the repository, seen from the folder that Snakemake works in."""
    return os.path.relpath(os.path.join(workflow.basedir, path))


def sources(*files):
    """The files of the repository that some depend on."""
    return [beside(path) for path in sources_of(*files)]


def python_without_spaces():
    """Python's path as Snakemake can run it, which quotes none: from here where the whole of it has a space."""
    near = os.path.relpath(sys.executable)
    if shlex.quote(near) != near:
        must = "The path of Python's environment must have no spaces or quotes, seen from the folder of the study."
        raise SystemExit(f"{must} Got '{near}' instead.")
    return near


shell.prefix(interrupt.IGNORED)
if shlex.quote(sys.executable) != sys.executable:
    sys.executable = python_without_spaces()
STUDY = read_study()
RESULTS = f"results/{STUDY.name}"
PAPER = "paper" if STUDY.name == "default" else f"{RESULTS}/paper"
AGAIN = f"{RESULTS}/verify"  # where `make verify` trains once more
LOGS = f"logs/{STUDY.name}"
LOCK = protocol.lock_of(Path([*workflow.configfiles, "study.yaml"][0]))  # of a confirmatory study
RECORD = f".snakemake/studies/{STUDY.name}"


def keep_record():
    """Make the file that stands for Snakemake's records of the study, where it is gone, or say why it cannot be made.

    It is then newer than all that was put together from trainings, which is made again: nothing else tells whether it
    still is what the configuration asks for. Trainings are told by the names of their folders.
    """
    try:
        for folder in (RESULTS, os.path.dirname(RECORD)):
            if os.path.lexists(folder) and not os.path.isdir(folder):
                raise NotADirectoryError(0, "a file", folder)
        if not os.path.exists(RECORD):
            os.makedirs(os.path.dirname(RECORD), exist_ok=True)
            Path(RECORD).touch()
    except OSError as error:
        must = f"The path '{error.filename}' must be a folder that can be written."
        raise SystemExit(f"{must} Got {error.strerror} instead.") from None


def refuse_unlocked():
    """End where a confirmatory study is not what was frozen, unless it is only looked at."""
    asked = get_argument_parser().parse_known_args()[0]
    if STUDY.status == "confirmatory" and not asked.dryrun and list(map(str, asked.targets)) != ["cost"]:
        try:
            protocol.check(STUDY, LOCK)
        except protocol.ProtocolError as error:
            raise SystemExit(str(error)) from None


if workflow.is_main_process:
    refuse_unlocked()
    keep_record()


def blocks_there(variant):
    """The blocks of seeds that are trained already, whole."""
    folder = Path(RESULTS, "runs", variant.regime, folder_of(variant))
    return variants.blocks_named(path.parent.name for path in folder.glob("[0-9]*/weights.parquet"))


def in_question(grid, seeds_of):
    """The variants of a grid by regime and folder; in a partial report those alone whose seeds are all trained."""
    found = {(v.regime, folder_of(v)): v for v in grid}
    if not STUDY.partial:
        return found
    return {key: v for key, v in found.items() if not variants.missing_from({*seeds_of(v)}, blocks_there(v))}


TRIED = {(v.regime, folder_of(v)): v for v in variants.expand_trials(STUDY)}
VARIANTS = in_question(variants.expand(STUDY), lambda v: STUDY.seeds)
TUNED = in_question(variants.expand_tuning(STUDY), lambda v: STUDY.regimes[v.regime].tuning.seeds)
TRAINED = VARIANTS | TUNED
if not VARIANTS:
    raise SystemExit(f"A partial report must have a variant with all its seeds. Got none in '{RESULTS}' instead.")
ANALYSES = (
    "comparisons",
    "summary",
    "ranking",
    "regimes",
    "provenance",
    *(("tuning", "tuned", "profiles", "across", "thresholds", "answers") if TUNED else ()),
    *(("trials", "budgets", "robustness", "gains", "leaderboard") if TRIED else ()),
    *(("claims", "evidence") if STUDY.claims else ()),
    *(("hypotheses",) if STUDY.hypotheses else ()),
)


# Without a list, the figures that tell something of those whose tables the study makes; that of regimes is of use
# to sweeps alone.
SWEPT = any(regime.part_of for regime in STUDY.regimes.values())
OF_WORKLOADS = list(dict.fromkeys(table for one in VARIANTS.values() for table in one.workload.tables))
MADE = {*store.TABLES, *OF_WORKLOADS, *ANALYSES} - ({"regimes"} if not SWEPT else set())
ALONE = [name for name, regime in STUDY.regimes.items() if not regime.part_of]
DRAWABLE = [name for name, figure in FIGURES.items() if MADE.issuperset(figure.needs) and not STUDY.lacks(name)]
SHOWN = [name for name in DRAWABLE if STUDY.shows(name)]


def seeds_of(key):
    """The seeds that a variant is trained with: to be evaluated, to be tuned, or both."""
    tuning = STUDY.regimes[key[0]].tuning
    return [*(STUDY.seeds if key in VARIANTS else ()), *(tuning.seeds if key in TUNED else ())]


BLOCKS = {
    key: variants.plan_blocks(seeds_of(key), blocks_there(variant), STUDY.seeds_per_job)
    for key, variant in TRAINED.items()
}


def trials_path(key):
    """The runs of a variant's trials."""
    return f"{RESULTS}/trials/{key[0]}/{key[1]}/trials.parquet"


TRIALS_OF = {(v.regime, v.clip_label, v.regularization_label): trials_path(key) for key, v in TRIED.items()}


def trials_of(variant):
    """What a variant that trials choose waits for. Its time says nothing: the variant's folder is named by its trials."""
    cell = (variant.regime, variant.clip_label, variant.regularization_label)
    return [ancient(TRIALS_OF[cell])] if variant.tuned else []


TUNING_TABLES = [name for name, there in (("tuning_runs", TUNED), ("trial_runs", TRIED)) if there]
TUNING_SEEDS = {seed for regime in STUDY.regimes.values() if regime.tuning for seed in regime.tuning.seeds}


SCORED = ("runs", "tuning_runs")  # tables with the scores of runs


def table_path(name):
    """Where a table of the study is; that of runs as the study asks to have it analysed."""
    if name in SCORED and (STUDY.target or STUDY.scored_epoch != "last_epoch"):
        return f"{RESULTS}/scored/{name}.parquet"
    return f"{RESULTS}/{name}.{'csv' if name in ANALYSES else 'parquet'}"


def variant_of(wildcards):
    """The variant that a training job trains."""
    try:
        return TRAINED[wildcards.regime, wildcards.variant]
    except KeyError:  # of a target that somebody named, or in a job of a cluster, which reads code and study anew
        folder = f"{wildcards.regime}/{wildcards.variant}"
        raise WorkflowError(
            f"The folder of a training must be one of study '{STUDY.name}' with the code as it is now. "
            f"Got '{folder}' instead. If code or configuration were edited meanwhile, the same command goes on."
        ) from None


def plugins_of(variant):
    """The users' files that a training needs, so that naming another one trains nothing again."""
    needed = {os.fspath(path) for path in code_digest.files_of(variant)}
    return [path for path in STUDY.plugins if os.path.realpath(path) in needed]


def sampled(wildcards):
    """The last files of some cells' trainings: as many as asked for, or all."""
    keys = sorted(VARIANTS)
    count = len(keys) if wildcards.cells == "all" else min(int(wildcards.cells), len(keys))
    chosen = random.Random(int(wildcards.seed)).sample(keys, count)
    blocks = variants.plan_blocks(STUDY.seeds, (), STUDY.seeds_per_job)
    return [f"{AGAIN}/{regime}/{folder}/{block.name}/weights.parquet" for regime, folder in chosen for block in blocks]


wildcard_constraints:
    pack=r"[a-z0-9_.=-]+",
    regime=r"[a-z0-9_.=-]+",
    variant=r"[^/]+",
    seeds=r"[0-9_-]+",
    table="|".join([*store.TABLES, *OF_WORKLOADS, "tuning_runs", "trial_runs"]),
    figure="|".join(DRAWABLE),
    name="|".join(DOWNLOADS),
