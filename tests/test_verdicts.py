"""The ledger in words: a sentence a claim says what held where, whatever the verdict."""

import pandas as pd
import pytest

from study.verdicts import claims_rows, contrast_rows, sentence


def claim(verdict: str, combine: str, **contrasts: str) -> pd.DataFrame:
    numbers = {"estimate": 0.02, "low": 0.01, "high": 0.03, "unit": "accuracy gap", "expectation": "increase",
               "smallest": 0.01, "p_for_adjusted": 0.01, "p_against_adjusted": 1.0, "n": 10, "n_undefined": 0,
               "seeds_to_decide": 40, "reached": "", "notes": "It was changed.", "settings": "memorize",
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
        (claim("supported", "all", a="supported", b="supported"), "Supported: all 2 contrasts hold."),
        (claim("supported", "all", a="supported"), "Supported: its one contrast holds."),
        (claim("contradicted", "any", a="contradicted", b="contradicted"),
         "Contradicted: none of its 2 contrasts holds."),
        (claim("undecided", "all", a="undecided", b="undecided"), "Undecided: none of its 2 contrasts is decided."),
        (claim("contradicted", "all", a="supported", b="contradicted", c="supported"),
         "Contradicted as a claim about all of its contrasts, which disagree:"
         " 2 of 3 hold (a; c), 1 does not hold (b)."),
        (claim("supported", "any", a="contradicted", b="supported"),
         "Supported as a claim about any of its contrasts, which disagree: 1 of 2 holds (b), 1 does not hold (a)."),
        (claim("undecided", "all", a="supported", b="undecided"),
         "Undecided as a claim about all of its contrasts: 1 of 2 holds (a), 1 is undecided (b)."),
        (claim("contradicted", "any", a="same cell", b="contradicted"),
         "Contradicted: its one contrast does not hold. In 1 of 2 contrasts both sides are the same trained cell, since"
         " tuning chose none or the very strength that it is held against; they decide nothing."),
        (claim("undecided", "any", a="same cell"),
         "Undecided: nothing is compared. In 1 of 1 contrasts both sides are the same trained cell, since tuning chose"
         " none or the very strength that it is held against; they decide nothing."),
    ],
)  # fmt: skip
def test_a_verdict_says_where_it_holds(part: pd.DataFrame, expected: str) -> None:
    assert sentence(part) == expected


def test_each_contrast_shows_its_own_verdict_beside_its_name() -> None:
    part = claim("contradicted", "all", a="supported", b="contradicted", c="undecided")
    ((statement, told, rows),) = contrast_rows(part)
    scope = "It rests on one setting (`memorize`) and one strength of each method (`l2(0.1)`, `dropout(0.5)`)."
    assert (statement, told) == ("It helps.", f"{sentence(part)} {scope} It was changed.")
    assert [list(row)[:2] for row in rows] == [["contrast", "verdict"]] * 3
    assert [row["verdict"] for row in rows] == ["supported", "*contradicted*", "*undecided*"]
    assert [row["seeds to decide"] for row in rows] == ["", "", 40]
    (row,) = claims_rows(part)
    assert row["contrasts"] == "1 supported, 1 contradicted, 1 undecided"
    assert (row["holds if"], row["rests on"]) == ("all of 3", "one setting, one strength each")


def test_a_contrast_of_a_cell_with_itself_shows_no_numbers() -> None:
    ((_, _, rows),) = contrast_rows(claim("contradicted", "any", a="same cell", b="contradicted"))
    assert [row["difference (+ is as claimed)"] for row in rows] == ["", "accuracy gap: +0.020 [0.010, 0.030]"]
    (row,) = claims_rows(claim("undecided", "any", a="same cell").assign(settings=float("nan")))
    assert (row["holds if"], row["rests on"]) == ("nothing compared", "nothing")
