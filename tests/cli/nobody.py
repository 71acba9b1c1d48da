"""What a person without rights meets, for tests that root runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

needs_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs root to be nobody"
)
NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user who owns nothing; pytest's own folders let nobody in."""
    if sys.platform != "linux":
        raise NotImplementedError
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
