"""Kind of study that a report is of: explored, or confirmed by a protocol that was frozen before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from study import claims
from study.config.study import Study
from study.results.protocol import Protocol

HISTORY = Path(claims.__file__).with_name("history.csv")  # written by docs/ledger_history.py
EXPLORATORY = (
    "Exploratory: settings and rules were revised after results were seen. Findings need confirmation with new seeds."
)
LOCKED = (
    "Confirmatory, by protocol {number}, frozen as {digest}. `make confirm` verifies from the commits of the runs that"
    " all of them followed the lock."
)
OPEN = "Confirmatory by its configuration, but no frozen protocol matches it: read it as exploratory."


def status_text(study: Study, lock: str = "") -> str:
    """Sentence that stands above everything else; "" for a study that says nothing of itself.

    lock: the text of the frozen protocol that the runs were made by, if there is one.
    """
    if study.status == "confirmatory":
        protocol = Protocol.parse(lock) if lock else None
        return LOCKED.format(number=protocol.number, digest=protocol.digest) if protocol else OPEN
    return EXPLORATORY if study.status else ""


def protocol_rows(lock: str) -> list[dict[str, object]]:
    """A row for each protocol of a lock, the replaced ones with the reason; none where there was but one."""
    if not lock:
        return []
    protocol = Protocol.parse(lock)
    now: Sequence[dict[str, object]] = [{"protocol": protocol.number, "digest": protocol.digest, "replaced for": ""}]
    past = [{"protocol": one.protocol, "digest": one.digest, "replaced for": one.why} for one in protocol.history]
    return [*past, *now] if past else []


@cache
def _history() -> pd.DataFrame:
    return pd.read_csv(HISTORY)


def history_rows(study: Study, verdicts: Mapping[str, str]) -> list[dict[str, str]]:
    """A row for each claim of an exploratory study: its verdict in each published version of the ledger, and here."""
    if study.status != "exploratory" or not verdicts:
        return []
    table = _history()
    names = {version: f"version {version} ({part['date'].iloc[0]})" for version, part in table.groupby("version")}
    was = {(row.claim, row.version): row.verdict for row in table.itertuples()}
    rows = [
        {
            "claim": f"`{claim}`",
            **{name: str(was.get((claim, version), "not asked")) for version, name in names.items()},
            "here": verdict,
        }
        for claim, verdict in verdicts.items()
    ]
    return rows if any(claim in set(table["claim"]) for claim in verdicts) else []
