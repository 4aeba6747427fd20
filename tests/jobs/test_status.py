"""How far a study is, told from files alone."""

import os
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from cases import STUDY

from study.config.cost import SECONDS_PER_PROGRAM, program_of, seconds_of
from study.config.errors import ConfigError
from study.config.read import parse
from study.config.study import Study
from study.config.variants import Block, Variant, expand, expand_trials
from study.jobs import status
from study.results.code_digest import folder_of


@pytest.fixture
def study() -> Study:
    return parse({**STUDY, "regimes": {"plain": None, "noisy": {"optimizer": {"lr": 0.5}}}})


def trained(root: Path, study: Study, variant: Variant, statuses: dict[int, str]) -> None:
    folder = root / "results" / study.name / "runs" / variant.regime / folder_of(variant) / Block(tuple(statuses)).name
    folder.mkdir(parents=True)
    pd.DataFrame({"status": list(statuses.values())}).to_parquet(folder / "runs.parquet")
    (folder / "weights.parquet").touch()


def logged(root: Path, study: Study, variant: Variant, text: str, age: float = 0.0) -> Path:
    log = root / "logs" / study.name / "train" / variant.regime / folder_of(variant) / "2_4.log"
    log.parent.mkdir(parents=True)
    log.write_text(text)
    os.utime(log, (log.stat().st_atime, log.stat().st_mtime - age))
    return log


def test_nothing_is_there_before_it_starts(study: Study, tmp_path: Path) -> None:
    cells = [*status.cells_of(study, tmp_path)]
    assert len(cells) == len(expand(study)) == 8
    assert {cell.state for cell in cells} == {"missing"}
    assert all(cell.seconds > 0 for cell in cells)
    own = sum(cell.seconds for cell in cells)
    programs = {program_of(one) for one in expand(study)}
    assert 1 < len(programs) < len(cells)
    assert seconds_of(cells) == pytest.approx(own + len(programs) * SECONDS_PER_PROGRAM)


def test_each_cell_has_the_state_that_its_files_tell(study: Study, tmp_path: Path) -> None:
    done, half, running, failed, ended, *rest = expand(study)
    trained(tmp_path, study, done, {2: "ok", 4: "diverged"})
    trained(tmp_path, study, half, {2: "ok"})
    logged(tmp_path, study, running, "epoch 1 of 3: train loss 2.3")
    error = "The clipping 'mine' failed in mine.py, line 3, clip: ValueError"
    log = logged(tmp_path, study, failed, f"epoch 1\n{error}\n")
    logged(tmp_path, study, ended, "epoch 1 of 3: train loss 2.3", age=2 * status.ALIVE)
    cells = [*status.cells_of(study, tmp_path)]
    assert [cell.state for cell in cells[:5]] == ["done", "missing", "running", "failed", "missing"]
    assert Counter(cell.state for cell in cells[5:]) == {"missing": len(rest)}
    assert (cells[0].runs, cells[0].diverged, cells[0].seconds) == (2, 1, 0.0)
    assert (cells[1].runs, cells[1].diverged) == (1, 0)
    assert 0 < cells[1].seconds < cells[2].seconds
    assert cells[3].why == f"{error}  [{log}]"


def test_the_trials_of_a_method_are_a_cell(tmp_path: Path) -> None:
    tuning = {"tuning": {"trials": 3, "seeds": 2}, "clips": ["none", "global_norm"], "grid": "alone"}
    study = parse({**STUDY, "regimes": {"tried": {**tuning, "regularizations": ["none", "l2", "dropout"]}}})
    done, failed, *left = expand_trials(study)
    table = tmp_path / "results" / study.name / "trials/tried" / folder_of(done) / "trials.parquet"
    table.parent.mkdir(parents=True)
    pd.DataFrame({"status": ["ok"] * 5 + ["diverged"]}).to_parquet(table)
    log = tmp_path / "logs" / study.name / "trials/tried" / f"{folder_of(failed)}.log"
    log.parent.mkdir(parents=True)
    log.write_text("The clipping 'mine' failed in mine.py, line 3, clip: ValueError\n")
    cells = [*status.cells_of(study, tmp_path)]
    assert len(cells) == len(left) + 2 + len(expand(study)) == 8
    assert (cells[0].state, cells[0].runs, cells[0].diverged, cells[0].seconds) == ("done", 6, 1, 0.0)
    assert cells[1].state == "failed"
    assert str(log) in cells[1].why
    assert {cell.state for cell in cells[2:]} == {"missing"}
    assert all(cell.seconds > 0 for cell in cells[1:])


def test_a_table_that_is_being_written_counts_no_runs(study: Study, tmp_path: Path) -> None:
    variant = expand(study)[0]
    trained(tmp_path, study, variant, {2: "ok", 4: "ok"})
    for table in tmp_path.rglob("runs.parquet"):
        table.write_bytes(b"PAR1")
    assert next(iter(status.cells_of(study, tmp_path))).runs == 0


def test_the_command_prints_counts_and_errors(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main(["smoke"]) == 0
    printed = capsys.readouterr().out
    assert "study smoke: 8 cells" in printed
    assert all(state in printed for state in status.STATES)
    assert status.main(["smkoe"]) == 1
    assert "Got 'smkoe' instead." in capsys.readouterr().err


def test_a_study_is_found_by_its_name_or_its_file() -> None:
    assert status.study_named("default") == status.study_named("config/study.yaml")
    with pytest.raises(ConfigError, match="STUDY must be one of"):
        status.study_named("none")
    with pytest.raises(ConfigError, match="must exist"):
        status.study_named("config/nothing.yaml")


def test_a_study_whose_configuration_lies_elsewhere_is_found_by_its_results(tmp_path: Path) -> None:
    ran = tmp_path / "mine" / "configuration.yaml"
    ran.parent.mkdir()
    ran.write_text(Path("config/smoke.yaml").read_text().replace("name: smoke", "name: mine"))
    assert status.study_named("mine", results=tmp_path).name == "mine"


def test_a_broken_configuration_hides_no_other_study(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: mine\nregimes: [\n")
    (tmp_path / "b.yaml").write_text(Path("config/smoke.yaml").read_text())
    assert status.study_named("smoke", tmp_path, tmp_path).name == "smoke"
    with pytest.raises(ConfigError, match=r"Got 'mine' instead.*\n.*a\.yaml: line 3: The file must be YAML"):
        status.study_named("mine", tmp_path, tmp_path)
