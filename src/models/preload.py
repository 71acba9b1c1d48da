"""Loading torch and the models without holding up a window in the same process."""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# In the order in which they need each other.
_LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libtorch_cuda.so", "libtorch.so")


@contextmanager
def preloaded() -> Iterator[None]:
    """Bring torch's large libraries in, and keep the garbage collector still meanwhile.

    Importing torch maps half a gigabyte while holding the interpreter's lock, and allocates so
    many objects that full collections run, of 100 to 150 ms each. Measured on 2 cores: the
    longest gap in a window's event loop falls from 209 ms to 30 ms.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        if sys.platform == "linux" and "torch" not in sys.modules:
            _map_libraries()
        yield
    finally:
        if was_enabled:
            gc.enable()


def _map_libraries() -> None:
    """Map them by a call of the C library, during which other threads run.

    What fails here is done, or reported, by the import that follows.
    """
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return
    folder = Path(found.origin).parent / "lib"
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes, dlopen.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    for name in _LIBRARIES:
        if (folder / name).is_file():
            dlopen(os.fsencode(folder / name), os.RTLD_NOW)
