"""Dialogs that come at once, whatever is loading behind the window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.config import LibraryPaths
from src.gui.app import window_dialogs
from src.gui.app.window_dialogs import WindowDialogs
from src.library import MediaLibrary
from src.settings import Settings


def test_settings_come_at_once_and_hear_of_the_device_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[bool] = []
    later: list[tuple[Callable[[], bool], Callable[[bool], None]]] = []
    dialog = SimpleNamespace(say_whether_device_lacks=told.append)
    monkeypatch.setattr(window_dialogs, "SettingsDialog", lambda *_: dialog)

    class Library:
        settings = Settings(device="cuda")
        paths = LibraryPaths(tmp_path)
        loaded = False

        @property
        def model_list(self) -> Any:
            assert self.loaded, "the window waits for the models"
            return SimpleNamespace(lacks=lambda device: device == "cuda")

    library = Library()
    main_thread = SimpleNamespace(run=lambda work, then: later.append((work, then)))
    session: Any = SimpleNamespace(is_open=True, library=library, main_thread=main_thread)
    overlay: Any = None
    WindowDialogs(None, overlay, lambda: session, lambda _: None).settings()
    ((work, then),) = later
    library.loaded = True
    then(work())
    assert told == [True]


def test_what_is_known_of_models_is_said_while_another_one_loads(tmp_path: Path) -> None:
    with MediaLibrary(LibraryPaths(tmp_path)) as library:
        models = library.models
        loading, loaded = threading.Event(), threading.Event()

        def load() -> None:
            with library._in_use._lock:
                loading.set()
                loaded.wait(30)

        threads = [threading.Thread(target=load)]
        threads[0].start()
        assert loading.wait(30)
        seen: list[object] = []
        threads.append(threading.Thread(target=lambda: seen.append(library.models)))
        threads[1].start()
        threads[1].join(10)
        try:
            assert seen == [models]
        finally:
            loaded.set()
            for thread in threads:
                thread.join()
