# The study's trainings in packs, each the work of one job; what waits for trainings waits for the stamps of their packs.
from study.jobs import packs

STAMPS = f".snakemake/packs/{STUDY.name}"  # a stamp for each pack of trainings that are all there


def task(folder, log, variant, block):
    """A training whose tables and log are below these folders."""
    place = Path(variant.regime, folder_of(variant), block.name)
    return packs.Task(variant, block, Path(folder, place), Path(log, f"{place}.log"))


TASKS = {
    key: [task(f"{RESULTS}/runs", f"{LOGS}/train", variant, block) for block in BLOCKS[key]]
    for key, variant in TRAINED.items()
}
PACKS = packs.packed(one for tasks in TASKS.values() for one in tasks)
PACK_OF = {one.folder: name for name, pack in PACKS.items() for one in pack.tasks}


def settle():
    """Bring the stamps of packs in line with the tables, or say why they cannot be written."""
    try:
        packs.settle({Path(STAMPS, name): pack for name, pack in PACKS.items()})
    except OSError as error:
        must = f"The path '{error.filename}' must be a file that can be written."
        raise SystemExit(f"{must} Got {error.strerror} instead.") from None


if workflow.is_main_process:
    settle()


def trained(table, which=VARIANTS):
    """The paths of one table of some trainings, by variant that has it."""
    paths = ([os.fspath(one.tables[table]) for one in TASKS[key] if table in one.tables] for key in which)
    return [each for each in paths if each]


def collected(table):
    """The paths that a table of the study is put together from, by variant."""
    if table == "trial_runs":
        return [[trials_path(key)] for key in TRIED]
    return trained("runs", TUNED) if table == "tuning_runs" else trained(table)


def stamps(which=VARIANTS):
    """The stamps of some variants' trainings: what waits for them names these, and the tables as parameters."""
    return list(dict.fromkeys(f"{STAMPS}/{PACK_OF[one.folder]}" for key in which for one in TASKS[key]))


def behind(table):
    """What a table of the study waits for: the jobs that train what it is put together from."""
    if table == "trial_runs":
        return [trials_path(key) for key in TRIED]
    return stamps(TUNED if table == "tuning_runs" else VARIANTS)


def pack_of(wildcards):
    """The pack that a job trains."""
    try:
        return PACKS[wildcards.pack]
    except KeyError:  # of a target that somebody named, or in a job of a cluster, which reads code and study anew
        raise WorkflowError(
            f"The pack of trainings must be one of study '{STUDY.name}' with the code as it is now. "
            f"Got '{wildcards.pack}' instead. If code or configuration were edited meanwhile, the same command goes on."
        ) from None


def order_of(one):
    """A training as the process that does it is asked for it."""
    return {
        "study": STUDY.name,
        "spec": one.variant.model_dump_json(),
        "seeds": one.block.name,
        "tables": {name: os.fspath(path) for name, path in one.tables.items()},
        "log": os.fspath(one.log),
        "data": os.fspath(one.variant.data.folder),
        "code": code_digest.fingerprint(one.variant),
        "plugins": plugins_of(one.variant),
        "trials": next(map(str, trials_of(one.variant)), None),
    }


def again(wildcards):
    """A training of the study, to be done once more beside it."""
    return task(AGAIN, f"{LOGS}/verify", variant_of(wildcards), variants.Block.parse(wildcards.seeds))
