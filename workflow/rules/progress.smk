# What a person sees while the study runs: how far it is, and which log tells why a job failed.
from types import SimpleNamespace

from snakemake.logging import logger

from study.analysis.deciding import undecidable
from study.jobs.progress_handler import ProgressHandler, worth_reading


def tasks_of(wildcards):
    """The trainings of a job, whose wildcards come by name from Snakemake or from its log."""
    named = SimpleNamespace(**dict(wildcards.items()))
    return PACKS[named.pack].tasks if hasattr(named, "pack") else (again(named),)


def described(rule_name, wildcards):
    """A job in the study's words."""
    if rule_name == "attempt":
        return f"trials of {packs.in_words(TRIED[wildcards['regime'], wildcards['variant']])}"
    if rule_name in ("train", "retrain"):
        return f"{rule_name} {packs.Pack(tasks_of(wildcards)).label}"
    return " ".join([rule_name, *wildcards.values()])


def forecast(wildcards):
    """Forecast core-seconds of a job's trainings, or of all trials of a variant."""
    if "pack" in wildcards.keys() or "seeds" in wildcards.keys():
        return sum(one.seconds for one in tasks_of(wildcards))
    return forecasts.trials_seconds(TRIED[wildcards["regime"], wildcards["variant"]])


def asked():
    """The rules that take part, whether they have something to do or not."""
    return {job.rule.name for job in workflow.dag.jobs}


def packs_needed():
    """The packs that this run has to do with, by name; those that are forced lose the tables that are there."""
    found = {}
    for job in workflow.dag.needrun_jobs():
        if job.rule.name == "train":
            pack = found[job.wildcards.pack] = PACKS[job.wildcards.pack]
            if workflow.dag.reason(job).forced:
                packs.drop(pack)
    return found


def cost():
    """What the study costs, what is there already set apart."""
    trainings = [
        forecasts.TrainingCost.of(TRAINED[key], len(block.seeds), key not in VARIANTS, block not in there)
        for key, blocks in BLOCKS.items()
        for there in [blocks_there(TRAINED[key])]
        for block in blocks
    ]
    trainings += [
        forecasts.TrainingCost.of_trials(one, not os.path.exists(trials_path(key))) for key, one in TRIED.items()
    ]
    others = len(store.TABLES) + len(ANALYSES) + len(SHOWN) + 3  # the tables, the report and the explorer
    table = forecasts.cost_table(trainings, at_once(len(PACKS) + len(TRIED)), others)
    return "\n".join(filter(None, [table, undecidable(STUDY)]))


def study_progress(needed):
    """The whole study's trainings: all of them, and those that this run need not start."""
    each = [one.seconds for tasks in TASKS.values() for one in tasks]
    each += [forecasts.trials_seconds(one) for one in TRIED.values()]
    tried = [job for job in workflow.dag.needrun_jobs() if job.rule.name == "attempt"]
    left = [one.seconds for pack in needed.values() for one in pack.missing] + [
        forecast(job.wildcards) for job in tried
    ]
    return progress.Progress(
        total=sum(each),
        done=sum(each) - sum(left),
        jobs=len(each),
        jobs_done=len(each) - len(left),
        cores=at_once(len(needed) + len(tried)),
    )


onstart:
    needed = packs_needed()
    counted = study_progress(needed)
    runs = sum(len(seeds_of(key)) * (variant.folds or 1) for key, variant in TRAINED.items())
    if "train" in asked():
        print(f"study {STUDY.name}: {counted.opening(runs)}", file=sys.stderr, flush=True)
    logger.addHandler(ProgressHandler(counted, described, needed, forecast))
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler" and not workflow.output_settings.verbose:
            handler.addFilter(worth_reading)


onerror:
    partial = (
        " With '--config partial=true' it trains nothing and makes the report of what is there, which says what is "
        "missing."
    )
    print(
        f"What is finished stays, and the same command goes on from there.{'' if STUDY.partial else partial}",
        file=sys.stderr,
        flush=True,
    )


onsuccess:
    report = Path(PAPER, "report.html")
    if report.exists() and "report" in asked():
        print(f"the report: {report} (and .pdf, .md beside it)", file=sys.stderr, flush=True)
        if not STUDY.model_dump_json().isascii():
            from study.report.render import boxes

            if said := boxes(STUDY):
                print(said, file=sys.stderr, flush=True)
    if os.path.exists(EXPLORER) and "explorer" in asked():
        print(f"the explorer: {EXPLORER}", file=sys.stderr, flush=True)
