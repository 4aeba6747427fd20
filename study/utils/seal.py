"""Bytes sealed by their checksum: a damaged file is found before anything of it is read."""

from __future__ import annotations

import hashlib

SEAL = hashlib.sha256().digest_size


def sealed(content: bytes) -> bytes:
    """Return the SHA-256 of some bytes and the bytes."""
    return hashlib.sha256(content).digest() + content


def unsealed(content: bytes) -> bytes | None:
    """Return what `sealed` was given; None where the checksum is another."""
    seal, rest = content[:SEAL], content[SEAL:]
    return rest if hashlib.sha256(rest).digest() == seal else None
