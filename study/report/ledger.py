"""The ledger of claims in rows and sentences that a report can print."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd

from study.methods.labels import NONE, method_of
from study.methods.phrases import told_by
from study.report.format import number, p_text, several
from study.results.claims_words import plain

Row = dict[str, object]
HOLDS = {"supported": "holds", "contradicted": "does not hold", "undecided": "is undecided"}
HOLD = {"supported": "hold", "contradicted": "do not hold", "undecided": "are undecided"}
SAME, NEGATIVE = "same cell", "gaps below zero"
NOT_COMPARED = (SAME, NEGATIVE)
AGAINST = {"opposite": "opposite", "too small": "too small to matter", "loss": "harmful",
           "difference": "not the same"}  # fmt: skip
Link = Callable[[str], str]
DIFFERENCE = "difference (+ is as claimed)"
MOST_LISTED = 8  # settings and strengths in one sentence


def claims_rows(ledger: pd.DataFrame) -> list[Row]:
    """A row for each claim: what is claimed, the verdict, how its contrasts came out, and what it rests on."""
    return [_claim_row(part) for _, part in ledger.groupby("claim", sort=False)]


def _claim_row(part: pd.DataFrame) -> Row:
    compared = int((~part["contrast_verdict"].isin(NOT_COMPARED)).sum())
    return {
        "claim": plain(part["statement"].iloc[0]),
        "verdict": f"**{part['verdict'].iloc[0]}**",
        "holds if": f"{part['combine'].iloc[0]} of {compared}" if compared else "nothing compared",
        "contrasts": counts(part),
        "rests on": _rests_on(part),
    }


def counts(part: pd.DataFrame) -> str:
    """Count how the contrasts of a claim came out: "2 supported, 1 contradicted (opposite), 2 same cell"."""
    kinds = Counter(map(_shown, part["contrast_verdict"], part["against"].fillna("")))
    found = [_shown("contradicted", one) for one in ("", *AGAINST)]
    names = ["supported", *found, "undecided", *NOT_COMPARED]
    return ", ".join(f"{kinds[one]} {one}" for one in names if kinds[one])


def _shown(verdict: str, against: str) -> str:
    return f"{verdict} ({AGAINST[against]})" if against else verdict


def contrast_rows(
    ledger: pd.DataFrame, link: Link, names: Mapping[str, str] = MappingProxyType({})
) -> list[tuple[str, str, list[Row]]]:
    """For each claim its statement, its verdict in sentences, and a row for each contrast, with its verdict first.

    link: what a reference to a figure of a name is in print; names: what is read for regimes, methods and cells.
    """
    known = {NONE: "baseline", **names}
    lines = ledger.reset_index(drop=True)
    words = {column: [told_by(_text(text), known) for text in lines[column]] for column in ("contrast", "reached")}
    return [
        (plain(str(part["statement"].iloc[0])), told(part, known), _contrast_rows(part, link))
        for _, part in lines.assign(**words).groupby("claim", sort=False)
    ]


def told(part: pd.DataFrame, names: Mapping[str, str]) -> str:
    """The verdict of one claim, what it rests on, and the claim's own notes."""
    changed = [f"Changed after the first results had been seen: {text}" for text in _texts(part, "changed")]
    texts = (sentence(part), _scope(part), *changed, *_texts(part, "notes"))
    whole = plain(" ".join(filter(None, texts)))
    return re.sub("`([^`]+)`", lambda found: names.get(found[1], found[0]), whole)


def sentence(part: pd.DataFrame) -> str:
    """The verdict of one claim, and where its contrasts agree with it and where not.

    "Contradicted, where every contrast must hold: 2 of 4 hold (a; b), 2 do not hold (c; d)."
    """
    compared = part[~part["contrast_verdict"].isin(NOT_COMPARED)]
    verdict = _verdict(compared) if len(compared) else "Undecided: nothing is compared."
    return " ".join([verdict, *(_idle(part, why) for why in NOT_COMPARED if (part["contrast_verdict"] == why).any())])


IDLE = {
    SAME: "both sides are the same trained cell, since tuning chose the baseline or the strength that is compared with;"
    " they decide nothing.",
    NEGATIVE: "both gaps are below zero, so the lower is no sign of less overfitting; they decide nothing.",
}


def _idle(part: pd.DataFrame, why: str) -> str:
    return f"In {int((part['contrast_verdict'] == why).sum())} of {len(part)} contrasts {IDLE[why]}"


def _verdict(part: pd.DataFrame) -> str:
    verdict, combine = str(part["verdict"].iloc[0]), str(part["combine"].iloc[0])
    groups = {one: list(part.loc[part["contrast_verdict"] == one, "contrast"]) for one in HOLD}
    groups = {one: names for one, names in groups.items() if names}
    if len(groups) == 1:
        return f"{verdict.capitalize()}: {_whole(len(part), next(iter(groups)))}."
    counts = ", ".join(
        f"{len(names)}{f' of {len(part)}' if first == 0 else ''} {_verb(len(names), one)} ({several(names)})"
        for first, (one, names) in enumerate(groups.items())
    )
    asked = "every contrast must hold" if combine == "all" else "one contrast is enough"
    return f"{verdict.capitalize()}, where {asked}: {counts}."


def _whole(count: int, one: str) -> str:
    if count == 1:
        return f"its one contrast {HOLDS[one]}"
    return (
        f"{'both' if count == 2 else f'all {count}'} contrasts hold"
        if one == "supported"
        else f"none of its {count} contrasts " + ("holds" if one == "contradicted" else "is decided")
    )


def _verb(count: int, one: str) -> str:
    return HOLDS[one] if count == 1 else HOLD[one]


def _scope(part: pd.DataFrame) -> str:
    """Where it was looked at, and at which strengths where each method has but one."""
    settings, strengths = _listed(part, "settings"), _listed(part, "strengths")
    if not settings:
        return ""
    where = f"It rests on {_counted(len(settings), 'setting')} ({_quoted(settings)})"
    if not _one_strength(strengths):
        return f"{where}."
    each = "one strength" if len(strengths) == 1 else "one strength of each method"
    return f"{where} and {each} ({_quoted(strengths)})."


def _rests_on(part: pd.DataFrame) -> str:
    settings, strengths = _listed(part, "settings"), _listed(part, "strengths")
    if not settings:
        return "nothing"
    one = ", one strength" + (" each" if len(strengths) > 1 else "")
    return _counted(len(settings), "setting") + (one if _one_strength(strengths) else "")


def _one_strength(labels: list[str]) -> bool:
    return bool(labels) and max(Counter(map(method_of, labels)).values()) == 1


def _counted(count: int, what: str) -> str:
    return f"one {what}" if count == 1 else f"{count} {what}s"


def _quoted(names: list[str]) -> str:
    rest = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return ", ".join(f"`{name}`" for name in names[:MOST_LISTED]) + rest


def _listed(part: pd.DataFrame, column: str) -> list[str]:
    return [one for text in _texts(part, column) for one in text.split("; ")]


def _texts(part: pd.DataFrame, column: str) -> list[str]:
    """The text of a claim's column, which may be missing or empty, as one or none."""
    text = part[column].iloc[0]
    return [text] if isinstance(text, str) and text else []


def _contrast_rows(part: pd.DataFrame, link: Link) -> list[Row]:
    """A row each; a column that says nothing in any of them, or of seeds that are all alike, is left out."""
    rows = [_contrast_row(row, link) for _, row in part.iterrows()]
    idle = {key for key in ("reached", "seeds to decide") if not any(row[key] for row in rows)}
    if len({row["n"] for row in rows if row["n"]}) < 2 and not part["n_undefined"].any():
        idle.add("n")
    return [{key: value for key, value in row.items() if key not in idle} for row in rows]


def _contrast_row(row: pd.Series, link: Link) -> Row:
    verdict, traced = str(row["contrast_verdict"]), {"figure": link(row["figure"]), "line": int(str(row.name)) + 2}
    if verdict in NOT_COMPARED:
        blank = dict.fromkeys((DIFFERENCE, "reached", "asked", "p for", "p against", "n", "seeds to decide"), "")
        reached = _text(row["reached"]) if verdict == NEGATIVE else ""
        return {"contrast": row["contrast"], "verdict": f"*{verdict}*", **blank, "reached": reached, **traced}
    return {
        "contrast": row["contrast"],
        "verdict": _marked(verdict, _text(row["against"])),
        DIFFERENCE: _difference(row),
        "reached": _text(row["reached"]),
        "asked": _asked(row),
        "p for": p_text(row["p_for_adjusted"]),
        "p against": p_text(row["p_against_adjusted"]),
        "n": row["n"] if not row["n_undefined"] else f"{row['n']} ({row['n_undefined']} undefined)",
        "seeds to decide": _needed(row),
        **traced,
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _marked(verdict: str, against: str) -> str:
    return verdict if verdict == "supported" else f"*{_shown(verdict, against)}*"


def _scale(row: pd.Series) -> tuple[int, str]:
    """What shares are told in: percentage points."""
    return (100, " points") if row["points"] else (1, "")


def _difference(row: pd.Series) -> str:
    scale, unit = _scale(row)
    low, high = (scale * float(row[end]) for end in ("low", "high"))
    ends = f" [{number(low)}, {number(high)}]" if math.isfinite(low) else ""
    measured = str(row["unit"]).removeprefix("higher ") if row["expectation"] == "not_worse" else row["unit"]
    return f"{measured}: {number(scale * row['estimate'], sign=True)}{unit}{ends}"


def _needed(row: pd.Series) -> object:
    if row["contrast_verdict"] != "undecided":
        return ""
    if row["n"] < 2:
        return "undefined"
    return "over 10⁶" if pd.isna(row["seeds_to_decide"]) else int(row["seeds_to_decide"])


def _asked(row: pd.Series) -> str:
    bound = f"{_scale(row)[0] * float(row['smallest']):g}"
    words = {"increase": f"≥ {bound}", "not_worse": f"> −{bound}", "same": f"within ±{bound}"}
    return words[str(row["expectation"])].replace(" ", "\N{NO-BREAK SPACE}")
