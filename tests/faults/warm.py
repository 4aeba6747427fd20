"""Loads what a training loads on its way, once for all the processes that are forked from this one."""

from pathlib import Path

import torch

from study import records, replicates
from study.data import load
from tests.cases import variant

torch.set_num_threads(1)
records.tidy("example", replicates.train(variant(epochs=1), [0], load("mnist-sample", Path())))
