"""Which files that are shown are missing, without a window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.gui.core import missing_media
from src.gui.core.missing_media import MissingMedia

HERE, GONE, COPIED = Path("/a/here.jpg"), Path("/a/gone.jpg"), Path("/a/copied.jpg")


class Behind:
    """Does work when it is told to, as if in another thread."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def after(self, _seconds: float, call: Callable[[], None]) -> None:
        self.waiting.append(call)

    def run(self, work: Any, then: Any, failed: Any) -> None:
        def working() -> None:
            try:
                found = work()
            except Exception as exc:
                failed(exc)
            else:
                then(found)

        self.waiting.append(working)

    def work(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def behind() -> Behind:
    return Behind()


def test_cards_ask_together_and_hear_what_is_missing(
    behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[Path]] = []
    told: list[str] = []
    gone: dict[Path, Path | None] = {GONE: None, COPIED: HERE}

    def missing_of(paths: list[Path]) -> dict[Path, Path | None]:
        asked.append(set(paths))
        return {path: gone[path] for path in paths if path in gone}

    thread: Any = behind
    library: Any = SimpleNamespace(missing=missing_of)
    missing = MissingMedia(
        thread, lambda: library, lambda: told.append("changed"), lambda: told.append("moved")
    )
    paths = (HERE, GONE, COPIED)
    assert not any(missing.has(path) for path in paths)  # nobody has looked yet
    behind.work()
    assert [missing.has(path) for path in paths] == [False, True, False]
    assert told == ["moved", "changed"] and asked == [set(paths)]
    behind.work()
    assert asked == [set(paths)]  # what is known is not asked for at each drawing
    monkeypatch.setattr(missing_media, "AGAIN_S", -1.0)
    gone.clear()
    assert missing.has(GONE)
    behind.work()
    assert told == ["moved", "changed", "changed"] and asked[1:] == [{GONE}]
    assert not missing.has(GONE)


def test_a_look_that_fails_is_no_end_of_looking(behind: Behind) -> None:
    answers: list[Any] = [OSError("damaged"), {GONE: None}]

    def missing_of(paths: list[Path]) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    thread: Any = behind
    library: Any = SimpleNamespace(missing=missing_of)
    missing = MissingMedia(thread, lambda: library, lambda: None, lambda: None)
    missing.has(GONE)
    behind.work()
    assert not missing.has(GONE)
    behind.work()
    assert missing.has(GONE)
