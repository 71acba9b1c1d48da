"""The process that runs UMAP: embeddings come on standard input, points go to standard output."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from src.child_processes import answers_of_this_process, read_message, write_message

# Points that the layout is learnt from, spread over all; the others are placed among them.
MOST_LEARNT = 50_000
NEIGHBOURS = 15  # as umap-learn has it


def points_of(matrix: np.ndarray) -> np.ndarray:
    """Place embeddings (N, D) on a plane: (N, 2) float32, the same each time."""
    try:
        import umap
    except ImportError as exc:
        raise RuntimeError(f"the package umap-learn can't be imported ({exc})") from exc
    step = max(1, -(-len(matrix) // MOST_LEARNT))
    some = matrix[::step]
    # of a few points it would warn that they have no more neighbours
    neighbours = max(2, min(NEIGHBOURS, len(some) - 1))
    model: Any = umap.UMAP(
        n_components=2, n_neighbors=neighbours, metric="cosine", init="pca", random_state=0
    )
    points = model.fit_transform(some)
    if step > 1:
        points = model.transform(matrix)
    return np.ascontiguousarray(points, np.float32)


def main() -> None:
    answers = answers_of_this_process()
    message = read_message(sys.stdin.buffer)  # type: ignore[arg-type]
    if message is None:
        return
    said, content = message
    matrix = np.frombuffer(content, np.float32).reshape(said["shape"])
    try:
        points = points_of(matrix)
    except Exception as exc:  # whatever the package raises is said by the parent
        write_message(answers, {"error": str(exc) or type(exc).__name__})
    else:
        write_message(answers, {}, points.tobytes())


if __name__ == "__main__":
    main()
