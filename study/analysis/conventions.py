"""Conventions of every comparison. Imports nothing, so that figures can read it without loading an estimator."""

from __future__ import annotations

ALPHA = 0.05
"""The level of every test, and one less that of every interval."""

IN_POINTS = ("gap_accuracy", "gap_right_accuracy", "memorised", "spike_score", "test_accuracy", "diverged")
"""Metrics that are shares, and are told in percentage points."""
