"""What is held back together, and what held-back answers carry."""

from __future__ import annotations

import numpy as np
import pytest

from src.labels.classifier import Examples, fit_logistic
from src.labels.held_back import (
    FOLDS,
    MOST_ACCEPTED,
    Calibration,
    HeldBack,
    Origin,
    Sides,
    lower_bound,
)


def test_what_is_of_one_file_is_held_back_together() -> None:
    answered = [Origin(number // 3, number % 3) for number in range(30)]
    sides = Sides(answered)
    folds = [sides.fold(each) for each in answered]
    assert sorted(set(folds)) == list(range(FOLDS))
    assert all(len({*folds[n : n + 3]}) == 1 for n in range(0, 30, 3))
    assert sides.fold(Origin(99, 0)) == -1


def test_copies_are_held_back_together_known_ones_and_those_that_look_alike() -> None:
    answered = [Origin(number, 0, 0xFFFF << (4 * number)) for number in range(8)]
    near = Origin(8, 0, (0xFFFF << 4) ^ (0b11 << 60))  # of file 1
    sides = Sides([*answered, near], copies=[(2, 3), (3, 5)])
    assert sides.group(near) == sides.group(answered[1])
    assert len({sides.group(answered[n]) for n in (2, 3, 5)}) == 1
    assert len({sides.group(each) for each in [*answered, near]}) == 6


def test_a_video_that_most_answers_are_of_is_cut_into_stretches() -> None:
    frames = [Origin(7, frame) for frame in range(0, 400, 2)]
    sides = Sides([*frames, Origin(1, 0)])
    groups = [sides.group(each) for each in frames]
    assert len(set(groups)) == 2 * FOLDS
    # each is one stretch of time
    assert groups == sorted(groups)
    assert len({sides.fold(each) for each in frames}) == FOLDS
    # and a frame between two of them is of one of these
    assert sides.fold(Origin(7, 101)) in range(FOLDS)


def separable(count: int, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    answers = np.arange(count) % 2
    features = rng.normal(size=(count, 4)) + 3 * (answers[:, None] - 0.5)
    return Examples(features, answers.astype(float), np.ones(count))


def held(examples: Examples, folds: np.ndarray) -> HeldBack | None:
    return HeldBack.of(examples, folds, len(folds), fit_logistic(examples))


def test_an_answer_is_predicted_by_what_has_not_seen_it() -> None:
    examples = separable(40)
    # the answers of one fold are all turned round: who had seen them would know
    folds = np.arange(40) // 2 % 5
    answers = np.where(folds == 0, 1 - examples.answers, examples.answers)
    found = held(Examples(examples.features, answers, examples.weights), folds)
    assert found is not None
    wrong = (found.scores > 0) != found.answers
    assert wrong[folds == 0].all() and wrong[folds != 0].mean() < 0.3


def test_too_few_answers_or_of_one_file_hold_nothing_back() -> None:
    assert held(separable(8), np.arange(8) % 5) is None
    assert held(separable(40), np.zeros(40, int)) is None
    one_yes = separable(40)
    answers = np.zeros(40)
    answers[3] = 1
    assert held(Examples(one_yes.features, answers, one_yes.weights), np.arange(40) % 5) is None


def test_probabilities_rise_with_scores_and_follow_the_answers() -> None:
    scores = np.linspace(-4, 4, 200)
    rng = np.random.default_rng(1)
    answers = rng.random(200) < 1 / (1 + np.exp(-(2 * scores - 3)))
    found = HeldBack(scores, answers).calibration()
    assert found.slope > 1 and found.bias < -1
    likely = found.likely(scores)
    assert (np.diff(likely) > 0).all()
    assert float(likely.sum()) == pytest.approx(answers.sum(), rel=0.1)
    assert HeldBack(scores, answers).right(found) > 0.85


def test_the_bound_is_that_of_wilson() -> None:
    found = lower_bound(np.array([31, 32, 5]), np.array([31, 32, 10]))
    # of all right: n / (n + z²)
    assert found[:2].tolist() == pytest.approx([31 / 32.6384, 32 / 33.6384])
    assert found[0] < 0.95 < found[1]
    # of a half, by hand: (0.5 + z²/20 - z √(0.025 + z²/400)) / (1 + z²/10)
    assert found[2] == pytest.approx(0.3124, abs=1e-3)


def offered(yes: int, no_below: int, ranked: np.ndarray) -> int:
    scores = np.concatenate([np.linspace(2, 6, yes), np.linspace(-6, -2, no_below)])
    back = HeldBack(scores, np.arange(yes + no_below) < yes)
    return back.acceptable(ranked, back.calibration())


def test_only_what_held_back_answers_carry_is_offered() -> None:
    ranked = np.linspace(8, -8, 400)
    assert offered(20, 10, ranked) == 0  # twenty of twenty carry 92 %
    found = offered(40, 10, ranked)
    # down to the least of those that were right, and no further
    assert found == np.count_nonzero(ranked >= 2)
    # nobody knows where the label ends
    assert offered(40, 2, ranked) == 0
    assert offered(40, 10, np.empty(0)) == 0
    assert offered(40, 10, np.full(5000, 7.0)) == MOST_ACCEPTED
    # a no among the best, and the rest carries nothing
    scores = np.array([9.0, *np.linspace(2, 6, 40), -3, -4, -5])
    back = HeldBack(scores, np.array([False, *[True] * 40, False, False, False]))
    assert back.acceptable(ranked, Calibration()) == 0
