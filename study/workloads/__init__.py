"""Workloads: what is trained, on what, by which steps and how it is scored; one file each, found automatically."""

from study.methods.base import discover
from study.workloads.base import Workload
from study.workloads.supervised import Supervised

discover(__name__, __path__)

__all__ = ["Supervised", "Workload"]
