"""What the ledger of claims and the tuning say, in rows that a report can print."""

from __future__ import annotations

import math

import pandas as pd

from study.findings import number, p_text

Row = dict[str, object]
HOLDS = {"supported": "holds", "contradicted": "does not hold", "undecided": "is undecided"}
HOLD = {"supported": "hold", "contradicted": "do not hold", "undecided": "are undecided"}
MOST_NAMED = 4  # contrasts in one sentence


def claims_rows(ledger: pd.DataFrame) -> list[Row]:
    """A row for each claim: what is claimed, the verdict, how many contrasts it asks for, and how they came out."""
    return [
        {
            "claim": part["statement"].iloc[0],
            "verdict": f"**{part['verdict'].iloc[0]}**",
            "holds if": f"{part['combine'].iloc[0]} of {len(part)}",
            **{
                verdict: int((part["contrast_verdict"] == verdict).sum())
                for verdict in ("supported", "contradicted", "undecided")
            },
        }
        for _, part in ledger.groupby("claim", sort=False)
    ]


def contrast_rows(ledger: pd.DataFrame) -> list[tuple[str, str, list[Row]]]:
    """For each claim its statement, its verdict in a sentence, and a row for each contrast, with its verdict first."""
    return [
        (str(part["statement"].iloc[0]), sentence(part), [_contrast_row(row) for _, row in part.iterrows()])
        for _, part in ledger.groupby("claim", sort=False)
    ]


def sentence(part: pd.DataFrame) -> str:
    """The verdict of one claim, and where its contrasts agree with it and where not.

    "Contradicted as a claim about all of its contrasts, which disagree: 2 of 4 hold (a; b), 2 do not hold (c; d)."
    """
    verdict, combine = str(part["verdict"].iloc[0]), str(part["combine"].iloc[0])
    groups = {one: list(part.loc[part["contrast_verdict"] == one, "contrast"]) for one in HOLD}
    groups = {one: names for one, names in groups.items() if names}
    if len(groups) == 1:
        return f"{verdict.capitalize()}: {_whole(len(part), next(iter(groups)))}."
    counts = ", ".join(
        f"{len(names)}{f' of {len(part)}' if first == 0 else ''} {_verb(len(names), one)} ({_named_few(names)})"
        for first, (one, names) in enumerate(groups.items())
    )
    asked = "all of its contrasts" if combine == "all" else "any of its contrasts"
    if {"supported", "contradicted"} <= groups.keys():
        return f"{verdict.capitalize()} as a claim about {asked}, which disagree: {counts}."
    return f"{verdict.capitalize()} as a claim about {asked}: {counts}."


def _whole(count: int, one: str) -> str:
    if count == 1:
        return f"its one contrast {HOLDS[one]}"
    return (
        f"all {count} contrasts hold"
        if one == "supported"
        else f"none of its {count} contrasts " + ("holds" if one == "contradicted" else "is decided")
    )


def _verb(count: int, one: str) -> str:
    return HOLDS[one] if count == 1 else HOLD[one]


def _named_few(names: list[str]) -> str:
    rest = f"; and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return "; ".join(names[:MOST_NAMED]) + rest


def _contrast_row(row: pd.Series) -> Row:
    return {
        "contrast": row["contrast"],
        "verdict": _shown(str(row["contrast_verdict"])),
        "difference": _difference(row),
        "asked": _asked(str(row["expectation"]), float(row["smallest"])),
        "p for": p_text(row["p_for_adjusted"]),
        "p against": p_text(row["p_against_adjusted"]),
        "n": row["n"] if not row["n_undefined"] else f"{row['n']} ({row['n_undefined']} undefined)",
        "seeds to decide": _needed(row),
    }


def _shown(verdict: str) -> str:
    return verdict if verdict == "supported" else f"*{verdict}*"


def _difference(row: pd.Series) -> str:
    low, high = number(row["low"]), number(row["high"])
    return f"{number(row['estimate'], sign=True)} [{low}, {high}] {row['unit']}"


def _needed(row: pd.Series) -> object:
    if row["contrast_verdict"] != "undecided":
        return ""
    if row["n"] < 2:
        return "undefined"
    return "over 10⁶" if pd.isna(row["seeds_to_decide"]) else int(row["seeds_to_decide"])


def _asked(expectation: str, smallest: float) -> str:
    bound = f"{smallest:g}"
    words = {"increase": f"≥ {bound}", "not_worse": f"> −{bound}", "same": f"within ±{bound}"}
    return words[expectation].replace(" ", "\N{NO-BREAK SPACE}")


def tuning_rows(tuning: pd.DataFrame, tuned: pd.DataFrame) -> list[tuple[str, list[Row], list[Row]]]:
    """For each tuned setting two rows for each method: what was chosen and what that cost, and what it brought."""
    return [
        (
            str(setting),
            [_choice_row(part) for _, part in of_setting.groupby(["kind", "method"], sort=False)],
            [_worth_row(part, tuned) for _, part in of_setting.groupby(["kind", "method"], sort=False)],
        )
        for setting, of_setting in tuning[tuning["method"] != "none"].groupby("setting", sort=False)
    ]


def _choice_row(candidates: pd.DataFrame) -> Row:
    chosen = candidates[candidates["chosen"]].iloc[0]
    training = candidates[candidates["chosen_by_training"]].iloc[0]
    best = candidates[candidates["best_on_test"]]
    several = len(set(candidates["regime"])) > 1
    return {
        "chosen": _named(chosen, several),
        "edge": chosen["edge"] if isinstance(chosen["edge"], str) else "",
        "by training loss": _named(training, several),
        "best on test": "undefined" if best.empty else _named(best.iloc[0], several),
        "regret (points; nats)": f"{number(100 * chosen['regret'])}; {number(chosen['regret_loss'])}",
    }


def _worth_row(candidates: pd.DataFrame, tuned: pd.DataFrame) -> Row:
    chosen = candidates[candidates["chosen"]].iloc[0]
    same = (tuned["setting"] == chosen["setting"]) & (tuned["kind"] == chosen["kind"])
    effect = tuned[same & (tuned["method"] == chosen["method"]) & (tuned["metric"] == "test_accuracy")].iloc[0]
    return {
        "as chosen, against none": f"`{chosen['method']}`",
        "test accuracy less none's (points)": _points(effect),
        "p": p_text(effect["p_adjusted"]),
        "P(> none)": _wins(effect),
    }


def across_rows(across: pd.DataFrame) -> list[Row]:
    """A row for each method and group of settings: its robust mean gain, and where it outperforms none."""
    return [
        {
            "over": f"{row['settings']} settings ({row['regime']})",
            "method": f"`{row['method']}`",
            "interquartile mean gain (points)": _points(row.rename({"iqm": "estimate"})),
            "better in": f"{row['better']} of {row['settings']}",
            "worse in": f"{row['worse']} of {row['settings']}",
        }
        for _, row in across.iterrows()
    ]


def _named(candidate: pd.Series, with_regime: bool) -> str:
    none = "" if candidate["label"] != "none" else f" of `{candidate['method']}`"
    return f"`{candidate['label']}`{none}{_tuned_along(candidate) if with_regime else ''}"


def _tuned_along(candidate: pd.Series) -> str:
    """What the name of the candidate's regime says beyond that of its setting: ", lr=0.1"."""
    setting = str(candidate["setting"]).split("_")
    return "".join(f", {part}" for part in str(candidate["regime"]).split("_") if part not in setting)


def _wins(effect: pd.Series) -> str:
    """`.90 [.70, 1.0], better`: how often it wins over seeds, and the rule's word where it has one."""
    if not math.isfinite(effect["superiority_low"]):
        return number(effect["superiority"])
    low, high = (f"{effect[key]:.2f}" for key in ("superiority_low", "superiority_high"))
    word = f", {effect['outperforms']}" if effect["outperforms"] in ("better", "worse") else ""
    return f"{effect['superiority']:.2f} [{low}, {high}]{word}"


def _points(row: pd.Series) -> str:
    if not math.isfinite(row["estimate"]):
        return "undefined"
    low, high = (number(100 * row[key]) for key in ("low", "high"))
    return f"{number(100 * row['estimate'], sign=True)} [{low}, {high}]"
