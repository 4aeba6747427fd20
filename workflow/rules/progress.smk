# What a person sees while the study runs: how far it is, and which log tells why a job failed.
import logging
import re
import textwrap
import time

from snakemake.logging import logger

# What the lines about the study say better.
NOISE = {
    "job_info",
    "shellcmd",
    "job_started",
    "job_finished",
    "job_error",
    "progress",
    "resources_info",
    "run_info",
    "group_info",
}
NOISY_LINES = re.compile(r"Select jobs|Trying to restart job \d+|Job \d+ has been submitted")


class StudyProgress(logging.Handler):
    """Turns Snakemake's job events into lines about the study."""

    def __init__(self, counted):
        super().__init__()
        self.counted, self.jobs = counted, {}

    def emit(self, record):
        event = str(getattr(record, "event", ""))
        if event == "job_info":
            self.jobs[record.jobid] = record
        elif event == "job_finished":
            self.finished(self.jobs.get(record.job_id))
        elif event == "job_error":
            self.failed(record)
        elif event in ("", "None"):
            self.moved(record.getMessage())

    def failed(self, record):
        logs = [os.path.relpath(path) for path in record.log]
        word = "logs" if len(logs) > 1 else "log"
        say(
            f"FAILED {self.named(record.jobid)}{reason(record.rule_msg or '')}; its {word}: {', '.join(logs) or 'none'}"
        )
        for why in filter(None, (progress.last_words(Path(log)) for log in logs)):
            say(textwrap.indent(why, "       "))

    def moved(self, line):
        """A job was sent to a cluster, or is tried again."""
        if sent := submitted(line):
            say(f"sent   {self.named(sent[0])}, as SLURM job {sent[1]}")
        elif again := re.match(r"Trying to restart job (\d+)", line):
            say(f"again  {self.named(int(again[1]))}")

    def named(self, jobid):
        job = self.jobs.get(jobid)
        return described(job.rule_name, job.wildcards) if job else "a job"

    def finished(self, job):
        if job is None or job.rule_name == "all":
            return
        line = f"done   {described(job.rule_name, job.wildcards)}"
        if job.rule_name == "train":
            line += f"  [{self.counted.finish(forecast(job.wildcards))}]"
        say(line)


def say(line):
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)


def described(rule_name, wildcards):
    """A job in the study's words."""
    if rule_name in ("train", "retrain"):
        variant = TRAINED[wildcards["regime"], wildcards["variant"]]
        cell = f"{variant.regime}: {variant.clip_label} x {variant.regularization_label}"
        return f"{rule_name} {cell}, seeds {wildcards['seeds']}"
    return " ".join([rule_name, *wildcards.values()])


def forecast(wildcards):
    """Forecast core-seconds of one training."""
    block = variants.Block.parse(wildcards["seeds"])
    return forecasts.core_seconds(TRAINED[wildcards["regime"], wildcards["variant"]], len(block.seeds))


def asked():
    """The rules that take part, whether they have something to do or not."""
    return {job.rule.name for job in workflow.dag.jobs}


def blocks_needed():
    """Which blocks of which variants this run trains."""
    return {tuple(job.wildcards) for job in workflow.dag.needrun_jobs() if job.rule.name == "train"}


def cost():
    """What the study costs, what is there already set apart."""
    trainings = [
        forecasts.Training.of(TRAINED[key], len(block.seeds), key not in VARIANTS, block not in there)
        for key, blocks in BLOCKS.items()
        for there in [blocks_there(TRAINED[key])]
        for block in blocks
    ]
    return forecasts.cost_table(trainings, at_once(len(trainings)))


def study_progress():
    """The whole study's trainings: all of them, and those that this run need not start."""
    weights = {
        (*key, block.name): forecasts.core_seconds(TRAINED[key], len(block.seeds))
        for key, blocks in BLOCKS.items()
        for block in blocks
    }
    there = weights.keys() - blocks_needed()
    return progress.Progress(
        total=sum(weights.values()),
        done=sum(weights[key] for key in there),
        jobs=len(weights),
        jobs_done=len(there),
        cores=at_once(len(weights) - len(there)),
    )


def worth_reading(record):
    """Whether a line of Snakemake's own says more than the lines about the study do."""
    return str(getattr(record, "event", "")) not in NOISE and not NOISY_LINES.match(record.getMessage())


onstart:
    counted = study_progress()
    runs = sum(len(seeds_of(key)) * (variant.folds or 1) for key, variant in TRAINED.items())
    if "train" in asked():
        print(f"study {STUDY.name}: {counted.opening(runs)}", file=sys.stderr, flush=True)
    logger.addHandler(StudyProgress(counted))
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler" and not workflow.output_settings.verbose:
            handler.addFilter(worth_reading)


onerror:
    print(
        "What is finished stays, and the same command goes on from there. With '--config partial=true' it trains "
        "nothing and makes the report of what is there, which says what is missing.",
        file=sys.stderr,
        flush=True,
    )


onsuccess:
    report = Path(PAPER, "report.html")
    if report.exists() and "report" in asked():
        print(f"the report: {report} (and .pdf, .md beside it)", file=sys.stderr, flush=True)
