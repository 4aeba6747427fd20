"""The ledger in words: a sentence a claim says what held where, whatever the verdict."""

import pandas as pd
import pytest

from study.report.ledger import claims_rows, contrast_rows, sentence


def claim(verdict: str, combine: str, **contrasts: str) -> pd.DataFrame:
    numbers = {"estimate": 0.02, "low": 0.01, "high": 0.03, "unit": "accuracy gap", "expectation": "increase",
               "smallest": 0.01, "points": True, "figure": "claims", "against": "", "p_for_adjusted": 0.01,
               "p_against_adjusted": 1.0, "n": 10, "n_undefined": 0, "seeds_to_decide": 40, "reached": "",
               "changed": "the margin.", "notes": "Mind the gap.", "settings": "memorize",
               "strengths": "l2(0.1); dropout(0.5)"}  # fmt: skip
    return pd.DataFrame(
        [
            {"claim": "c", "statement": "It helps.", "verdict": verdict, "combine": combine, "contrast": name,
             "contrast_verdict": one, **numbers}
            for name, one in contrasts.items()
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (claim("supported", "all", a="supported", b="supported"), "Supported: both contrasts hold."),
        (claim("supported", "all", a="supported"), "Supported: its one contrast holds."),
        (claim("contradicted", "any", a="contradicted", b="contradicted"),
         "Contradicted: none of its 2 contrasts holds."),
        (claim("undecided", "all", a="undecided", b="undecided"), "Undecided: none of its 2 contrasts is decided."),
        (claim("contradicted", "all", a="supported", b="contradicted", c="supported"),
         "Contradicted, where every contrast must hold:"
         " 2 of 3 hold (a; c), 1 does not hold (b)."),
        (claim("supported", "any", a="contradicted", b="supported"),
         "Supported, where one contrast is enough: 1 of 2 holds (b), 1 does not hold (a)."),
        (claim("undecided", "all", a="supported", b="undecided"),
         "Undecided, where every contrast must hold: 1 of 2 holds (a), 1 is undecided (b)."),
        (claim("contradicted", "any", a="same cell", b="contradicted"),
         "Contradicted: its one contrast does not hold. In 1 of 2 contrasts both sides are the same trained cell, since"
         " tuning chose the baseline or the strength that is compared with; they decide nothing."),
        (claim("undecided", "any", a="same cell"),
         "Undecided: nothing is compared. In 1 of 1 contrasts both sides are the same trained cell, since tuning chose"
         " the baseline or the strength that is compared with; they decide nothing."),
    ],
)  # fmt: skip
def test_a_verdict_says_where_it_holds(part: pd.DataFrame, expected: str) -> None:
    assert sentence(part) == expected


def link(figure: str) -> str:
    return f"[1](#{figure})"


def test_each_contrast_shows_its_own_verdict_beside_its_name() -> None:
    part = claim("contradicted", "all", a="supported", b="contradicted", c="undecided")
    part.loc[1, "against"] = "too small"
    ((statement, told, rows),) = contrast_rows(part, link)
    scope = "It rests on one setting (`memorize`) and one strength of each method (`l2(0.1)`, `dropout(0.5)`)."
    changed = "Changed after the first results had been seen: the margin. Mind the gap."
    assert (statement, told) == ("It helps.", f"{sentence(part)} {scope} {changed}")
    assert [list(row)[:2] for row in rows] == [["contrast", "verdict"]] * 3
    verdicts = ["supported", "*contradicted (too small to matter)*", "*undecided*"]
    assert [row["verdict"] for row in rows] == verdicts
    assert [row["seeds to decide"] for row in rows] == ["", "", 40]
    (row,) = claims_rows(part)
    assert row["contrasts"] == "1 supported, 1 contradicted (too small to matter), 1 undecided"
    assert (row["holds if"], row["rests on"]) == ("all of 3", "one setting, one strength each")


def test_each_contrast_names_the_figure_that_shows_it_and_its_line_of_the_ledger() -> None:
    two = [claim("supported", "all", a="supported", b="same cell"), claim("supported", "all", c="supported")]
    ledger = pd.concat([two[0], two[1].assign(claim="d")])
    rows = [row for _, _, own in contrast_rows(ledger, link) for row in own]
    assert [row["figure"] for row in rows] == ["[1](#claims)"] * 3
    assert [row["line"] for row in rows] == [2, 3, 4], "the header is the first line of the file"


def test_a_contrast_of_a_cell_with_itself_shows_no_numbers_and_shares_are_told_in_points() -> None:
    ((_, _, rows),) = contrast_rows(claim("contradicted", "any", a="same cell", b="contradicted"), link)
    assert [row["difference (+ is as claimed)"] for row in rows] == ["", "accuracy gap: +2.0 points [1.0, 3.0]"]
    assert [row["asked"] for row in rows] == ["", "≥\N{NO-BREAK SPACE}1"]
    (row,) = claims_rows(claim("undecided", "any", a="same cell").assign(settings=float("nan")))
    assert (row["holds if"], row["rests on"]) == ("nothing compared", "nothing")


def test_contrasts_their_scope_and_notes_are_told_in_words() -> None:
    part = claim("undecided", "any", **{"map_lr=3: value(0.1)": "undecided", "map_lr=3: value(1)": "same cell"}).assign(
        reached="31.0 %, none 15.6 %",
        settings="map_lr=3",
        notes="In `map_lr=3` tuning chose none for `value`; mind it.",
    )
    names = {"map_lr=3": "*map, rate 3*", "value": "value", "value(0.1)": "clip values at ±0.1"}
    ((_, told, rows),) = contrast_rows(part, link, names)
    assert [row["contrast"] for row in rows] == ["*map, rate 3*: clip values at ±0.1", "*map, rate 3*: value(1)"]
    assert rows[0]["reached"] == "31.0 %, baseline 15.6 %"
    assert "It rests on one setting (*map, rate 3*)" in told
    assert told.endswith("In *map, rate 3* tuning chose the baseline over value; mind it.")
