"""Base class of the data sets that a user's file defines by a function."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from study.data.examples import Examples, Part, SourceFault, assembled
from study.methods.base import Method

SHAPES = "x_train [N, ...], y_train [N], x_test [M, ...] and y_test [M], or the first two alone"


class DataSet(Method):
    """A data set that a function makes or reads.

    A subclass defines `examples`. It is called when a configuration that names it is read, and what it returns is kept
    for the trainings; so it must return the same at each call.
    """

    family: ClassVar[str] = "data set"

    def examples(self) -> tuple[Any, ...]:
        """Return arrays x_train, y_train, x_test, y_test; without the last two, `test` of `data` gives their share.

        x: images [N, H, W] or [N, H, W, 3], as bytes or floats, or features [N, P]; y [N]: labels 0 to C - 1, or names.
        """
        raise NotImplementedError

    def read(self, share: float | None) -> Examples:
        """Return the examples, checked, and split where a share is for the test; raises SourceFault."""
        found = self.examples()
        if not isinstance(found, tuple) or len(found) not in (2, 4):
            kind = f"a tuple of {len(found)}" if isinstance(found, tuple) else type(found).__name__
            raise SourceFault("name", f"return {SHAPES}", kind)
        arrays = [np.asarray(one) for one in found]
        parts = [Part(x, y, parameter="name") for x, y in zip(arrays[::2], arrays[1::2], strict=True)]
        if len(parts) == 2 and share is not None:
            raise SourceFault("test", "be left out where the data set has examples of the test", share)
        return assembled(parts[0], parts[1] if len(parts) == 2 else None, share)
