"""What holds for every registered figure, whatever the study."""

import pkgutil
from collections.abc import Iterable

import pytest
from matplotlib.figure import Figure

import study.figures
from study.figures import FIGURES

from .conftest import DRAWN, drawn, measured
from .conftest import study as tables_of
from .geometry import crowded_slants, outside, overlaps, tick_labels

pytestmark = pytest.mark.slow

OF_TRIALS = "trials of each method."
QUANTITIES = (
    "%",
    "percentage points",
    "epoch",
    "round",
    "norm of updates",
    "cosine between",
    "optimizer step",
    "strength / weakest",
    "gradient norm",
    "mean rank",
    "|w|",
    "clipping",
    "regularization",
    "loss",
    "parameter",
    "place in the grid",
    "swept",
    "difference as claimed",
    "learning rate",
    "threshold",
    "trials",
    "decades",
)
TABLES = {"runs", "epochs", "steps", "tensors", "weights", "samples"}
TABLES |= {"comparisons", "ranking", "regimes", "tuning", "profiles", "across", "claims"}
TABLES |= {"gains", "leaderboard", "budgets", "robustness"}


def together(name: str, figure: str = "") -> pytest.MarkDecorator:
    """Mark what draws a figure for one worker, so that it is drawn once; those of the default study are compared."""
    return pytest.mark.xdist_group(f"figures of {name}" if name == "default" else f"{figure} of {name}")


everywhere = pytest.mark.parametrize(
    ("name", "figure"), [pytest.param(*each, id="-".join(each), marks=together(*each)) for each in DRAWN]
)


def test_every_file_with_a_name_is_registered_and_no_other():
    files = {module.name for module in pkgutil.iter_modules(study.figures.__path__)}
    assert files - set(FIGURES) == {"_layout", "_style", "_summaries", "_tuning_table", "_words", "_workloads"}
    assert set(FIGURES) < files


@pytest.mark.parametrize("figure", FIGURES.values(), ids=list(FIGURES))
def test_a_figure_states_its_question_and_its_tables(figure):
    assert figure.question.endswith("?")
    assert set(figure.needs) <= TABLES
    assert len(figure.needs) > 0


@everywhere
def test_texts_neither_overlap_nor_leave_the_page(name, figure):
    layout = measured(name, figure)
    assert overlaps(layout) == []
    assert crowded_slants(layout) == []
    assert outside(layout) == []


@everywhere
def test_texts_are_legible_in_print(name, figure):
    assert min(placed.text.get_fontsize() for placed in measured(name, figure).texts) >= 7
    assert drawn(name, figure).get_figwidth() == pytest.approx(6.5)


@everywhere
def test_the_layout_is_settled_and_rounded(name, figure):
    page = drawn(name, figure)
    places = [edge for axes in page.axes for edge in axes.get_position(original=True).bounds]
    places += [place for text in page.texts for place in text.get_position()]
    assert places == pytest.approx([round(place, 5) for place in places], abs=1e-12)
    assert len(places) > 0


@everywhere
def test_axes_of_numbers_name_their_quantity(name, figure):
    page = drawn(name, figure)
    for axes in page.axes:
        for axis, of_page in ((axes.xaxis, page.get_supxlabel()), (axes.yaxis, page.get_supylabel())):
            if any(_is_number(label.get_text()) for label in tick_labels(axis)):
                title = axis.get_label_text() or of_page or axes.get_title(loc="left")
                assert any(quantity in title for quantity in QUANTITIES), title


def _is_number(text: str) -> bool:
    return text.lstrip("−$").startswith((*"0123456789", "\\mathdefault"))


@everywhere
def test_captions_open_with_the_question_and_count_the_seeds(name, figure):
    tables = {table: tables_of(name)[table] for table in FIGURES[figure].needs}
    caption = FIGURES[figure].caption(tables)
    assert caption.startswith(FIGURES[figure].question)
    assert any(
        words in caption
        for words in (
            "seeds per variant.",
            "1 seed per variant",
            "No runs.",
            "seeds per contrast.",
            "names none.",
            "trials of each method.",
        )
    )
    assert "nan" not in caption.split()
    scored = ["smallest validation loss" in FIGURES[figure].caption(tables, at) for at in ("last_epoch", "best_epoch")]
    assert scored == [False, FIGURES[figure].scored]


def _colors_by_label(page: Figure, labels: Iterable[str]) -> dict[str, set[str]]:
    """The colours of the lines whose name holds the label ("seeds of ...", "... zero")."""
    found: dict[str, set[str]] = {}
    longest_first = sorted(labels, key=len, reverse=True)
    for line in (line for axes in page.axes for line in axes.lines):
        name = str(line.get_label())
        for label in (label for label in longest_first if label in name):
            found.setdefault(label, set()).add(str(line.get_color()))
            break
    return found


@together("default")
def test_a_label_has_the_same_colour_in_every_figure(style):
    looks = {**style.clips, **style.regularizations}
    del looks["none"]
    seen = set()
    drawable = {figure for name, figure in DRAWN if name == "default"}
    for figure in sorted(drawable - {"ranking"}):  # which has a method's colour for all its strengths
        for label, colors in _colors_by_label(drawn("default", figure), looks).items():
            assert colors == {looks[label].color}, (figure, label)
            seen.add((figure, label))
    assert {label for _, label in seen} == set(looks)
    assert {figure for figure, _ in seen} >= {
        "gap_forest",
        "learning_curves",
        "gradient_norm",
        "clip_rate",
        "weights",
    }


@together("default")
def test_a_label_has_the_same_marker_wherever_it_has_one(style):
    for figure in ("gap_forest", "clip_rate", "weights"):
        for axes in drawn("default", figure).axes:
            for line in axes.lines:
                look = {**style.regularizations, **style.clips}.get(str(line.get_label()))
                assert look is None or line.get_marker() == look.marker
