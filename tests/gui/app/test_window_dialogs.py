"""Dialogs that come at once, whatever is loading behind the window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.config import LibraryPaths
from src.errors import ClusterError, DatabaseError
from src.gui.app import window_dialogs
from src.gui.app.window_dialogs import WindowDialogs
from src.library import MediaLibrary
from src.settings import Settings
from tests.direct_thread import DirectThread


def test_settings_come_at_once_and_hear_of_the_device_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[bool] = []
    later: list[tuple[Callable[[], bool], Callable[[bool], None]]] = []
    dialog = SimpleNamespace(say_whether_device_lacks=told.append)
    monkeypatch.setattr(window_dialogs, "SettingsDialog", lambda *_: dialog)

    class Library:
        settings = Settings(device="cuda")
        index_server = None
        uses_cluster = False
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


def saved(library: Any, settings: Settings, chooses_cluster: bool = False) -> list[str]:
    """Save settings as the dialog does; returns what happened, in order."""
    done: list[str] = []

    def save_settings(kept: Settings) -> None:
        done.append(f"saved {kept.chroma_server}")
        library.settings = kept

    library.save_settings = save_settings
    library.keep_index = lambda server: done.append(f"index by {server}")
    library.use_cluster = lambda address, roots: done.append(f"cluster {address} {list(roots)}")

    def run(work: Callable[[], Any], then: Callable[[Any], None], fails: str = "") -> None:
        then(work())

    session: Any = SimpleNamespace(
        library=library,
        main_thread=SimpleNamespace(run=run),
        tell_index_moved=lambda: done.append("told"),
    )
    overlay: Any = None
    dialogs = WindowDialogs(None, overlay, lambda: session, lambda _: None)
    dialogs._save_settings(settings, chooses_cluster, lambda: done.append("then"))
    return done


def test_another_server_for_the_index_is_named_by_saving_and_no_other_setting_does_so() -> None:
    here, there = Settings(), Settings(chroma_server="http://a:8000")
    assert saved(SimpleNamespace(settings=here, index_server=None), there) == [
        "saved None",
        "index by http://a:8000",
        "told",
        "then",
    ]
    # one that a stranger's library names is not shown, nor trusted when something else is saved,
    strangers = SimpleNamespace(settings=there, index_server=None)
    assert saved(strangers, here) == ["saved http://a:8000", "then"]
    # until it is written there
    assert "index by http://a:8000" in saved(strangers, there)
    in_use = SimpleNamespace(settings=there, index_server="http://a:8000")
    assert saved(in_use, there) == ["saved http://a:8000", "then"]
    assert saved(in_use, here) == [
        "saved http://a:8000",
        "index by None",
        "told",
        "then",
    ]


def test_a_cluster_is_named_by_choosing_it_and_one_of_a_strangers_library_is_not() -> None:
    strange = Settings(cluster="ray://a:10001", cluster_roots=("/m=/n",))
    library = SimpleNamespace(settings=strange, index_server=None)
    assert saved(library, replace(strange, batch_size=8)) == ["saved None", "then"]
    assert (library.settings.cluster, library.settings.batch_size) == ("ray://a:10001", 8)
    assert "cluster ray://a:10001 ['/m=/n']" in saved(library, strange, chooses_cluster=True)
    done = saved(library, Settings(), chooses_cluster=True)
    assert "cluster None []" in done and library.settings.cluster == "ray://a:10001"


def answers(test: Callable[[str], str]) -> list[tuple[str, bool]]:
    """Test a cluster as the dialog does; returns what is said."""
    said: list[tuple[str, bool]] = []
    main_thread: Any = DirectThread()
    main_thread.own_thread = lambda _: None
    main_thread.run_in = lambda _, work, then, failed: main_thread.run(work, then, failed)
    session: Any = SimpleNamespace(
        library=SimpleNamespace(test_cluster=test), main_thread=main_thread, is_closing=False
    )
    overlay: Any = None
    dialogs = WindowDialogs(None, overlay, lambda: session, lambda _: None)
    dialogs._test_cluster("auto", lambda sentence, is_wrong: said.append((sentence, is_wrong)))
    return said


def test_what_answers_of_a_cluster_is_said_or_what_is_wrong() -> None:
    assert answers(lambda address: f"{address} answers.") == [("auto answers.", False)]

    def gone(_: str) -> str:
        raise ClusterError("nothing answers at studio")

    assert answers(gone) == [("Nothing answers at studio.", True)]


def test_a_message_about_a_cluster_leads_to_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, str, Any]] = []

    def show(_: object, title: str, sentence: str, details: str = "", other: Any = None) -> None:
        shown.append((title, sentence, other))

    monkeypatch.setattr(window_dialogs, "show_error", show)
    nothing: Any = None
    dialogs = WindowDialogs(None, nothing, lambda: nothing, lambda _: None)
    dialogs.show_error(ClusterError("Ray: it does not answer"))
    dialogs.show_error(DatabaseError("the disk is full"))
    dialogs.show_notices(None, ["another cluster is named"])
    dialogs.show_notices("pages were lost", [])
    assert [title for title, _, _ in shown][:2] == [
        "Couldn't use the cluster",
        "Couldn't use the library",
    ]
    ways = [None if other is None else other[0] for _, _, other in shown]
    assert ways == ["Open Settings", None, "Open Settings", None]


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
