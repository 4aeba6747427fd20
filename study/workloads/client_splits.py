"""Splits of training digits among clients: each gets the same number, whose labels are alike or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from study.methods.base import Method, entry
from study.parameters import Positive, PositiveInt
from study.utils.lazy import torch


class ClientSplit(Method):
    """A way to deal T labelled digits to clients, the same number to each; a remainder is left out."""

    family: ClassVar[str] = "split"

    def size(self, digits: int, clients: int) -> int:
        """Return the number of digits of each client."""
        return digits // clients

    def deal(self, labels: torch.Tensor, clients: int, random: np.random.Generator) -> torch.Tensor:
        """Return the positions [K, n] in labels [T] that each of K clients gets, none of them twice."""
        raise NotImplementedError


class IID(ClientSplit):
    """Digits are shuffled and dealt: all clients have the same mix of labels but for chance."""

    formula: ClassVar[str] = r"D_k \sim p"
    source: ClassVar[str] = "@mcmahan2017, section 3"
    name: Literal["iid"] = "iid"

    def deal(self, labels: torch.Tensor, clients: int, random: np.random.Generator) -> torch.Tensor:
        n = self.size(len(labels), clients)
        return torch.from_numpy(random.permutation(len(labels))[: clients * n].reshape(clients, n))


class Shards(ClientSplit):
    """Digits are sorted by label and cut into shards, of which each client gets a few: it sees about as many labels."""

    formula: ClassVar[str] = r"D_k = S_{\pi(sk + 1)} \cup \dots \cup S_{\pi(sk + s)}"
    source: ClassVar[str] = "@mcmahan2017, section 3: 200 shards, two a client"
    name: Literal["shards"] = "shards"
    per_client: PositiveInt = 2

    def size(self, digits: int, clients: int) -> int:
        return self.per_client * (digits // (clients * self.per_client))

    def deal(self, labels: torch.Tensor, clients: int, random: np.random.Generator) -> torch.Tensor:
        shards = clients * self.per_client
        width = len(labels) // shards
        shuffled = random.permutation(len(labels))  # which of equal labels come first is drawn too
        by_label = shuffled[np.argsort(labels.numpy()[shuffled], kind="stable")][: shards * width]
        return torch.from_numpy(by_label.reshape(shards, width)[random.permutation(shards)].reshape(clients, -1))


class Dirichlet(ClientSplit):
    """The mix of labels of each client is drawn from Dirichlet(alpha p), where p is that of all digits.

    A label that has run out is left out of the mixes that follow. A small alpha gives clients of one label.
    """

    formula: ClassVar[str] = r"q_k \sim \operatorname{Dir}(\alpha p),\quad y \sim q_k \text{ for } (x, y) \in D_k"
    source: ClassVar[str] = "@hsu2019, section 3"
    name: Literal["dirichlet"] = "dirichlet"
    alpha: Positive = 0.5

    def deal(self, labels: torch.Tensor, clients: int, random: np.random.Generator) -> torch.Tensor:
        n, all_labels = self.size(len(labels), clients), labels.numpy()
        pools = [random.permutation(np.flatnonzero(all_labels == label)) for label in range(all_labels.max() + 1)]
        prior = np.array([pool.size for pool in pools]) / len(all_labels)
        dealt = list[NDArray[np.int64]]()
        for _ in range(clients):
            counts = _drawn(_mix(self.alpha * prior, random), np.array([pool.size for pool in pools]), n, random)
            dealt.append(np.concatenate([pool[:count] for pool, count in zip(pools, counts, strict=True)]))
            pools = [pool[count:] for pool, count in zip(pools, counts, strict=True)]
        return torch.from_numpy(np.stack(dealt))


def _mix(concentration: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Shares of the labels; where all gamma variates are below the smallest number, one label by its concentration."""
    shares = random.gamma(concentration)
    if not shares.sum() > 0:
        return random.multinomial(1, concentration / concentration.sum()).astype(float)
    return np.asarray(shares / shares.sum())


def _drawn(mix: NDArray[np.float64], left: NDArray[np.int64], n: int, random: np.random.Generator) -> NDArray[np.int64]:
    """How many digits of each label, n in all, drawn by the mix from what is left of each."""
    counts = np.zeros_like(left)
    while missing := n - int(counts.sum()):
        open_ = counts < left
        shares = np.where(open_, mix, 0.0)
        shares = shares if shares.sum() > 0 else np.where(open_, left - counts, 0).astype(float)
        counts = np.minimum(counts + random.multinomial(missing, shares / shares.sum()), left)
    return counts


if TYPE_CHECKING:  # a type checker sees what a field holds, pydantic also how it is read
    ClientSplitChoice = ClientSplit
else:
    ClientSplitChoice = entry(ClientSplit)
