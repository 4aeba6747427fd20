"""The page on how the suite is built says what the code says."""

import re
import subprocess
import sys

from docs import rooms
from study.figures import FIGURES
from study.utils.imports import ROOT, sources_of

PAGE = rooms.PAGE.read_text(encoding="utf-8")


def test_the_drawing_is_that_of_the_code() -> None:
    """After a change of imports: `make rooms`."""
    assert rooms.with_drawing(PAGE) == PAGE


def test_every_file_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:\w+/)+(?:\w+\.\w+)?)`", PAGE))
    assert "config/read.py" in named
    assert [name for name in sorted(named) if not (ROOT / name).exists() and not (ROOT / "study" / name).exists()] == []


def test_arrows_that_follow_from_others_are_left_out() -> None:
    arrows = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert rooms.essential(arrows) == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert rooms.reachable("a", arrows) == {"b", "c"}


def test_rooms_import_downwards_only() -> None:
    _, arrows = rooms.rooms()
    assert [name for name in arrows if name in rooms.reachable(name, arrows)] == []


def test_the_library_knows_nothing_of_the_workflow() -> None:
    for file in (ROOT / "study").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) snakemake", file.read_text(encoding="utf-8"), re.MULTILINE), file


def test_what_draws_nothing_loads_no_matplotlib() -> None:
    """To plan, to train and to tell; drawing takes half a second to load."""
    names = ["study.config.read", "study.jobs.job", "study.figures", "study.report.tables", "study.analysis.ranking"]
    code = f"import sys, {', '.join(names)}; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_what_trains_nothing_loads_no_torch() -> None:
    """To plan, to draw and to tell; torch takes more time to load than a figure to draw."""
    names = ["study.config.read", "study.jobs.packs", "study.jobs.progress", "study.results.provenance"]
    names += [f"study.figures.{name}" for name in FIGURES]
    names += ["study.report.render", "study.explorer.build", "study.report.status", "study.analysis.two_studies"]
    code = f"import sys, {', '.join(names)}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_script_depends_on_what_it_imports() -> None:
    sources = sources_of("workflow/scripts/analyse.py")
    assert {"study/analysis/comparisons.py", "study/results/store.py", "workflow/scripts/analyse.py"} <= set(sources)
    assert not [name for name in sources if name.startswith(("study/figures/", "study/report/"))]
