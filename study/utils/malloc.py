"""Settings of the C library's allocator: memory that one step frees is kept for the next."""

from __future__ import annotations

import ctypes
import platform

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of mallopt(3)
KEPT, LARGE = 2**30 - 1, 2**25


def keep_freed() -> bool:
    """Keep freed memory in this process, up to 1 GB; return False where the C library is not glibc.

    By default glibc may return the gradients' memory to the system after every step and fetch it again, page by page
    and zeroed, for the next. In some processes this takes a tenth of the step of a small net. Blocks of 32 MB and more
    are still returned one by one.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(MMAP_THRESHOLD, LARGE)) and bool(libc.mallopt(TRIM_THRESHOLD, KEPT))
