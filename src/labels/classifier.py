"""A linear classifier that learns a label from a few answers: logistic regression in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# The inverse of how strongly weights are kept small (L2), as scikit-learn's C.
STRENGTH = 0.3
# Newton's steps; a start near the solution takes three or four.
MOST_STEPS = 25
SMALLEST_STEP = 1e-3


@dataclass(frozen=True)
class Examples:
    """What is known of some segments.

    Attributes:
        features: (N, D) float64.
        answers: (N,) float64, 1 for yes and 0 for no.
        weights: (N,) float64, how much each counts; an answer of a person 1.
    """

    features: np.ndarray
    answers: np.ndarray
    weights: np.ndarray

    def only(self, which: np.ndarray) -> Examples:
        return Examples(self.features[which], self.answers[which], self.weights[which])


def fit_logistic(examples: Examples, start: np.ndarray | None = None) -> np.ndarray:
    """Fit logistic regression with L2 regularisation by Newton's method.

    Args:
        start: a solution of nearly the same examples.

    Returns:
        (D + 1,) float64: the weights, and the bias, which is not regularised.
    """
    rows = np.hstack([examples.features, np.ones((len(examples.features), 1))])
    size = rows.shape[1]
    penalty = np.full(size, 1 / STRENGTH)
    penalty[-1] = 1e-6
    found = np.zeros(size) if start is None else start.copy()
    for _ in range(MOST_STEPS):
        likely = sigmoid(rows @ found)
        slope = rows.T @ (examples.weights * (likely - examples.answers)) + penalty * found
        curve = examples.weights * likely * (1 - likely) + 1e-9
        hessian = (rows * curve[:, None]).T @ rows
        hessian[np.diag_indices(size)] += penalty
        step = np.linalg.solve(hessian, slope)
        # far from the solution a whole step may lead further away
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        found -= step
        if float(np.abs(step).max()) < SMALLEST_STEP:
            break
    return found


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Turn log odds into probabilities, without an overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(values, np.float64))))
