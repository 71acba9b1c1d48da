"""A single segment is cut out as all of a frame's are."""

from __future__ import annotations

import numpy as np
import pytest

from src.processing import crop
from src.processing.crop import CropCutter, cut_one
from tests.labels.editing import disc


@pytest.mark.parametrize("at_once", [crop.AT_ONCE_PIXELS, 1000])
@pytest.mark.parametrize(("x", "y", "radius"), [(150, 110, 40), (5, 4, 30), (298, 120, 3)])
def test_the_crop_is_the_same(
    x: float, y: float, radius: float, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crop, "AT_ONCE_PIXELS", at_once)
    image = np.random.default_rng(5).integers(0, 256, (220, 300, 3), np.uint8)
    mask = disc((300, 220), x, y, radius)
    ys, xs = np.nonzero(mask)
    left, top, w, h = int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1
    part = mask[top : top + h, left : left + w]
    np.testing.assert_array_equal(
        cut_one(image, 21, part, (left, top, w, h)),
        CropCutter(image, 21).cut(mask, (left, top, w, h)),
    )
