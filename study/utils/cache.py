"""A folder for caches where the user's own cannot be written, as where a home is read-only or missing."""

from __future__ import annotations

import os
from pathlib import Path


def ensure_cache(instead: Path) -> None:
    """Set XDG_CACHE_HOME to the folder `instead` where the user's cache cannot be written: Snakemake needs one."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    try:
        cache.mkdir(parents=True, exist_ok=True)
        writable = os.access(cache, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        os.environ["XDG_CACHE_HOME"] = str(instead.absolute())
