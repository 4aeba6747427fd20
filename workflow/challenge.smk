# The open challenge: a method of one's own through the frozen benchmark (`rank`), or an entry of it again (`verify`).
import os
import sys
from pathlib import Path

from snakemake.logging import logger
from snakemake.utils import min_version

min_version("9.27")
ROOT = Path(workflow.basedir).parent
sys.path.insert(0, os.fspath(ROOT))
os.environ.update(MPLBACKEND="agg")
os.environ.update(PYTHONPATH=os.pathsep.join([os.fspath(ROOT), os.environ.pop("PYTHONPATH", "")]).strip(os.pathsep))

from study.challenge.command import command_of
from study.challenge.terms import ChallengeError
from study.config.errors import ConfigError
from study.config.cost import trials_seconds
from study.jobs import interrupt
from study.jobs.packs import settle
from study.jobs.progress_handler import ProgressHandler, worth_reading
from study.results import code_digest
from study.results.store import refused
from study.utils.imports import sources_of

shell.prefix(interrupt.IGNORED)
try:
    COMMAND = command_of(config)
    PLAN = COMMAND.plan
    FOLDER = os.fspath(PLAN.folder)
    PACKS = PLAN.packs
    if workflow.is_main_process:
        settle({PLAN.folder / "jobs" / name: pack for name, pack in PACKS.items()})
except (ChallengeError, ConfigError) as error:
    raise SystemExit(str(error)) from None
except OSError as error:
    raise SystemExit(refused(error)) from None


def orders(wildcards):
    """The trainings of a job, as the processes that do them are asked for them."""
    return [PLAN.order(one) for one in PLAN.jobs[wildcards.pack]]


def described(rule_name, wildcards):
    """A job in the challenge's words."""
    if rule_name == "attempt":
        return f"trials of {wildcards['regime']}: {COMMAND.name}"
    return f"train {PLAN.label(wildcards['pack'])}" if rule_name == "train" else rule_name


def forecast(wildcards):
    """Forecast core-seconds of the trials of a workload."""
    return trials_seconds(PLAN.tried[wildcards["regime"]])


def sources(script):
    """The files of the repository that a script depends on."""
    return [os.path.relpath(ROOT / path) for path in sources_of(f"workflow/scripts/{script}")]


wildcard_constraints:
    pack="|".join(map(re.escape, PLAN.jobs)),
    regime="|".join(map(re.escape, PLAN.tried)) or "none",


include: "rules/stamps.smk"
include: "rules/data.smk"


rule rank:
    input:
        stamps=[f"{FOLDER}/jobs/{job}" for job in PLAN.jobs],
        sources=sources("rank.py"),
    output:
        entry=f"{FOLDER}/entry.json",
        others=[
            f"{FOLDER}/{name}" for name in ("ranking.md", "ranking.png", "summary.txt", "gains.csv", "leaderboard.csv")
        ],
    log:
        f"{FOLDER}/logs/rank.log",
    localrule: True
    params:
        config=config,
    script:
        "scripts/rank.py"


rule verify:
    input:
        stamps=[f"{FOLDER}/jobs/{job}" for job in PLAN.jobs],
        sources=sources("verify_entry.py"),
    output:
        f"{FOLDER}/verdicts.csv",
    log:
        f"{FOLDER}/logs/verify.log",
    localrule: True
    params:
        config=config,
    script:
        "scripts/verify_entry.py"


rule attempt:
    input:
        data=lambda w: data_of(PLAN.tried[w.regime].data.name),
    output:
        f"{FOLDER}/trials/{{regime}}/{{variant}}/trials.parquet",
    log:
        f"{FOLDER}/logs/trials/{{regime}}/{{variant}}.log",
    threads: 1
    params:
        study=FOLDER.rpartition("/")[2],
        spec=lambda w, threads: PLAN.tried[w.regime].model_dump_json(),
        code=lambda w, threads: code_digest.fingerprint(PLAN.tried[w.regime]),
        plugins=[os.fspath(PLAN.plugin)],
        folder=lambda w, threads: os.fspath(PLAN.tried[w.regime].data.folder),
    script:
        "scripts/attempt.py"


rule train:
    input:
        data=lambda w: data_of(PLAN.jobs[w.pack][0].variant.data.name),
        trials=lambda w: [ancient(path) for path in {one.trials for one in PLAN.jobs[w.pack]} - {None}],
    output:
        touch(f"{FOLDER}/jobs/{{pack}}"),
    log:
        f"{FOLDER}/logs/jobs/{{pack}}.log",
    threads: 1
    params:
        orders=lambda w, threads: orders(w),
    script:
        "scripts/train.py"


onstart:
    print(COMMAND.opening(workflow.cores or 1), file=sys.stderr, flush=True)
    logger.addHandler(ProgressHandler(PLAN.progress(workflow.cores or 1), described, PACKS, forecast))
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler" and not workflow.output_settings.verbose:
            handler.addFilter(worth_reading)


onerror:
    print("What is finished stays, and the same command goes on from there.", file=sys.stderr, flush=True)


onsuccess:
    if (summary := Path(FOLDER, "summary.txt")).exists():
        print(summary.read_text(encoding="utf-8"), flush=True)
