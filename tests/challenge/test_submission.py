"""A submitted method: what is refused, what its digest depends on, and the seeds that follow from it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.challenge.submission import FIRST_DRAWN, SPAN, Submission, drawn_seeds, main, params_of
from study.challenge.terms import ChallengeError
from tests.challenge.published import apart

CLIP = """from typing import ClassVar, Literal
from study.clipping import Rescaling
from study.methods.ranges import LogRange
from study.parameters import Positive

class Half(Rescaling):
    search: ClassVar = LogRange("bound", 0.1, 10)
    name: Literal["half"] = "half"
    bound: Positive
    rate: Positive = 0.5

    def coefficients(self, gradient, parameters, state):
        return {key: (self.bound * self.rate / g.norm()).clamp(max=1.0) for key, g in gradient.items()}, state
"""
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)


def read(folder: Path, text: str = CLIP, name: str = "", params: str = "", file: str = "mine.py") -> Submission:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    with apart():
        return Submission.read(folder / file, name, params_of(params))


@given(DIGESTS, st.integers(2, 20))
def test_drawn_seeds_are_different_and_in_a_range_of_their_own(digest: str, count: int) -> None:
    seeds = drawn_seeds(digest, count)
    assert len(set(seeds)) == count
    assert seeds == sorted(seeds)
    assert all(FIRST_DRAWN <= seed < FIRST_DRAWN + SPAN < 2**31 for seed in seeds)
    assert drawn_seeds(digest, count) == seeds


@given(DIGESTS, DIGESTS)
def test_another_digest_draws_other_seeds(one: str, other: str) -> None:
    assert (one == other) == (drawn_seeds(one, 10) == drawn_seeds(other, 10))


def test_no_file_is_asked_for_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([""]) == 1
    assert capsys.readouterr().err.startswith("METHOD must be the file of your method")


def test_the_digest_is_of_code_and_parameters_and_of_no_folder(tmp_path: Path) -> None:
    first = read(tmp_path / "a").digest
    assert read(tmp_path / "b").digest == first
    assert read(tmp_path / "c", params="{rate: 0.25}").digest != first
    assert read(tmp_path / "d", CLIP.replace("0.1, 10", "0.2, 10")).digest != first
    assert read(tmp_path / "e", CLIP.replace("clamp(max=1.0)", "clamp(max=0.9)")).digest != first


def test_what_lies_beside_the_file_is_part_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/helper_of_half.py").write_text("FACTOR = 0.5\n")
    text = CLIP.replace("from study.clipping", "from helper_of_half import FACTOR\nfrom study.clipping")
    (tmp_path / "a/mine.py").write_text(text)
    with apart():
        found = Submission.read(tmp_path / "a/mine.py")
        assert set(found.code) == {"mine.py", "helper_of_half.py"}
        (tmp_path / "a/helper_of_half.py").write_text("FACTOR = 0.75\n")
        assert Submission.read(tmp_path / "a/mine.py").digest != found.digest


LOSS = """from typing import Literal
from study.optim.losses import Loss

class Mine(Loss):
    name: Literal["loss_of_mine"] = "loss_of_mine"

    def value(self, logits, targets):
        return (logits - targets).square().mean()
"""
TWO = CLIP + CLIP.partition("\n\n")[2].replace("Half", "Third").replace('"half"', '"third"')
REFUSED = {
    "no method": ("x = 1\n", {}, r"must name files that define a method \(.*\)\. Got '.*mine\.py' instead"),
    "a loss": (LOSS, {}, r"must name a file with a clip or a regularizer\. Got '.*mine\.py' instead"),
    "two methods": (TWO, {}, r"'NAME' parameter of rank must be one of 'half', 'third'.* Got nothing instead"),
    "another name": (CLIP, {"name": "hlaf"}, r"must be one of 'half'.* Got 'hlaf' instead\. Did you mean 'half'\?"),
    "no range": (CLIP.replace("search", "range_of"), {}, r"class of clipping 'half' must declare the range of its tri"),
    "the strength": (CLIP, {"params": "{bound: 1}"}, r"'PARAMS' parameter of rank must leave out 'bound'"),
    "a bad parameter": (CLIP, {"params": "{rate: -1}"}, r"'rate' parameter of clipping 'half' must be a positive num"),
    "an unknown one": (CLIP, {"params": "{rte: 1}"}, r"'rte' parameter of clipping 'half' is not known.*'rate'"),
    "no mapping": (CLIP, {"params": "3"}, r"'PARAMS' parameter of rank must be a mapping"),
    "no python": ("class", {}, r"must name Python files that can be imported"),
}


@pytest.mark.parametrize(("text", "how", "message"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_a_sentence(tmp_path: Path, text: str, how: dict[str, str], message: str) -> None:
    with pytest.raises(ChallengeError, match=message):
        read(tmp_path, text, **how)


def test_of_two_methods_the_named_one_is_taken(tmp_path: Path) -> None:
    assert read(tmp_path, TWO, name="third").name == "third"
