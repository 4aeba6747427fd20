"""Compiled program of one model's steps, for every strength, learning rate and seed of a method.

The program has no number of seeds in it: seeds take turns, so that one model's weights stay in the core's cache, and no
model's bits depend on the others'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import lax
from numpy.typing import NDArray
from torch import Tensor
from torch.utils import _pytree as pytree

from study.optim.rng import Distributions, Noise
from study.training.compile_cache import Abstract, load_or_compile
from study.training.lowering import Lowered, as_jax, lowered
from study.training.operators import Array
from study.training.update import State, Update

NOISE_BYTES = 100_000_000  # of random numbers at once


@dataclass(frozen=True, eq=False)
class Program:
    """Program of up to `steps` steps of one model on batches of `images` [N, P].

    lowered: one step; results: how its flat results form the next state and the measurements; executable: all steps.
    """

    lowered: Lowered
    results: pytree.TreeSpec
    images: Array
    steps: int
    executable: Any

    @classmethod
    def of(
        cls, update: Update, state: State, draws: Distributions, images: Tensor, batch: int, classes: int, steps: int
    ) -> Program:
        """Return the program of an update, in calls of up to `steps` steps; state: that of one model.

        Raises what `study.training.lowering.lowered` raises.
        """
        flat, spec = pytree.tree_flatten(example(state, draws, batch, images.shape[1], classes))
        results: list[pytree.TreeSpec] = []

        def step(*given: Tensor) -> list[Tensor]:
            found, form = pytree.tree_flatten(update(*pytree.tree_unflatten(list(given), spec)))
            results.append(form)
            return found

        one, length = lowered(step, flat), min(steps, longest(draws))
        carried, noise = pytree.tree_leaves(state), pytree.tree_leaves(zeros(draws))
        index = shape(torch.zeros(batch, dtype=torch.int64), length)
        each = [index, index, *(shape(t, length) for t in (torch.tensor(0.1), *noise))]
        given = [shape(t) for t in carried], shape(images), each
        with jax.enable_x64(True):

            def lower() -> Any:
                run = jax.jit(partial(run_steps, one, classes))
                return run.lower(*given, np.int64(0), np.bool_(True), one.numbers, one.tensors)

            executable = load_or_compile(Abstract(f"{one.text}\n{classes} {given}", lower))
            return cls(one, results[-1], jax.device_put(images.numpy()), length, executable)

    def run(
        self, state: State, rows: Tensor, labels: Tensor, noise: Noise, rates: Tensor, measure: bool
    ) -> tuple[State, Mapping[str, Tensor]]:
        """Return the state after S steps and the measurements of each, [S, ...], zeros where none are wanted.

        rows, labels [S, B]; noise [S, ...]; rates [S]; S at most `steps`.
        """
        taken = len(rates)
        flat, spec = pytree.tree_flatten(state)
        each = [padded(t, self.steps) for t in (rows, labels, rates, *pytree.tree_leaves(noise))]
        with jax.enable_x64(True):
            given = ([t.numpy() for t in flat], self.images, each, np.int64(taken), np.bool_(measure))
            found = [np.asarray(one) for one in self.executable(*given, self.lowered.numbers, self.lowered.tensors)]
        logs = [torch.tensor(one[:taken]) for one in found[len(flat) :]]
        _, names = pytree.tree_unflatten([*range(len(found))], self.results)
        after = pytree.tree_unflatten([torch.tensor(one) for one in found[: len(flat)]], spec)
        return after, {name: logs[place - len(flat)] for name, place in names.items()}


def run_steps(
    one: Lowered, classes: int, state: list[Array], images: Array, each: list[Array], taken: Array, measure: Array,
    numbers: Array, tensors: Sequence[Array],
) -> list[Array]:  # fmt: skip
    """Return the state after `taken` steps and their measurements; each: rows, labels [S, B], rates [S], noise."""

    def step(state: list[Array], given: list[Array]) -> list[Array]:
        rows, labels, rate, *noise = given
        targets = jax.nn.one_hot(labels, classes, dtype=jnp.float32)
        return one([*state, images[rows], targets, *noise, rate], numbers, tensors, len(state), measure)

    def body(i: Array, loop: tuple[list[Array], list[Array]]) -> tuple[list[Array], list[Array]]:
        state, logs = loop
        found = step(state, [lax.dynamic_index_in_dim(part, i, keepdims=False) for part in each])
        measured = zip(logs, found[len(state) :], strict=True)
        return found[: len(state)], [lax.dynamic_update_index_in_dim(log, part, i, 0) for log, part in measured]

    first = jax.eval_shape(step, state, [part[0] for part in each])
    logs = [jnp.zeros((len(each[0]), *part.shape), part.dtype) for part in first[len(state) :]]
    after, logs = lax.fori_loop(0, taken, body, (state, logs))
    return [*after, *logs]


def example(state: State, draws: Distributions, batch: int, pixels: int, classes: int) -> tuple[Any, ...]:
    """Return inputs of one step: values of the right shapes."""
    return state, torch.zeros(batch, pixels), torch.zeros(batch, classes), zeros(draws), torch.tensor(0.1)


def shape(t: Tensor, *steps: int) -> Any:
    """Return the form of an array [...] or [S, ...]."""
    form: Any = jax.ShapeDtypeStruct
    return form((*steps, *t.shape), as_jax(t.dtype))


def padded(t: Tensor, steps: int) -> NDArray[Any]:
    """Pad S rows with zeros to `steps`."""
    array = t.numpy()
    if len(array) == steps:
        return array
    return np.concatenate([array, np.zeros((steps - len(array), *array.shape[1:]), array.dtype)])


def zeros(draws: Distributions) -> Noise:
    """Return zeros in place of random numbers, of the right shapes."""
    return {name: {key: torch.zeros(draw.shape) for key, draw in needed.items()} for name, needed in draws.items()}


def longest(draws: Distributions) -> int:
    """Return the number of steps whose random numbers fit into memory."""
    each = sum(4 * t.numel() for t in pytree.tree_leaves(zeros(draws)))
    return max(1, NOISE_BYTES // each) if each else 2**31
