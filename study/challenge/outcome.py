"""Outcome of a ranking: the entry, its tables, a page with a picture, and what a terminal shows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from study.challenge.command import Rank
from study.challenge.entry import (
    Entry,
    choice_facts,
    gains_facts,
    made_facts,
    method_facts,
    place_facts,
    protocol_facts,
    run_lines,
    tuning_seeds,
)
from study.challenge.plan import trials_path
from study.challenge.ranking import RANKED_BY, Ranking, reproduced, runs_of
from study.challenge.rerun import chosen_trial
from study.challenge.terms import DRAWN, Method, read_runs
from study.figures import FIGURES
from study.figures._style import save, style_for
from study.methods.phrases import method_words
from study.report.format import number, with_interval
from study.results import store
from study.results.store import atomically
from study.utils.text import markdown_table

UNITS = {"best_test_accuracy": (100, "points"), "best_test_loss": (1, "nats")}
TITLES = {"best_test_accuracy": "test accuracy (points)", "best_test_loss": "test loss (nats)"}
MARK = "→"
SIGNS = {"supported": "+", "harm": "−", "no gain found": "=", "undecided": "?", "not tested": "×"}


def entry_of(rank: Rank) -> Entry:
    """Return the entry of a method whose trainings are all there."""
    plan, benchmark, submission = rank.plan, rank.benchmark, rank.submission
    evaluated = runs_of(plan, plan.evaluated)
    runs = pd.concat([evaluated, runs_of(plan, plan.drawn, drawn=True)], ignore_index=True)
    lines = run_lines(runs)
    chosen = {
        name: choice_facts(*chosen_trial(one, store.read(trials_path(plan.folder, one))))
        for name, one in plan.tried.items()
    }
    ranking = Ranking.of(benchmark, rank.workloads, read_runs(io.StringIO("\n".join(lines))))
    different = reproduced(benchmark, plan)
    return Entry(
        method=method_facts(submission),
        digest=submission.digest,
        code={name: text.split("\n") for name, text in submission.code.items()},
        protocol=protocol_facts(benchmark),
        published=benchmark.digests,
        workloads=rank.workloads,
        drawn=benchmark.terms.drawn.model_dump(mode="json"),
        seeds={
            "evaluation": list(benchmark.study.seeds),
            "tuning": tuning_seeds(benchmark, list(plan.tried)),
            "drawn": list(plan.drawn[0].seeds),
        },
        chosen=chosen,
        gains=gains_facts(ranking.of_method(submission.cell)),
        place=place_facts(ranking.place(submission.cell), len(ranking.board)),
        baseline={"runs": len(plan.repeated), "different": different},
        made=made_facts(plan.task(plan.evaluated[0]).tables["runs"]),
        runs=lines,
    )


def write(rank: Rank) -> None:
    """Write the entry, its tables, its picture, its page and its summary into the folder of the plan."""
    folder, entry = rank.plan.folder, entry_of(rank)
    ranking = Ranking.of(rank.benchmark, rank.workloads, entry.table)
    store.write(ranking.gains, folder / "gains.csv")
    store.write(ranking.board, folder / "leaderboard.csv")
    save(drawn(ranking, rank.submission.cell), folder / "ranking", ("png", "svg"))
    page = "\n".join(page_lines(entry, ranking, rank.submission.cell))
    atomically(folder / "ranking.md", lambda file: file.write_text(page + "\n", encoding="utf-8"))
    summary = "\n".join([*summary_lines(entry, ranking, rank.submission.cell), "", *_where(folder)])
    atomically(folder / "summary.txt", lambda file: file.write_text(summary + "\n", encoding="utf-8"))
    entry.write(folder / "entry.json")


def _where(folder: Path) -> Iterator[str]:
    yield f"the page: {folder / 'ranking.md'} (tables and pictures beside it)"
    yield f"the entry: {folder / 'entry.json'}; another person verifies it by make verify-entry ENTRY=..."


def drawn(ranking: Ranking, method: Method) -> Figure:
    """Return the leaderboard's figure with the row of a method in bold."""
    figure = FIGURES["leaderboard"].draw({"leaderboard": ranking.board, "gains": ranking.gains}, style_for([], []))
    for label in (one for axes in figure.axes for one in axes.get_yticklabels()):
        if label.get_text() == method_words(*method):
            label.set_fontweight("bold")
    return figure


# ------------------------------------------------------------------ in words


def head(ranking: Ranking, method: Method) -> str:
    """Return where a method came, among all and among those of as many workloads, in two sentences."""
    place, board = ranking.place(method), ranking.board
    mean, low, high = (float(str(place[key])) for key in ("mean_rank", "low", "high"))
    rank = with_interval(mean, low, high)
    alike = board[board["workloads"] == place["workloads"]]
    own = int((alike["place"] <= place["place"]).sum())
    return (
        f"Place {place['place']} of {len(board)} by mean rank: {rank}, where 0 is the best and 1 the last of each"
        f" workload. Among the {len(alike)} methods that were tried on {several(int(str(place['workloads'])))}, it is"
        f" at place {own}."
    )


def several(workloads: int) -> str:
    """Return a number of workloads, in words."""
    return "this workload" if workloads == 1 else f"all {workloads} workloads"


def reproduction(entry: Entry) -> str:
    """Return whether the published baseline came out the same here, in a sentence."""
    runs, different = entry.baseline["runs"], entry.baseline["different"]
    if not different:
        return f"This machine reproduces the published baseline: yes, {runs} of {runs} runs to all printed digits."
    return (
        f"This machine reproduces the published baseline: no, {runs - len(different)} of {runs} runs"
        f" ({'; '.join(different)}). Gains are of runs on other machines than the baseline's."
    )


def gain_told(row: pd.Series) -> str:
    """Return a gain with its interval and verdict: `+1.2 [0.8, 1.6] supported`."""
    scale, _ = UNITS[str(row["metric"])]
    value, low, high = (scale * float(row[key]) for key in ("gain", "low", "high"))
    return f"{with_interval(value, low, high, signed=True)} {row['verdict']}"


def own_rows(ranking: Ranking, method: Method) -> Iterator[tuple[str, ...]]:
    """Yield each workload with a method's gains over the baseline in accuracy and loss."""
    for regime, part in ranking.of_method(method).groupby("regime", sort=False):
        by = {str(row["metric"]): gain_told(row) for _, row in part.iterrows()}
        yield (_workload(str(regime)), *(by[metric] for metric in RANKED_BY))


def board_rows(ranking: Ranking) -> Iterator[tuple[Method, tuple[str, ...]]]:
    """Yield each method of the leaderboard: place, name, mean rank, and its gain with a sign on each workload."""
    primary = ranking.gains[ranking.gains["metric"] == RANKED_BY[0]]
    cells = {
        (row["clip_method"], row["regularization_method"], row["regime"]): _short(row)
        for row in primary.to_dict("records")
    }
    for row in ranking.board.to_dict("records"):
        method = (str(row["clip_method"]), str(row["regularization_method"]))
        rank = with_interval(row["mean_rank"], row["low"], row["high"])
        gains = (cells.get((*method, regime), "") for regime in places(ranking))
        yield method, (str(row["place"]), method_words(*method), rank, *gains)


def _short(row: dict[object, object]) -> str:
    gain = 100 * float(str(row["gain"]))
    return f"{number(gain, sign=True)} {SIGNS[str(row['verdict'])]}" if gain == gain else SIGNS[str(row["verdict"])]


def places(ranking: Ranking) -> list[str]:
    """Return the workloads in their order, the drawn one last."""
    return list(dict.fromkeys(ranking.gains["regime"].astype(str)))


def _workload(name: str) -> str:
    return "drawn seeds" if name == DRAWN else name.replace("_", " ")


LEGEND = "+ gains more than the margin, − loses more than it, = gains less than it, ? undecided, × not comparable"


def summary_lines(entry: Entry, ranking: Ranking, method: Method) -> Iterator[str]:
    """Yield the outcome as lines of a terminal."""
    yield f"Gain of '{entry.name}' over the baseline at the best validation epoch, 95 % intervals over seeds:"
    yield from _aligned([("", *(TITLES[metric] for metric in RANKED_BY)), *own_rows(ranking, method)])
    yield from ("", head(ranking, method), f"Gain in test accuracy, points: {LEGEND}.")
    rows = [("", "", "method", "mean rank", *map(_workload, places(ranking)))]
    rows += [(MARK if one == method else "", *cells) for one, cells in board_rows(ranking)]
    yield from _aligned(rows)
    yield from ("", reproduction(entry))


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def page_lines(entry: Entry, ranking: Ranking, method: Method) -> Iterator[str]:
    """Yield the page as lines of Markdown."""
    frozen, margins = entry.protocol, ranking.gains.drop_duplicates("metric").set_index("metric")["margin"]
    yield from (f"# {method_words(*method).capitalize()} among the published methods", "", head(ranking, method), "")
    yield from (f"![Mean rank and gain of each method; {entry.name} in bold](ranking.png)", "")
    yield (
        f"By protocol {frozen['number']} of `{frozen['study']}` (`{frozen['digest']}`): the same trials of learning"
        " rate and strength and the same seeds as each method there. `drawn seeds` is"
        f" `{entry.drawn['workload']}` once more with seeds that follow from the entry's digest, `{entry.digest[:16]}`."
        f" Margins: {100 * margins[RANKED_BY[0]]:g} points, {margins[RANKED_BY[1]]:g} nats; p values are adjusted by"
        " Holm's method with the entry among the methods of a workload and kind."
    )
    yield from ("", "## Its gains over the baseline", "")
    yield from markdown_table(("workload", *(TITLES[one] for one in RANKED_BY)), list(own_rows(ranking, method)))
    yield from ("", "## What its trials chose", "")
    chosen = [(_workload(k), f"`{v['label']}`", f"{v['lr']:g}", str(v["trial"])) for k, v in entry.chosen.items()]
    yield from markdown_table(("workload", "method", "learning rate", "trial"), chosen)
    yield from ("", "## All methods", "", f"Gain in test accuracy, points. {LEGEND}.", "")
    rows = [tuple(f"**{c}**" if one == method and c else c for c in cells) for one, cells in board_rows(ranking)]
    yield from markdown_table(("place", "method", "mean rank", *map(_workload, places(ranking))), rows)
    yield from ("", reproduction(entry))
