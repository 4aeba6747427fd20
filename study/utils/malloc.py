"""The C library's memory: what a step frees is what the next one needs."""

from __future__ import annotations

import ctypes
import platform

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of mallopt(3)
KEPT, LARGE = 2**30 - 1, 2**25


def keep_freed() -> bool:
    """Keep freed memory in this process, up to 1 GB; False where the C library is not glibc.

    Left to itself, glibc may return the gradients' memory to the system after every step and fetch it again, page by
    page and zeroed, for the next: a tenth of a small net's step, in some processes and not in others. Blocks of 32 MB
    and more still come and go one by one.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(MMAP_THRESHOLD, LARGE)) and bool(libc.mallopt(TRIM_THRESHOLD, KEPT))
