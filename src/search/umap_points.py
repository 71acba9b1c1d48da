"""Points of a map by UMAP (McInnes et al. 2018), in a process of its own.

The package umap-learn is an optional extra (`pip install media-segment-library[map]`). It takes
seconds to minutes, holds the GIL meanwhile and can't be stopped on the way, so a child process
imports it, and is killed once nobody waits.
"""

from __future__ import annotations

import importlib.util

import numpy as np

from src.child_processes import killed_after, read_message, start_child, write_message
from src.errors import MediaLibraryError
from src.stopping import ask_wanted, wanted

_LIMIT_S = 3600.0


def is_installed() -> bool:
    """Return whether the package is there; it is not imported."""
    return importlib.util.find_spec("umap") is not None


def umap_points(matrix: np.ndarray) -> np.ndarray:
    """Place embeddings on a plane.

    Args:
        matrix: (N, D) float32.

    Returns:
        (N, 2) float32.

    Raises:
        StoppedError: nobody waits for it any more.
        MediaLibraryError: the package can't be used, or takes over an hour.
    """
    try:
        child = start_child("src.search.umap_server")
    except OSError as exc:
        raise MediaLibraryError("the layout by UMAP could not be started") from exc
    assert child.stdin is not None and child.stdout is not None
    with child, killed_after(child, _LIMIT_S, wanted()):
        try:
            rows = np.ascontiguousarray(matrix, np.float32)
            write_message(child.stdin, {"shape": rows.shape}, rows.tobytes())
            answer = read_message(child.stdout)  # type: ignore[arg-type]
        except (OSError, ValueError):
            answer = None
        finally:
            child.kill()
    ask_wanted()
    if answer is None:
        raise MediaLibraryError("the layout by UMAP ended without a result")
    message, content = answer
    if "error" in message:
        raise MediaLibraryError(f"the layout by UMAP failed: {message['error']}")
    return np.frombuffer(content, np.float32).reshape(-1, 2)
