"""Tools are declared once, and the size of the brush goes by even steps."""

from __future__ import annotations

from src.gui.masks.tools import (
    DEEDS,
    LEAST_SIZE,
    STEPS,
    TOOLS,
    first_size,
    largest_size,
    resized,
    size_at,
    step_of,
)


def test_nothing_is_declared_twice() -> None:
    every = (*TOOLS, *DEEDS)
    assert len({tool.key for tool in every}) == len(every) == len({tool.letter for tool in every})


def test_the_slider_goes_from_one_pixel_to_the_largest() -> None:
    largest = largest_size((4000, 3000))
    assert size_at(0, largest) == LEAST_SIZE and size_at(STEPS, largest) == largest
    sizes = [size_at(step, largest) for step in range(STEPS + 1)]
    assert sizes == sorted(sizes)
    assert all(size_at(step_of(size, largest), largest) == size for size in sizes)


def test_keys_make_the_brush_larger_and_smaller_within_the_ends() -> None:
    largest = largest_size((640, 480))
    size = first_size((640, 480))
    assert resized(size, 1, largest) > size > resized(size, -1, largest)
    for _ in range(50):
        assert resized(size, 1, largest) > size or size == largest
        size = resized(size, 1, largest)
    assert size == largest
    for _ in range(50):
        size = resized(size, -1, largest)
    assert size == LEAST_SIZE
