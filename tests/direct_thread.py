"""A stand-in for the window's threads that does all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class DirectThread:
    """Does at once what is else done in another thread."""

    def poll(self, _poller: object) -> None:
        pass

    def post(self, call: Callable[[], None]) -> None:
        call()

    def run(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
        is_search: bool = False,
    ) -> None:
        try:
            result = work()
        except Exception as exc:
            assert failed is not None
            failed(exc)
        else:
            if then is not None:
                then(result)
