"""Loads what a training loads on its way, once for all the processes that are forked from this one."""

from pathlib import Path

import torch

from study.data import load
from study.training import engine, records
from tests.cases import variant

torch.set_num_threads(1)
records.tidy("example", engine.train(variant(epochs=1), [0], load("mnist-sample", Path())))
