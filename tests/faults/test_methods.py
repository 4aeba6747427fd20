"""Methods of a user's own that fail, and trainings that diverge: said where; all others are what they would be."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from study.data import Digits
from study.training import engine
from tests.cases import variant
from tests.checkout import Checkout
from tests.faults.conftest import (
    PLUGIN,
    RUNS,
    Job,
    Results,
    Told,
    assert_same,
    assert_whole,
    broken,
    results_of,
    small_study,
    with_a_method,
)

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("faults")]  # one worker: they share what is undisturbed


@pytest.fixture
def methods(tmp_path: Path) -> Path:
    """A file with a method that changes nothing."""
    (tmp_path / "odd.py").write_text(PLUGIN)
    return tmp_path / "odd.py"


@pytest.fixture
def odd(job: Job) -> Job:
    """The job with that method."""
    return with_odd(job)


def with_odd(job: Job) -> Job:
    return Job(json.dumps({**json.loads(job.spec), "regularization": [{"name": "odd"}]}), job.folder)


@pytest.fixture(scope="session")
def calm_odd(calm_job: Job, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What the job with that method comes to when nothing disturbs it."""
    folder = tmp_path_factory.mktemp("calm")
    (folder / "odd.py").write_text(PLUGIN)
    calm = with_odd(calm_job).elsewhere(folder / "job")
    assert calm.finish(methods=str(folder / "odd.py")) == 0
    return calm.results


@pytest.mark.parametrize(
    ("fault", "code", "limits", "said"),
    [
        ("raises", "raise ValueError('no such thing')", {}, "ValueError: no such thing"),
        (
            "sleeps for ever",
            "__import__('time').sleep(3600)",
            {"patience": 10.0},
            "TimeoutError: it took longer than 10 s",
        ),
        (
            "changes a shape",
            "return {key: p[0] for key, p in parameters.items()}, state",
            {},
            "must return a tensor of",
        ),
    ],
)
def test_a_method_that_fails_on_the_way(
    fault: str, code: str, limits: dict[str, Any], said: str, odd: Job, methods: Path, calm_odd: Results, told: Told
) -> None:
    methods.write_text(broken(code))
    assert odd.finish(methods=str(methods), **limits) == 1
    last = odd.said.splitlines()[-1]
    assert said in last
    assert "odd.py" in last
    assert odd.results == {}
    methods.write_text(PLUGIN)
    assert odd.finish(methods=str(methods)) == 0
    assert_same(calm_odd, odd.results)
    told(
        f"a method that {fault}",
        1,
        f"the last line of the log: `{without_folder(last)}`",
        "fix the method, run the job again; same results",
    )


def without_folder(line: str) -> str:
    return re.sub(r"/\S*/(?=odd\.py)", "", line)


def test_a_method_that_returns_nan(odd: Job, methods: Path, told: Told) -> None:
    methods.write_text(broken("return {key: p * float('nan') for key, p in parameters.items()}, state"))
    assert odd.finish(methods=str(methods)) == 0
    runs = odd.results["runs"]
    assert set(runs["status"]) == {"diverged"}
    assert set(runs["cause"]) == {"non-finite loss"}
    assert set(runs["diverged_step"]) == {1}, "the first step whose loss is of what the method made"
    told("a method that returns NaN", 1, "the run diverged, from step 1: non-finite loss", "nothing to recover")


NO_CLIP = {"clip": "none", "epochs": 1}
DIVERGING: dict[str, dict[str, Any]] = {
    "non-finite loss": {"optimizer": {"name": "sgd", "lr": 1e20}},
    "non-finite gradient": {"optimizer": {"name": "sgd", "lr": 1e4}, "loss": "squared_error"},
    "non-finite parameters": {
        "optimizer": {"name": "sgd", "lr": 3e38},
        "batch_size": 100,
        "regularization": {"name": "weight_decay", "strength": 1e3},
    },
    "chance level": {"optimizer": {"name": "sgd", "lr": 1e-12}},
}


@pytest.mark.parametrize("cause", DIVERGING)
def test_each_way_to_diverge_has_its_name(cause: str, digits: Digits, told: Told) -> None:
    ended = engine.train(variant(**{**NO_CLIP, **DIVERGING[cause]}), range(4), digits)
    assert {one.outcome.status for one in ended} == {"diverged"}
    assert cause in {one.outcome.cause for one in ended}
    told(
        f"a training that diverges: {cause}",
        1,
        "status `diverged` with this cause, in every table",
        "nothing to recover",
    )


@pytest.fixture(scope="session")
def calm_with_a_method(finished_once: tuple[Checkout, str], tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What the small study comes to with a method more, when nothing disturbs it."""
    copy = Checkout(shutil.copytree(finished_once[0].root, tmp_path_factory.mktemp("calm") / "copy", symlinks=True))
    with_a_method(small_study(copy))
    copy.snakemake("--cores", "2", "--", RUNS)
    return results_of(copy)


def assert_comes_to_its_end(study: Checkout, request: pytest.FixtureRequest) -> None:
    """The same command makes what is missing, which is what it would have been."""
    assert study.trainings_to_do() == 2
    study.snakemake("--cores", "2", "--", RUNS)
    assert_whole(study, request.getfixturevalue("calm_with_a_method"))


def test_a_failing_variant_leaves_the_rest_and_its_report(
    trained_study: Checkout, tries: int, told: Told, request: pytest.FixtureRequest
) -> None:
    study, report = trained_study, "results/smoke/paper/report.md"
    method, before = with_a_method(study), (study.root / report).read_text()
    method.write_text(broken("raise ValueError('no such thing')"))
    printed = study.snakemake("--cores", "2", "--keep-going", "--", report, expect=1)
    assert printed.count("FAILED train") == 2
    assert printed.count("failed in odd.py, line 17, update: ValueError: no such thing") == 2
    assert "With '--config partial=true' it trains nothing" in printed
    assert (study.root / report).read_text() == before
    study.snakemake("--cores", "2", "--config", "partial=true", "--", report)
    text = (study.root / report).read_text()
    assert "6 of its 18 runs are missing here" in text
    assert text.count("| `odd` ") == 2
    method.write_text(PLUGIN)
    if tries > 1:
        assert_comes_to_its_end(study, request)
    what = "FAILED with the line of its file; the others trained; with `partial=true` the report names what is missing"
    told("a failing variant, with `--keep-going`", 1, what, "fix the method, same command; same results")


def test_a_partial_report_of_nothing_is_refused(study: Checkout) -> None:
    printed = study.snakemake("-n", "--config", "partial=true", expect=1)
    assert "A partial report must have a variant with all its seeds. Got none in 'results/smoke' instead." in printed
    assert "Traceback" not in printed


def test_a_method_that_sleeps_in_a_study(
    trained_study: Checkout, tries: int, told: Told, request: pytest.FixtureRequest
) -> None:
    if tries < 2:
        pytest.skip("tried by make faults")
    method = with_a_method(trained_study)
    method.write_text(broken("__import__('time').sleep(3600)"))
    for as_it_is, shorter in (("LEAST_SECONDS = 600.0", "LEAST_SECONDS = 60.0"), ("PATIENCE = 50.0", "PATIENCE = 0.0")):
        trained_study.edit("study/jobs/failure.py", lambda text: text.replace(as_it_is, shorter))  # noqa: B023
    printed = trained_study.snakemake("--cores", "2", "--keep-going", "--", RUNS, expect=1)
    assert printed.count("FAILED train") == 2
    assert printed.count("failed in odd.py, line 17, update: TimeoutError: it took longer than 60 s") == 2
    method.write_text(PLUGIN)
    assert_comes_to_its_end(trained_study, request)
    what = "FAILED after the time limit of an epoch (shortened here), with the line of its file"
    told("a method that sleeps for ever, in a study", 1, what, "fix the method, same command; same results")
