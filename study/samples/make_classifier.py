"""Train the shipped classifier of digits: `python -m study.samples.make_classifier data/mnist`.

On all training digits, shifted by up to two pixels, one thread, one seed; prints the accuracies and the file's SHA-256.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from study.data import load
from study.training.batches import normalised
from study.training.digit_features import FILE, SIDE, DigitClassifier

EPOCHS, BATCH, RATE, DECAY, SHIFT, SEED = 8, 100, 2e-3, 1e-4, 2, 0


def shifted(images: Tensor, random: torch.Generator) -> Tensor:
    """Images [B, 784], all moved by the same few pixels; what comes in is black."""
    down, right = torch.randint(-SHIFT, SHIFT + 1, (2,), generator=random).tolist()
    padded = F.pad(images.view(-1, SIDE, SIDE), [SHIFT] * 4, value=float(images.min()))
    return padded[:, SHIFT + down :, SHIFT + right :][:, :SIDE, :SIDE].flatten(1)


def trained(images: Tensor, labels: Tensor) -> DigitClassifier:
    """The classifier after its training, with the scales of its features."""
    torch.manual_seed(SEED)
    random, module = torch.Generator().manual_seed(SEED), DigitClassifier()
    steps = EPOCHS * (len(images) // BATCH)
    optimizer = torch.optim.AdamW(module.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images), generator=random).split(BATCH):
            optimizer.zero_grad()
            loss = F.cross_entropy(module(shifted(images[rows], random)), labels[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        module.scale.copy_(torch.cat([module.hidden(part) for part in images.split(1000)]).std(0).clamp(min=1e-3))
    return module


def main(folder: Path) -> None:
    """Write the file."""
    torch.set_num_threads(1)
    digits = load("mnist", folder)
    train, test = (normalised(images, digits) for images in (digits.train_images, digits.test_images))
    module = trained(train, digits.train_labels)
    for part, images, labels in (("training", train, digits.train_labels), ("test", test, digits.test_labels)):
        right = [
            module.read(some).digits == ys for some, ys in zip(images.split(1000), labels.split(1000), strict=True)
        ]
        print(f"{part} accuracy {torch.cat(right).float().mean():.4f}")
    np.savez(FILE, **{key: tensor.numpy() for key, tensor in module.state_dict().items()})
    print(f"{FILE.stat().st_size:,} bytes, SHA-256 {hashlib.sha256(FILE.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
