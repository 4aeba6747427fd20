"""Loads what a training loads, once for all the processes that are forked from this one.

It trains nothing: the compiler's threads would not be there in a forked process, which would wait for them for ever.
"""

from pathlib import Path

import torch

from study.data import load
from study.training import engine as engine
from study.training import records as records

torch.set_num_threads(1)
load("mnist-sample", Path())
