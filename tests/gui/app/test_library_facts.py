"""What the sidebar says of the library, without a window."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from src.errors import DatabaseError
from src.gui.app.library_facts import LibraryFacts
from src.gui.core.session import Listeners


def test_counts_do_not_pile_up_on_a_slow_disk_and_go_on_after_one_that_fails() -> None:
    running: list[tuple[Callable[[Any], None], Callable[[Exception], None]]] = []
    shown: list[object] = []
    session: Any = SimpleNamespace(
        signals=Listeners(),
        is_open=True,
        library=SimpleNamespace(stats=None),
        main_thread=SimpleNamespace(run=lambda work, then, failed: running.append((then, failed))),
    )
    sidebar: Any = SimpleNamespace(show_stats=shown.append)
    facts = LibraryFacts(SimpleNamespace(), session, sidebar)  # type: ignore[arg-type]
    for _ in range(5):
        facts.refresh()
    assert len(running) == 1
    running.pop()[0]("first")
    assert shown == ["first"] and len(running) == 1  # once more, for what came meanwhile
    with pytest.raises(DatabaseError):  # for the window's door
        running.pop()[1](DatabaseError("the drive is gone"))
    assert shown == ["first"] and not running
    facts.refresh()
    running.pop()[0]("last")
    assert shown == ["first", "last"] and not running
