"""The best way to pair things off."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def best_pairs(scores: np.ndarray) -> list[tuple[int, int]]:
    """Pair rows with columns so that the sum of scores is highest; none below 0 is taken.

    Args:
        scores: (N, M), -inf for what must not be.
    """
    if not scores.size:
        return []
    gains = np.maximum(scores, 0.0)
    rows, columns = linear_sum_assignment(gains, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if gains[i, j] > 0]
