from __future__ import annotations

import pytest

from src.counting import clock, from_to, place_in_file


@pytest.mark.parametrize(
    ("seconds", "decimals", "shown"),
    [
        (0, 0, "0:00"), (59.99, 0, "0:59"), (3723.4, 0, "1:02:03"),
        (5.5, 1, "0:05.5"), (59.999, 2, "1:00.00"), (3723.456, 2, "1:02:03.46"),
    ],
)  # fmt: skip
def test_times_are_written_as_clocks_do(seconds: float, decimals: int, shown: str) -> None:
    assert clock(seconds, decimals) == shown


def test_a_frame_is_named_by_its_moment_or_its_page() -> None:
    assert place_in_file(7, 5.5, has_pages=False) == "0:05.5"
    assert place_in_file(7, 3723.456, has_pages=True) == "1:02:03"
    assert place_in_file(7, 5.5, has_pages=True, decimals=2) == "0:05.50"
    assert place_in_file(1, None, has_pages=True) == "Page 2"
    assert place_in_file(0, None, has_pages=False) == ""


def test_a_range_is_written_once_where_both_ends_read_the_same() -> None:
    assert from_to(3.4, 9.7) == "0:03.4–0:09.7"
    assert from_to(3.41, 3.44) == "0:03.4"
    assert from_to(59, 3723.4) == "0:59.0–1:02:03"
