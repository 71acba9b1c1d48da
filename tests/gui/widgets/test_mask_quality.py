"""Over what the slider of mask quality ranges."""

from __future__ import annotations

import pytest

from src.gui.widgets.mask_quality import ends_of


def test_the_ends_leave_out_nothing_below_and_not_the_best_above() -> None:
    low, high = ends_of((0.4871, 1.0224)) or (0, 0)
    assert (low, high) == (0.48, 1.02)


@pytest.mark.parametrize("held", [None, (0.9, 0.9), (0.901, 0.909)])
def test_there_is_nothing_to_slide_over_one_quality(held: tuple[float, float] | None) -> None:
    assert ends_of(held) is None
