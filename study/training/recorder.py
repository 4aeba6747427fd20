"""Recorder of replicates in training: statistics of steps, scores of epochs, the best parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.config.variants import Variant
from study.optim.tensors import Tensors
from study.training.batches import Batches, spread
from study.training.evaluation import Labelled, Score, replicates_of, scores
from study.training.probes import PROBES
from study.training.records import EPOCH_SCORES, OF_WRONG_LABELS, Outcome, RunRecord, magnitudes
from study.training.step_log import STEP_COLUMNS, Floats, StepLog
from study.utils.timer import Timer

EPOCH_COLUMNS = (*EPOCH_SCORES, *PROBES, *OF_WRONG_LABELS)
TRAIN, VALIDATION, TEST = slice(0, 2), slice(2, 4), slice(4, 6)
PROBED = slice(len(EPOCH_SCORES), -len(OF_WRONG_LABELS))
APART = slice(-len(OF_WRONG_LABELS), None)


class Scorer(Protocol):
    """Protocol of what scores one model: replicates in training."""

    def score(self, parameters: Tensors, given: Labelled) -> Score:
        """Return the score of one model on a set."""

    def probe(self, parameters: Tensors, images: Tensor, labels: Tensor, classes: int) -> Tensor:
        """Return the statistics named in `PROBES` of one model on images [B, P] and labels [B]."""

    def samples(self, parameters: Tensors) -> Tensor | None:
        """Return digits that one model makes, grey levels [N, P] of uint8, of a workload that has a table of them."""


@dataclass(eq=False)
class Recorder:
    """The growing record of R replicates.

    epochs [E + 1, R, EPOCH_COLUMNS], noted [E + 1, R, C]: columns of every workload, and this one's; ended [R]: the
    epoch after which a replicate's parameters were not finite or a regularizer stopped it, E if neither; kept: what
    such a replicate hands over, kept since the others train on; measured: the tensors that statistics of steps are
    of; scored: the last epoch that was scored; watch: where the time of the training goes.
    """

    variant: Variant
    log: StepLog
    epochs: NDArray[np.float64]
    noted: NDArray[np.float64]
    ended: NDArray[np.int64]
    finite: NDArray[np.bool_]
    training: NDArray[np.bool_]
    best: Tensors
    best_loss: NDArray[np.float64]
    best_epoch: NDArray[np.int64]
    kept: dict[int, Tensors]
    measured: tuple[str, ...]
    probed: frozenset[int]
    scored: int = -1
    watch: Timer = field(default_factory=Timer)

    @classmethod
    def open(cls, variant: Variant, count: int, parameters: Tensors, scored: Tensors | None = None) -> Recorder:
        """Return a recorder of `count` replicates, empty; scored: what is scored of them, if not the parameters."""
        measured = {key: p for key, p in parameters.items() if variant.workload.measures(key)}
        return cls(
            variant=variant,
            log=StepLog(variant.steps, count, _sizes(measured)),
            epochs=np.full((variant.epochs + 1, count, len(EPOCH_COLUMNS)), np.nan),
            noted=np.full((variant.epochs + 1, count, len(variant.workload.columns)), np.nan),
            ended=np.full(count, variant.epochs),
            finite=np.ones(count, bool),
            training=np.ones(count, bool),
            best={key: p.detach().clone() for key, p in (scored or parameters).items()},
            best_loss=np.full(count, np.inf),
            best_epoch=np.zeros(count, int),
            kept={},
            measured=tuple(measured),
            probed=frozenset(spread(variant.epochs + 1, variant.statistics.probes).tolist()),
        )

    @property
    def every_step(self) -> bool:
        """True if the statistics of every step are wanted."""
        return self.variant.statistics.every_step

    @property
    def goes_on(self) -> bool:
        """True if an epoch is left, and a replicate that trains."""
        return self.scored < self.variant.epochs and bool(self.training.any())

    @torch.no_grad()
    def epoch(self, epoch: int, scorer: Scorer, parameters: Tensors, batches: Batches) -> str:
        """Score every replicate after an epoch, keep the parameters that validate best; a line about it."""
        row = self.epochs[epoch]
        curve = spread(batches.train.shape[1], self.variant.statistics.curve_samples)
        shown = (part[:, curve] for part in (batches.train_labels, batches.train, batches.wrong))
        train = [Labelled(batches.images, *own) for own in zip(*shown, strict=True)]
        held_out = zip(batches.validation_labels, batches.validation, strict=True)
        on_train = scores(scorer.score, parameters, train)
        row[:, TRAIN] = _table(on_train)
        row[:, APART] = [[getattr(one, name.removeprefix("train_")) for name in OF_WRONG_LABELS] for one in on_train]
        row[:, VALIDATION] = _table(
            scores(scorer.score, parameters, [Labelled(batches.images, *own) for own in held_out])
        )
        if epoch in self.probed:
            with self.watch.part("probes"):
                self._probe(row, scorer, parameters, batches)
        self._close(epoch, parameters)
        self.scored = epoch
        return f"{self.variant.workload.unit} {epoch} of {self.variant.epochs}: {self._summary(row)}"

    def _summary(self, row: NDArray[np.float64]) -> str:
        if not self.training.any():
            return "every replicate has diverged" if not self.finite.any() else "every replicate has ended"
        shown = row[self.training & np.isfinite(row[:, 0]), :4]
        if not len(shown):
            return "no replicate has a finite loss"
        loss, accuracy, _, validation = shown.mean(0)
        return f"train loss {loss:.4f}, train accuracy {accuracy:.4f}, validation accuracy {validation:.4f}"

    def _probe(self, row: NDArray[np.float64], scorer: Scorer, parameters: Tensors, batches: Batches) -> None:
        test = [Labelled(batches.test_images, batches.test_labels)] * len(row)
        row[:, TEST] = _table(scores(scorer.score, parameters, test))
        chosen = spread(batches.train.shape[1], self.variant.statistics.probe_samples)
        for r, one in enumerate(replicates_of(parameters)):
            images = batches.images[batches.train[r, chosen]]
            labels = batches.train_labels[r, chosen]
            row[r, PROBED] = scorer.probe(one, images, labels, batches.classes).cpu().numpy()

    def _close(self, epoch: int, parameters: Tensors) -> None:
        """Note which replicates are no longer finite, at their best epoch, or stopped by a regularizer."""
        finite = torch.stack([p.flatten(1).isfinite().all(1) for p in parameters.values()]).all(0).cpu().numpy()
        self._end(epoch, self.training & ~finite, parameters)
        self.finite &= finite | ~self.training
        self.training &= finite
        loss = self.epochs[epoch, :, 2]
        better = self.training & (loss < self.best_loss) & (epoch > 0)
        self.best_loss[better], self.best_epoch[better] = loss[better], epoch
        for r in np.flatnonzero(better):
            for key, p in parameters.items():
                self.best[key][r].copy_(p[r])
        self._stop(epoch, parameters)

    def _stop(self, epoch: int, parameters: Tensors) -> None:
        """End the replicates whose validation losses so far stop them."""
        for regularizer in self.variant.regularization:
            losses = self.epochs[1 : epoch + 1, :, 2].T.tolist()
            stopped = np.array([regularizer.stops(one) for one in losses]) & self.training
            to_best = stopped & (self.best_epoch > 0) & regularizer.hands_over_best  # 0: no loss was ever finite
            self._end(epoch, to_best, self.best)
            self._end(epoch, stopped & ~to_best, parameters)
            self.training &= ~stopped

    def _end(self, epoch: int, who: NDArray[np.bool_], parameters: Tensors) -> None:
        self.ended[who] = epoch
        for r in np.flatnonzero(who):
            self.kept[int(r)] = {
                key: p[r].clone(memory_format=torch.contiguous_format) for key, p in parameters.items()
            }

    @torch.no_grad()
    def records(
        self, seeds: Sequence[int], scorer: Scorer, parameters: Tensors, batches: Batches, wall: float
    ) -> list[RunRecord]:
        """Return the finished records; each is cut where its own replicate ended."""
        models = zip(replicates_of(parameters), replicates_of(self.best), strict=True)
        measured = self.log.columns(), self.log.norms()
        return [
            self._record(r, seed, scorer, self.kept.get(r, last), best, batches, measured, wall)
            for r, (seed, (last, best)) in enumerate(zip(seeds, models, strict=True))
        ]

    def _record(
        self,
        r: int,
        seed: int,
        scorer: Scorer,
        last: Tensors,
        best: Tensors,
        batches: Batches,
        measured: tuple[Floats, Floats],
        wall: float,
    ) -> RunRecord:
        steps_taken = int(self.ended[r]) * (self.variant.steps // self.variant.epochs)
        steps, norms = (table[:steps_taken, r] for table in measured)
        chance = self.variant.workload.chance(batches.classes)
        epoch = None if r in self.kept else self.scored
        final = self._final(scorer, last, batches, r, epoch) if self.finite[r] else dict.fromkeys(PARTS, NOTHING)
        return RunRecord(
            variant=self.variant,
            seed=seed,
            fold=None if self.variant.folds is None else r % self.variant.folds,
            outcome=Outcome.judge(final["train"].accuracy, bool(self.finite[r]), steps, STEP_COLUMNS, chance),
            final=final,
            best=self._best(r, final, scorer, best, batches),
            best_epoch=int(self.best_epoch[r]),
            epochs=self._epochs(r),
            steps=dict(zip(STEP_COLUMNS, steps.T, strict=True)),
            tensors={key: norms[:, :, k] for k, key in enumerate(self.measured)},
            weights={key: magnitudes(p) for key, p in last.items() if p.ndim > 1},
            steps_taken=steps_taken,
            wall_seconds=wall,
            samples=scorer.samples(last),
        )

    def _epochs(self, r: int) -> dict[str, Floats]:
        """Return the columns [E + 1] of a replicate up to its end."""
        taken = slice(int(self.ended[r]) + 1)
        own = zip(self.variant.workload.columns, self.noted[taken, r].T, strict=True)
        return {**dict(zip(EPOCH_COLUMNS, self.epochs[taken, r].T, strict=True)), **dict(own)}

    def _best(
        self, r: int, final: dict[str, Score], scorer: Scorer, best: Tensors, batches: Batches
    ) -> dict[str, Score]:
        if self.best_epoch[r] == self.ended[r]:  # the last epoch was the best
            return final
        epoch = int(self.best_epoch[r])
        return self._final(scorer, best, batches, r, epoch) if epoch else dict.fromkeys(PARTS, NOTHING)

    def _final(self, scorer: Scorer, model: Tensors, batches: Batches, r: int, epoch: int | None) -> dict[str, Score]:
        """Return the scores of a model of replicate r; epoch: the one that it is from, where that is known."""
        sets = {
            "train": Labelled(batches.images, batches.train_labels[r], batches.train[r], batches.wrong[r]),
            "validation": Labelled(batches.images, batches.validation_labels[r], batches.validation[r]),
            "test": Labelled(batches.test_images, batches.test_labels),
        }
        metrics = self.variant.metrics
        known: dict[str, Score] = {}
        if epoch in self.probed and not metrics:  # else a fourteenth of a short training's time
            known["test"] = Score.without_wrong(*self.epochs[epoch, r, TEST].tolist())
        return {
            part: known.get(part) or scorer.score(model, given._replace(metrics=metrics))
            for part, given in sets.items()
        }


PARTS = ("train", "validation", "test")
NOTHING = Score(float("nan"), float("nan"))


def _sizes(parameters: Tensors) -> Tensor:
    return torch.tensor([p[0].numel() for p in parameters.values()])


def _table(scored: Sequence[Score]) -> NDArray[np.float64]:
    return np.array([(s.loss, s.accuracy) for s in scored])
