"""The page of published results: every number from the tables beside it, every text from the declarations."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from study.methods.phrases import phrase
from study.published.equivalence import Summary, interval
from study.published.results import unscaled
from study.published.truths import Rounds, Truth, Truths
from study.utils.text import markdown_table, number, p_text, percent, signed

Row = Mapping[Hashable, Any]
VERDICTS = ("equivalent", "different", "cannot tell")
LOSSES = {"non_saturating": "non-saturating", "wasserstein": "Wasserstein"}
HEAD = """# Published results, run again

{verdicts}

`make published` writes this page from [`config/published.yaml`](../config/published.yaml). The margins were written
there before these runs. Earlier runs of the first FedAvg row had already taken 36 to 55 rounds. Tables:
[`{name}.csv`]({name}.csv), [`{name}/runs.csv`]({name}/runs.csv) and
[`{name}/eigenvalues.csv`]({name}/eigenvalues.csv).
"""
PICTURE = "![The difference of each rerun from its published mean, in margins]({name}.png)\n"
METHOD = """A result is **equivalent** if the 90 % interval of its difference from the published mean lies within the
margin (two one-sided t tests at the level .05), **different** if the whole interval lies beyond it; otherwise the runs
**cannot tell**. If a spread was published, the difference is judged by Welch's standard error; a bare number is taken
as exact. Power is the chance of "equivalent" if nothing differs. It uses the published spread, or the spread of the
runs here if none was published. Rounds are compared as factors, and their means are geometric.
"""
LEMMAS = """The game has one parameter a side, so a step near a point is a 2 x 2 matrix. Its eigenvalues are measured by
central differences of the step that trains any two players here, at a learning rate of 0.1. They are compared with the
lemma's; the table shows one of each pair. An absolute value below 1 means that the players converge. Penalties centred
at 1 have no derivative at the equilibrium, and the paper shows that they do not converge there (lemma 3.6); here they
are compared away from it. Instance noise is compared at the noise that is drawn.
"""


def page(
    truths: Truths, results: pd.DataFrame, runs: pd.DataFrame, eigenvalues: pd.DataFrame, name: str = "published"
) -> str:
    """Return the page as Markdown, of tables with the columns of `study.published.results`; name: of its files."""
    found = {str(row["result"]): row for row in results.to_dict("records")}
    parts = [HEAD.format(name=name, verdicts=_verdicts(results, eigenvalues)), _overview(truths, found)]
    parts += [METHOD, PICTURE.format(name=name)]
    parts += [_section(truth, found.get(truth.name), runs) for truth in truths.all]
    return "\n".join([*parts, _dirac(truths, eigenvalues)])


def _verdicts(results: pd.DataFrame, eigenvalues: pd.DataFrame) -> str:
    counts = results["verdict"].value_counts()
    said = ", ".join(f"{counts[one]} {one}" for one in VERDICTS if one in counts) or "none was run"
    equal = int((eigenvalues["verdict"] == "equivalent").sum())
    closed = f"{equal} of {len(eigenvalues)} closed forms of the Dirac-GAN are met"
    return f"**Results of trainings: {said}. {closed}.**"


def _overview(truths: Truths, found: Mapping[str, Row]) -> str:
    rows = [
        (truth.what, _published(truth), *_cells(truth, found[truth.name]))
        if truth.name in found
        else (truth.what, _published(truth), "not run", "", _margin(truth), "")
        for truth in truths.all
    ]
    heads = ("result", "published", "here [95 %]", "difference [90 %]", "margin", "verdict")
    return _table(heads, rows)


def _cells(truth: Truth, row: Row) -> tuple[str, str, str, str]:
    seeds = f"{row['seeds']} seeds"
    if np.isnan(row["ours"]):
        return f"not reached by all of {seeds}", "", _margin(truth), str(row["verdict"])
    here = f"{_value(truth, row['ours'])} [{_value(truth, row['low'])}, {_value(truth, row['high'])}], {seeds}"
    difference = _difference(truth, *(row[f"difference{end}"] for end in ("", "_low", "_high")))
    return here, difference, _margin(truth), f"{row['verdict']} (power {percent(row['power'], 0)})"


def _value(truth: Truth, value: float) -> str:
    return number(value) if isinstance(truth, Rounds) else percent(value, 2)


def _difference(truth: Truth, middle: float, low: float, high: float) -> str:
    if isinstance(truth, Rounds):
        return f"x {middle:.2f} [{low:.2f}, {high:.2f}]"
    points = [signed(100 * one, 2) for one in (middle, low, high)]
    return f"{points[0]} points [{points[1]}, {points[2]}]"


def _margin(truth: Truth) -> str:
    if isinstance(truth, Rounds):
        return f"x {truth.margin:g}"
    points = f"{100 * truth.margin:g}"
    return f"{points} point{'s' * (points != '1')}"


def _published(truth: Truth) -> str:
    published = truth.published
    mean = f"{published.mean:g}" if isinstance(truth, Rounds) else percent(published.mean, 2)
    return mean if published.sd is None else f"{mean} ± {100 * published.sd:.2f}, {published.runs} runs"


def _section(truth: Truth, row: Row | None, runs: pd.DataFrame) -> str:
    also = f" {_sentence(truth.also)}." if truth.also else ""
    lines = [f"## {truth.what}", "", f"Published: {truth.source}.{also}", ""]
    lines += [f"Margin: {_margin(truth)}, {truth.because.strip()}.", ""]
    lines += [f"Run as [`config/{truth.study}.yaml`](../config/{truth.study}.yaml). {_sentence(truth.differs)}.", ""]
    if row is not None:
        lines += [*_judgement(truth, row), ""]
    mine = runs[runs["study"].eq(truth.study) & runs["kind"].eq(truth.kind)]
    shown, there = mine[mine["regime"].isin(list(truth.shown))], set(mine["regime"])
    missing = [words for regime, words in truth.shown.items() if regime not in there]
    if missing and row is not None:
        lines += [f"Not run yet: {'; '.join(missing)}.", ""]
    return "\n".join([*lines, _shown(truth, shown)] if len(shown) else lines)


def _judgement(truth: Truth, row: Row) -> Iterator[str]:
    p = "" if np.isnan(row["p"]) else f" (p of the equivalence test: {p_text(row['p'])})"
    yield f"**{_sentence(str(row['verdict']))}**{p}.{_compared(truth, str(row['regime']))}"
    if row["verdict"] == "different":
        yield ""
        yield f"Reason: {truth.reason.strip()}."


def _compared(truth: Truth, regime: str) -> str:
    """Say which setting is compared, of several that count, and how many rows beside them do not."""
    if len(truth.regimes) == 1:
        return ""
    beside = len(set(truth.shown) - set(truth.regimes))
    best = f" Compared: the best of the first {len(truth.regimes)} rows ({truth.shown.get(regime, regime)})."
    return f"{best} The other {beside} help to explain it." if beside else best.replace("the first ", "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].strip()


def _shown(truth: Truth, runs: pd.DataFrame) -> str:
    """Return a table of a result's runs beside others that tell why it is as it is."""
    rows = []
    for regime, words in truth.shown.items():
        clips = runs[runs["regime"] == regime].groupby("clip", sort=False)
        for clip, own in clips:
            label = words if clips.ngroups == 1 else f"{words}, {phrase('clip', str(clip))}"
            rows.append((label, *_of_runs(truth, own["value"].to_numpy(float), int(own["limit"].max()))))
    return _table(("setting", "mean [95 %]", "each seed"), rows)


def _of_runs(truth: Truth, values: Any, limit: int) -> tuple[str, str]:
    each = ", ".join(_value(truth, one) if np.isfinite(one) else f"over {limit}" for one in values)
    if not np.isfinite(values).all() or len(values) < 2:
        return "", each
    summary = Summary.of(np.log(values) if isinstance(truth, Rounds) else values)
    mean, low, high = (_value(truth, unscaled(truth, one)) for one in (summary.mean, *interval(summary)))
    return f"{mean} [{low}, {high}]", each


def _dirac(truths: Truths, eigenvalues: pd.DataFrame) -> str:
    declared = truths.eigenvalues
    head = ["## Eigenvalues of the Dirac-GAN", "", f"Published: {declared.source}.", "", LEMMAS]
    head += [f"Margin: {declared.margin:g}, {declared.because.strip()}. Nothing is random, so there is no power.", ""]
    rows = [
        (
            *(row["case"], LOSSES[row["loss"]], row["lemma"]),
            _complex(row["closed_real"], row["closed_imaginary"]),
            _complex(row["real"], row["imaginary"]),
            f"{row['error']:.0e}".replace("-", "−") if row["error"] else "0",
            f"{abs(complex(row['real'], row['imaginary'])):.4f}",
            row["verdict"],
        )
        for row in eigenvalues.to_dict("records")
    ]
    heads = ("step", "loss", "source", "closed form", "measured", "error", "absolute value", "verdict")
    return "\n".join([*head, _table(heads, rows)])


def _complex(real: float, imaginary: float) -> str:
    return f"{real:.6f}" if abs(imaginary) < 1e-12 else f"{real:.6f} + {imaginary:.6f}i"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    return "\n".join([*markdown_table(heads, rows), ""])
