"""At most so many annotations of a class."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from src.datasets.splitting.class_cap import cap_per_class


def test_groups_give_evenly_and_what_has_no_labels_stays() -> None:
    labels = {f"{n}": Counter(cat=1) for n in range(90)} | {"empty": Counter()}
    groups = {f"{n}": 0 if n < 80 else n for n in range(90)} | {"empty": 0}
    kept = cap_per_class(labels, groups, 20, 1)
    assert len(kept) == 21 and "empty" in kept
    assert {f"{n}" for n in range(80, 90)} <= kept  # a group of one is not passed over
    assert cap_per_class(dict(reversed(labels.items())), groups, 20, 1) == kept
    assert cap_per_class(labels, groups, 20, 2) != kept
    assert cap_per_class(labels, groups, 90, 1) == labels.keys()


@pytest.mark.parametrize("seed", range(5))
def test_no_class_has_more_and_rare_ones_choose_first(seed: int) -> None:
    draw = np.random.default_rng(seed)
    labels = {
        f"{n}": Counter({f"{int(c)}": int(draw.integers(1, 3)) for c in draw.zipf(1.5, 3) if c < 9})
        for n in range(300)
    }
    groups = {image: int(draw.integers(40)) for image in labels}
    kept = cap_per_class(labels, groups, 25, seed)
    totals: Counter[str] = sum((labels[image] for image in kept), Counter())
    assert max(totals.values()) <= 25
    everything: Counter[str] = sum(labels.values(), Counter())
    rarest = min(everything, key=lambda label: (everything[label], label))
    assert totals[rarest] == min(everything[rarest], 25) or everything[rarest] > 25


@pytest.mark.parametrize("seed", range(5))
def test_what_went_does_not_come_back_when_more_is_added(seed: int) -> None:
    draw = np.random.default_rng(seed)
    labels = {f"{n}": Counter({f"{int(draw.integers(3))}": 1}) for n in range(200)}
    groups = {image: int(draw.integers(20)) for image in labels}
    kept = cap_per_class(dict(list(labels.items())[:60]), groups, 15, seed)
    for before, count in ((60, 120), (120, 200)):
        more = cap_per_class(dict(list(labels.items())[:count]), groups, 15, seed)
        assert more & set(list(labels)[:before]) <= kept
        kept = more
