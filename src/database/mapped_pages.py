"""Pages of a mapped file: brought into memory by a call that says so when they can't be.

To touch one that the disk no longer gives, since it was pulled out, ends the process (SIGBUS).
"""

from __future__ import annotations

import ctypes
import errno
import logging
import sys
from collections.abc import Callable
from functools import cache

_POPULATE_READ = 22  # MADV_POPULATE_READ of Linux, since 5.14

log = logging.getLogger(__name__)


def bring_in(address: int, length: int) -> bool | None:
    """Bring a part of a mapping into memory, at whose pages nobody has to wait or fail then.

    Args:
        address: of the first byte of a page.

    Returns:
        Whether all of it is there; None where the system can't be asked.
    """
    madvise = _madvise()
    if madvise is None:
        return None
    if madvise(address, length, _POPULATE_READ) == 0:
        return True
    return None if ctypes.get_errno() == errno.EINVAL else False  # an older Linux


@cache
def _madvise() -> Callable[[int, int, int], int] | None:
    if sys.platform != "linux":
        return None
    try:
        found = ctypes.CDLL(None, use_errno=True).madvise  # which lets other threads run
    except (OSError, AttributeError) as exc:
        log.info("mapped pages are not asked for beforehand: %s", exc)
        return None
    found.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    found.restype = ctypes.c_int
    madvise: Callable[[int, int, int], int] = found
    return madvise
