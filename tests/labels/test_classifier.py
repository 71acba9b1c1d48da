"""Logistic regression by Newton's method."""

from __future__ import annotations

import numpy as np
import pytest

from src.labels.classifier import STRENGTH, Examples, fit_logistic, sigmoid


def drawn(count: int = 80, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 6))
    answers = (features[:, 0] - features[:, 1] + rng.normal(size=count) > 0).astype(float)
    return Examples(features, answers, rng.uniform(0.1, 2, count))


def test_it_is_where_the_loss_is_lowest() -> None:
    examples = drawn()
    found = fit_logistic(examples)
    off = examples.weights * (
        sigmoid(examples.features @ found[:-1] + found[-1]) - examples.answers
    )
    assert examples.features.T @ off + found[:-1] / STRENGTH == pytest.approx(np.zeros(6), abs=0.01)
    assert float(off.sum()) == pytest.approx(0, abs=0.01)
    assert found[0] > 0.5 and found[1] < -0.5


def test_a_start_elsewhere_ends_at_the_same_place() -> None:
    examples = drawn()
    found = fit_logistic(examples)
    assert fit_logistic(examples, np.full(7, -30.0)) == pytest.approx(found, abs=0.01)


def test_what_can_be_told_apart_without_error_has_finite_weights() -> None:
    features = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    found = fit_logistic(Examples(features, np.array([0.0, 0, 1, 1]), np.ones(4)))
    assert np.isfinite(found).all() and 0 < found[0] < 10
    assert sigmoid(np.array([-2000.0, 2000.0])).tolist() == [0, 1]
