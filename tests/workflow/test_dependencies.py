"""An edit of a module makes again what imports it, and nothing else."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.utils.imports import ROOT, sources_of
from tests.checkout import Checkout

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("dependencies")]  # one worker: they share a study

SCRIPTS = (
    "analyse",
    "collect",
    "figure",
    "provenance",
    "report",
    "tables",
)  # of the smoke study, by their rules' names
ENGINE, NO_TRAINING = {"train"}, set[str]()
TRAINED_BY = ("study/optim/rng.py", "study/training/step.py")
EDITED = {
    "study/analysis/statistics.py": NO_TRAINING,
    "study/report/convert.py": NO_TRAINING,
    "study/figures/_layout.py": NO_TRAINING,
    "study/figures/weights.py": NO_TRAINING,
    "study/results/store.py": NO_TRAINING,
    "study/config/tuning.py": NO_TRAINING,
    "study/optim/rng.py": ENGINE,
    "study/training/step.py": ENGINE,
}
OF_NO_RULE = ("study/analysis/verification.py", "study/catalogue/page.py", "study/clipping/value.py")


def rules_that_import(module: str) -> Iterator[str]:
    for name in SCRIPTS:
        figures = [f"study/figures/{file.name}" for file in (ROOT / "study/figures").glob("[a-z]*.py")]
        if module in sources_of(f"workflow/scripts/{name}.py", *(figures if name == "figure" else [])):
            yield name


def wants_to_run(printed: str) -> set[str]:
    """The rules with a reason of their own, not only because of what runs before them."""
    reasons = printed.partition("Reasons:")[2]
    found = re.findall(r"^ {4}(\S[^\n]*):\n {8}(.*)$", reasons, re.MULTILINE)
    return {rule for why, rules in found if "another job" not in why for rule in rules.split(", ")}


def planned(printed: str) -> set[str]:
    return set(re.findall(r"^(\w+) +\d+$", printed, re.MULTILINE))


@pytest.fixture(scope="module")
def studied(finished_once: tuple[Checkout, str], tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(shutil.copytree(finished_once[0].root, tmp_path_factory.mktemp("studied") / "copy", symlinks=True))


def planned_after_an_edit(studied: Checkout, *modules: str) -> str:
    """What a dry run prints while the modules have a line more."""
    before = {studied.root / module: (studied.root / module).read_text() for module in modules}
    for path, text in before.items():
        path.write_text(f"{text}\nedited = 1\n")
    try:
        return studied.snakemake("--dry-run")
    finally:
        for path, text in before.items():
            path.write_text(text)


@pytest.mark.parametrize("module", EDITED)
def test_an_edit_is_noticed_by_what_imports_it(studied: Checkout, module: str) -> None:
    printed = planned_after_an_edit(studied, module)
    importing = {*rules_that_import(module), *EDITED[module]}
    if module not in TRAINED_BY:  # other trainings are other files: what collects them has a reason of its own
        assert wants_to_run(printed) <= importing, "nothing else has a reason to run"
    assert importing <= planned(printed), "by itself, or after what runs before it"


def test_an_edit_of_what_no_rule_imports_is_noticed_by_none(studied: Checkout) -> None:
    """Nor is anything trained by what the study's variants do not use."""
    assert not any([*rules_that_import(module)] for module in OF_NO_RULE)
    assert planned(planned_after_an_edit(studied, *OF_NO_RULE)) == set()


def test_every_script_opens_its_log_before_it_imports_the_library() -> None:
    """So that a failing import is in the log."""
    scripts = sorted(Path(ROOT, "workflow/scripts").glob("*.py"))
    assert scripts
    for script in scripts:
        before, opened, _ = script.read_text().partition("sys.stderr = open(snakemake.log[0]")
        assert opened or "import study" not in before, script.name
        assert not re.search(r"^(from|import) (?!sys$)", before, re.MULTILINE) or not opened, script.name


def test_every_rule_with_a_script_names_what_the_script_imports() -> None:
    exempt = {
        "data": "what it brings is verified by checksum",
        "train": "by the fingerprint of its code",
        "attempt": "likewise",
        "retrain": "likewise",
        "configuration": "its script imports nothing of the library",
    }
    for file in sorted(Path(ROOT, "workflow/rules").glob("*.smk")):
        for name, body in re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", file.read_text(), re.MULTILINE | re.DOTALL):
            if (script := re.search(r'script:\s+"\.\./scripts/(\w+\.py)"', body)) and name not in exempt:
                assert f'sources("workflow/scripts/{script[1]}"' in body, name
