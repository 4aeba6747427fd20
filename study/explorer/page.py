"""Page of the explorer: template, style and scripts of `assets/` around a compressed payload, in one file."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.results.store import atomically

ASSETS = Path(__file__).with_name("assets")
SCRIPTS = (
    "data.js",
    "format.js",
    "state.js",
    "elements.js",
    "plot.js",
    "track.js",
    "save.js",
    "select.js",
    "leaderboard.js",
    "heatmap.js",
    "differences.js",
    "curves.js",
    "tuning.js",
    "runs.js",
    "run.js",
    "main.js",
)
"""Scripts in the order in which they are read: a script uses those before it."""


def page(payload: Mapping[str, Any]) -> str:
    """Return the whole page as HTML."""
    title = " and ".join(study["name"] for study in payload["studies"])
    parts = {
        "{{title}}": html.escape(title),
        "{{style}}": _asset("explorer.css"),
        "{{payload}}": packed(payload),
        "{{script}}": "\n".join(map(_asset, SCRIPTS)),
    }
    text = _asset("explorer.html")
    for place, part in parts.items():
        text = text.replace(place, part)
    return text


def packed(payload: Mapping[str, Any]) -> str:
    """Return a payload as base64 of gzip of JSON: the same text for the same payload."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def unpacked(text: str) -> Any:
    """Return the payload of a page's HTML."""
    start = text.index('id="payload">') + len('id="payload">')
    return json.loads(gzip.decompress(base64.b64decode(text[start : text.index("<", start)])))


def write(payload: Mapping[str, Any], path: Path) -> None:
    """Write the page whole or not at all."""
    text = page(payload)
    atomically(path, lambda file: file.write_text(text, encoding="utf-8"))


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
