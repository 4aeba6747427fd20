"""Plain words for what the claims say: their own texts are frozen with the rules that decide them."""

from __future__ import annotations

import re
from collections.abc import Mapping

READ: Mapping[str, str] = {
    "The sign of the gradient in its place gets some net further whose gradient vanishes.": "Replacing the gradient by"
    " its sign trains some net with vanishing gradients further.",
    "Steps of a given length get some net further whose gradient vanishes.": "Steps of fixed length train some net with"
    " vanishing gradients further.",
    "this was one claim with `normalized`, that": "this and the next claim were one, that",
    "this was one claim with `sign`, and held": "this and the claim before were one, which held",
    "chose none for": "chose the baseline over",
    "; without a choice, against none in": ". Each of its strengths against the baseline in",
    "It looks at": "It compares",
    ", at no other method. It does not look at": " and no other method. It leaves out",
    "Nor does its rule look at these, where all of them are tuned; the best of the others against": "It leaves out"
    " these settings too, although all methods are tuned there; the best of the others against",
}
"""What is read in place of parts of the frozen texts."""

CLOSE = re.compile(
    r"Within (\S+ points) of a training accuracy of (\S+ %), twice that of guessing, at which a run counts as failed,"
    r" end (.*): in these counts a small difference in accuracy can be a whole one\."
)


def plain(text: str) -> str:
    """Return a claim's statement or note in plain words."""
    for frozen, read in READ.items():
        text = text.replace(frozen, read)
    return CLOSE.sub(
        r"A run counts as failed at a training accuracy of \2 or less. Within \1 of that ended \3, so a small"
        r" difference can change their count.",
        text,
    )
