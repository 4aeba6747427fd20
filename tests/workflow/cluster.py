"""A real SLURM of one node on this machine: `python tests/workflow/cluster.py FOLDER [CPUS]`, until its input ends.

All its files are in the folder (no systemd, no accounting, no cgroups, nothing under /etc) and its ports are free ones,
so that it stands beside a cluster that is there. It needs root. Since it waits for the end of its input it never
outlives who started it, whatever ends that.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("slurm-wlm", "munge")
DAEMONS = ("munged", "slurmctld", "slurmd")
MUNGE_FILES = ("key-file", "log-file", "pid-file", "seed-file", "socket")
CONFIGURATION = """\
ClusterName=scratch
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
EnforcePartLimits=ALL
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,batch_sched_delay=0,bf_interval=5
ReturnToService=2
MinJobAge=3600
KillWait=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=64000 State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=60 DefaultTime=1 OverTimeLimit=0 State=UP
"""


@dataclass(frozen=True)
class Cluster:
    """Where a cluster's files are; `environment` lets SLURM's commands find it."""

    folder: Path

    @property
    def configuration(self) -> Path:
        return self.folder / "slurm.conf"

    @property
    def environment(self) -> dict[str, str]:
        return {"SLURM_CONF": str(self.configuration), "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def ask(self, *command: str) -> str:
        """What one of SLURM's commands prints."""
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout

    def jobs(self) -> list[str]:
        """The numbers of the jobs that wait or run."""
        return self.ask("squeue", "--noheader", "--format=%i").split()


def program(name: str) -> str | None:
    """Where a daemon is installed, if it is."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def install() -> str:
    """Install SLURM by apt where it is missing; the reason why it cannot be had here, or nothing."""
    if os.geteuid() != 0:
        return "installing and starting it needs root"
    if all(map(program, DAEMONS)):
        return ""
    if not shutil.which("apt-get"):
        return f"no apt-get to install {' and '.join(PACKAGES)}"
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(["apt-get", "-q", *step], env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"apt-get {step[0]} failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}"
    return "" if all(map(program, DAEMONS)) else "its daemons are not where apt-get should have put them"


@contextmanager
def running(folder: Path, cpus: int) -> Iterator[Cluster]:
    """A cluster while the context lasts."""
    command = [sys.executable, __file__, str(folder), str(cpus)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes, start_new_session=True) as keeper:  # out of reach of what ends the tests
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        if keeper.stdout.readline() != "ready\n":
            raise RuntimeError(f"SLURM did not start; its logs are in {folder}")
        yield Cluster(folder)
        keeper.stdin.close()


def keep(folder: Path, cpus: int) -> None:
    """Start the daemons, say so, and stop them when the input ends."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the daemons are stopped
    cluster = Cluster(folder.absolute())
    write_configuration(cluster, cpus)
    munge = [f"--{name}={cluster.folder / 'munge' / name}" for name in MUNGE_FILES]
    with ExitStack() as stack:
        stack.enter_context(daemon(cluster, "munged", "--foreground", "--force", *munge))
        wait_until((cluster.folder / "munge/socket").exists)
        stack.enter_context(daemon(cluster, "slurmctld", "-D"))
        stack.enter_context(daemon(cluster, "slurmd", "-D"))
        stack.callback(empty, cluster)
        wait_until(lambda: cluster.ask("sinfo", "--noheader", "--format=%T").strip() == "idle")
        print("ready", flush=True)
        with suppress(KeyboardInterrupt):
            sys.stdin.read()


def write_configuration(cluster: Cluster, cpus: int) -> None:
    folder = cluster.folder
    for name in ("bin", "munge", "state", "spool"):
        (folder / name).mkdir(parents=True)
    (folder / "munge/key-file").write_bytes(os.urandom(1024))
    (folder / "munge/key-file").chmod(0o400)
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], other.getsockname()[1]
    host = socket.gethostname().partition(".")[0]
    cluster.configuration.write_text(CONFIGURATION.format(host=host, ports=ports, folder=folder, cpus=cpus))
    # The executor takes SLURM's variables away from the srun inside a job, also the one that names this file.
    wrapper = folder / "bin/srun"
    wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={cluster.configuration} exec {shutil.which("srun")} "$@"\n')
    wrapper.chmod(0o755)


@contextmanager
def daemon(cluster: Cluster, name: str, *arguments: str) -> Iterator[None]:
    """One daemon in the foreground, its output in the folder; stopped at the end, by force if need be."""
    with (cluster.folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [str(program(name)), *arguments],
            env={**os.environ, **cluster.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the keeper, which stops them in order
        )
        try:
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def empty(cluster: Cluster) -> None:
    """End all jobs, so that none outlives the cluster."""
    with suppress(subprocess.SubprocessError, TimeoutError):
        cluster.ask("scancel", "--user=root")
        wait_until(lambda: not cluster.jobs())


def wait_until(ready: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(subprocess.CalledProcessError):  # the controller does not answer yet
            if ready():
                return
        time.sleep(0.1)
    raise TimeoutError


if __name__ == "__main__":
    keep(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count() or 1)
