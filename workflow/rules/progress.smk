# What a person sees while the study runs: how far it is, and which log tells why a job failed.
import logging
import time

from snakemake.logging import logger

NOISE = {
    "job_info",
    "shellcmd",
    "job_started",
    "job_finished",
    "progress",
    "resources_info",
    "run_info",
    "group_info",
}


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
            self.failed(self.jobs.get(record.jobid), record.log)

    def failed(self, job, logs):
        name = described(job.rule_name, job.wildcards) if job else "a job"
        print(f"FAILED {name}; its log: {', '.join(logs) or 'none'}", file=sys.stderr, flush=True)

    def finished(self, job):
        if job is None or job.rule_name == "all":
            return
        line = f"done   {described(job.rule_name, job.wildcards)}"
        if job.rule_name == "train":
            line += f"  [{self.counted.finish(forecast(job.wildcards))}]"
        print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)


def described(rule_name, wildcards):
    """A job in the study's words."""
    if rule_name == "train":
        variant = VARIANTS[wildcards["regime"], wildcards["variant"]]
        return (
            f"train {variant.regime}: {variant.clip_label} x {variant.regularization_label}, seeds {wildcards['seeds']}"
        )
    return " ".join([rule_name, *wildcards.values()])


def forecast(wildcards):
    """Forecast core-seconds of one training."""
    block = variants.Block.parse(wildcards["seeds"])
    return progress.core_seconds(VARIANTS[wildcards["regime"], wildcards["variant"]], len(block.seeds))


def study_progress():
    """The whole study's trainings: all of them, and those that this run need not start."""
    weights = {
        (*key, block.name): progress.core_seconds(VARIANTS[key], len(block.seeds))
        for key, blocks in BLOCKS.items()
        for block in blocks
    }
    needed = {tuple(job.wildcards) for job in workflow.dag.needrun_jobs() if job.rule.name == "train"}
    there = weights.keys() - needed
    return progress.Progress(
        total=sum(weights.values()),
        done=sum(weights[key] for key in there),
        jobs=len(weights),
        jobs_done=len(there),
        cores=workflow.cores or 1,
    )


def worth_reading(record):
    """Whether a line of Snakemake's own says more than the lines about the study do."""
    return str(getattr(record, "event", "")) not in NOISE and not record.getMessage().startswith("Select jobs")


onstart:
    counted = study_progress()
    runs = len(VARIANTS) * len(STUDY.seeds)
    print(f"study {STUDY.name}: {counted.opening(runs)}", file=sys.stderr, flush=True)
    logger.addHandler(StudyProgress(counted))
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler" and not workflow.output_settings.verbose:
            handler.addFilter(worth_reading)


onsuccess:
    report = Path(PAPER, "report.html")
    if report.exists():
        print(f"the report: {report} (and .pdf, .md beside it)", file=sys.stderr, flush=True)
