from __future__ import annotations

import pytest

from src.counting import clock


@pytest.mark.parametrize(
    ("seconds", "decimals", "shown"),
    [
        (0, 0, "0:00"), (59.99, 0, "0:59"), (3723.4, 0, "1:02:03"),
        (5.5, 1, "0:05.5"), (59.999, 2, "1:00.00"), (3723.456, 2, "1:02:03.46"),
    ],
)  # fmt: skip
def test_times_are_written_as_clocks_do(seconds: float, decimals: int, shown: str) -> None:
    assert clock(seconds, decimals) == shown
