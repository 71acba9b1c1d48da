"""Where a window opens, on screens of any size, without a screen."""

from __future__ import annotations

import re

import pytest

from src.gui.main_window import FRAME_WH, area_for_window, first_geometry, fitting_size
from src.gui.theme.theme import FIRST_WH, LEAST_WH


@pytest.mark.parametrize("area", [(0, 0, 1920, 1080), (64, 27, 1280, 773), (0, 0, 1024, 640)])
@pytest.mark.parametrize("scale", [0.75, 1.0, 1.5])
def test_a_window_and_its_frame_lie_on_the_screen(
    area: tuple[int, int, int, int], scale: float
) -> None:
    free = area_for_window(area)
    scale = min(scale, free[2] / LEAST_WH[0], free[3] / LEAST_WH[1])
    found = re.fullmatch(r"(\d+)x(\d+)\+(\d+)\+(\d+)", first_geometry(free, scale))
    assert found is not None
    width, height, x, y = map(int, found.groups())
    assert area[0] <= x and x + round(width * scale) + FRAME_WH[0] <= area[0] + area[2]
    assert area[1] <= y and y + round(height * scale) + FRAME_WH[1] <= area[1] + area[3]
    assert width >= LEAST_WH[0] - 1 and height >= LEAST_WH[1] - 1


def test_a_large_screen_gives_the_size_of_the_design() -> None:
    assert fitting_size(area_for_window((0, 0, 2560, 1440)), 1.0) == FIRST_WH
