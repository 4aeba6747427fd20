# What a person sees while the study runs: how far it is, and which log tells why a job failed.
from snakemake.logging import logger

from study.analysis.deciding import undecidable
from study.jobs.progress_handler import ProgressHandler, worth_reading
from study.report import TABLES as PAPER_TABLES


def described(rule_name, wildcards):
    """A job in the study's words."""
    if rule_name == "attempt":
        variant = TRIED[wildcards["regime"], wildcards["variant"]]
        return f"trials of {variant.regime}: {variant.clip_label} x {variant.regularization_label}"
    if rule_name in ("train", "retrain"):
        variant = TRAINED[wildcards["regime"], wildcards["variant"]]
        cell = f"{variant.regime}: {variant.clip_label} x {variant.regularization_label}"
        return f"{rule_name} {cell}, seeds {wildcards['seeds']}"
    return " ".join([rule_name, *wildcards.values()])


def forecast(wildcards):
    """Forecast core-seconds of one training, or of all trials of a variant."""
    if "seeds" not in wildcards.keys():
        return forecasts.trials_seconds(TRIED[wildcards["regime"], wildcards["variant"]])
    block = variants.Block.parse(wildcards["seeds"])
    return forecasts.core_seconds(TRAINED[wildcards["regime"], wildcards["variant"]], len(block.seeds))


def asked():
    """The rules that take part, whether they have something to do or not."""
    return {job.rule.name for job in workflow.dag.jobs}


def blocks_needed():
    """Which blocks of which variants this run trains."""
    return {tuple(job.wildcards) for job in workflow.dag.needrun_jobs() if job.rule.name in ("train", "attempt")}


def cost():
    """What the study costs, what is there already set apart."""
    trainings = [
        forecasts.Training.of(TRAINED[key], len(block.seeds), key not in VARIANTS, block not in there)
        for key, blocks in BLOCKS.items()
        for there in [blocks_there(TRAINED[key])]
        for block in blocks
    ]
    trainings += [forecasts.Training.of_trials(one, not os.path.exists(trials_path(key))) for key, one in TRIED.items()]
    others = len(store.TABLES) + len(ANALYSES) + len(SHOWN) + len(PAPER_TABLES) + 2  # the report and the explorer
    table = forecasts.cost_table(trainings, at_once(len(trainings)), others)
    return "\n".join(filter(None, [table, undecidable(STUDY)]))


def study_progress():
    """The whole study's trainings: all of them, and those that this run need not start."""
    weights = {
        (*key, block.name): forecasts.core_seconds(TRAINED[key], len(block.seeds))
        for key, blocks in BLOCKS.items()
        for block in blocks
    }
    weights |= {key: forecasts.trials_seconds(one) for key, one in TRIED.items()}
    there = weights.keys() - blocks_needed()
    return progress.Progress(
        total=sum(weights.values()),
        done=sum(weights[key] for key in there),
        jobs=len(weights),
        jobs_done=len(there),
        cores=at_once(len(weights) - len(there)),
    )


onstart:
    counted = study_progress()
    runs = sum(len(seeds_of(key)) * (variant.folds or 1) for key, variant in TRAINED.items())
    if "train" in asked():
        print(f"study {STUDY.name}: {counted.opening(runs)}", file=sys.stderr, flush=True)
    logger.addHandler(ProgressHandler(counted, described, forecast))
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
