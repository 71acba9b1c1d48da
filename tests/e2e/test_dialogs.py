"""Dialogs over one another, in a window of their own and in the program."""

from __future__ import annotations

import gc
import re
import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.gui.dialogs import cluster_choice
from src.gui.dialogs.cluster_choice import ELSEWHERE, HERE, OFF
from src.gui.dialogs.messages import ask, show_error
from src.gui.dialogs.server_entry import Say
from src.gui.dialogs.settings_dialog import SettingsDialog
from src.gui.theme.theme import DARK, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.tooltip import Tooltip
from src.records import Tag
from src.settings import Settings
from tests.e2e.desktop import Screen, Start, wait_until

TAGS = 400  # of each segment: an export of all takes some seconds


@pytest.fixture
def overlay(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Overlay]:
    """Dialogs over an empty window, in this process."""
    monkeypatch.setenv("DISPLAY", screen.display)
    root: Any = ctk.CTk()
    theme = Theme(DARK, 1.0)
    theme.find_fonts(root)
    root.update()
    yield Overlay(root, theme)
    root.update()
    root.destroy()


def test_behind_a_dialog_lies_what_has_just_come(overlay: Overlay) -> None:
    """A job that begins shows its strip in the moment in which somebody opens the settings."""
    overlay.root.geometry("600x400")
    overlay.root.update()
    strip = ctk.CTkFrame(overlay.root, fg_color="#FF0000", corner_radius=8, width=10, height=10)
    strip.pack(fill="both", expand=True)
    dialog = overlay.open(width=20)
    overlay.root.update()
    picture = overlay._layers[-1].picture
    assert picture is not None and overlay.undrawn is None
    width, height = picture.size
    for at in ((width // 2, height - 20), (20, height // 2), (width - 20, height // 2)):
        red, green, blue = picture.getpixel(at)
        assert red > 80 and max(green, blue) < 40, (at, (red, green, blue))
    overlay.close(dialog)
    assert overlay.root.grab_current() is None


def test_a_dialog_comes_though_there_is_always_something_to_do(overlay: Overlay) -> None:
    """As while a job runs whose events are heard as fast as they come."""
    root, goes_on = overlay.root, [True]

    def spin() -> None:
        if goes_on:
            root.after(0, spin)

    spin()
    overlay.open()
    for _ in range(200):
        root.tk.dooneevent()
    goes_on.clear()
    assert overlay.undrawn is None and overlay.dialog is not None


def test_a_dialog_that_opens_leaves_the_one_under_it(overlay: Overlay) -> None:
    closed: list[str] = []
    entry = ctk.CTkEntry(overlay.root)
    entry.pack()
    overlay.root.update()
    entry.focus_force()
    overlay.root.update()
    first = overlay.open(on_close=lambda: closed.append("first"))
    inside = ctk.CTkEntry(first)
    inside.grid()
    inside.focus_force()
    overlay.root.update()
    second = overlay.open(on_close=lambda: closed.append("second"))
    overlay.root.update()
    assert not closed and overlay.dialog is second
    assert overlay.holds(first) and overlay.holds(second)
    assert not str(overlay.root.focus_get()).startswith(f"{first}.")
    overlay.close()
    overlay.root.update()
    assert closed == ["second"] and overlay.dialog is first and not overlay.holds(second)
    assert str(overlay.root.focus_get()).startswith(f"{inside}.")
    overlay.close()
    overlay.root.update()
    assert closed == ["second", "first"] and not overlay.is_open
    assert str(overlay.root.focus_get()).startswith(f"{entry}.")


class Settled:
    """What a dialog of settings asks for, answered when the test says so."""

    def __init__(
        self,
        overlay: Overlay,
        settings: Settings,
        index_server: str | None = None,
        uses_cluster: bool = False,
    ) -> None:
        self.asked: list[tuple[str, Say]] = []
        self.saved: list[Settings] = []
        self.chosen: list[bool] = []  # where media is processed
        self.dialog = SettingsDialog(
            overlay,
            settings,
            "/library",
            index_server,
            uses_cluster,
            self._save,
            lambda: None,
            lambda: None,
            lambda address, say: self.asked.append((address, say)),
            lambda address, say: self.asked.append((address, say)),
        )
        overlay.root.update()

    def _save(self, settings: Settings, chooses_cluster: bool, _: object) -> None:
        self.saved.append(settings)
        self.chosen.append(chooses_cluster)

    @property
    def said(self) -> str:
        return self.said_of("Search index")

    def said_of(self, row: str) -> str:
        return str(self.dialog._hints[row].cget("text"))


def test_a_servers_address_is_tried_in_its_place_and_saved(overlay: Overlay) -> None:
    given = Settled(overlay, Settings())
    server = given.dialog.server
    assert server.address is None and "library's folder" in given.said
    server._test()
    assert not given.asked  # nothing to try
    server._entry.set("http://studio:8000")
    server._test()
    server._test()  # once is enough
    ((address, answer),) = given.asked
    assert address == "http://studio:8000" and "Waiting" in given.said
    answer("http://studio:8000 can't be reached", True)
    assert given.said == "http://studio:8000 can't be reached."
    server._test()
    server._entry.set("http://studio:9000")
    given.asked.pop()[1]("The server answers", False)
    assert "library's folder" in given.said  # the answer was another address's
    server._test()
    given.asked.pop()[1]("The server answers", False)
    assert given.said == "The server answers."
    given.dialog._save()
    assert [each.chroma_server for each in given.saved] == ["http://studio:9000"]
    server._entry.set("studio")
    given.dialog._save()
    assert len(given.saved) == 1 and "http://HOST:8000" in given.said
    server._entry.set(" ")
    given.dialog._save()
    assert given.saved[-1].chroma_server is None
    server._entry.set("http://a:1")
    server._test()
    given.dialog.close()
    given.asked.pop()[1]("The server answers", False)  # nobody looks any more
    overlay.root.update()


def test_a_server_of_a_strangers_library_is_named_and_not_in_the_entry(overlay: Overlay) -> None:
    given = Settled(overlay, Settings(chroma_server="http://stranger:8000"))
    assert given.dialog.server.address is None and "http://stranger:8000" in given.said


def test_where_media_is_processed_is_chosen_tried_and_saved(overlay: Overlay) -> None:
    given = Settled(overlay, Settings())
    cluster = given.dialog.cluster
    assert not cluster.server.winfo_ismapped() and not cluster.folders.winfo_ismapped()
    given.dialog._save()
    assert given.saved[-1].cluster is None
    cluster.menu.choose(HERE)
    overlay.root.update()
    assert cluster.server.winfo_ismapped() and not cluster.folders.winfo_ismapped()
    cluster.server._test()
    address, answer = given.asked.pop()
    assert address == "local" and "Waiting" in given.said_of("Process on a cluster")
    answer("Ray 2.60.0 is installed.", False)
    assert given.said_of("Process on a cluster") == "Ray 2.60.0 is installed."
    given.dialog._save()
    assert given.saved[-1].cluster == "local"
    cluster.menu.choose(ELSEWHERE)
    overlay.root.update()
    assert cluster.folders.winfo_ismapped() and "trust" in given.said_of("Process on a cluster")
    before = len(given.saved)
    given.dialog._save()
    assert given.said_of("Process on a cluster") == "Type its address."
    cluster.server._entry.set("studio")
    given.dialog._save()
    assert "ray://HOST:10001" in given.said_of("Process on a cluster")
    cluster.server._entry.set("ray://studio:10001")
    cluster.folders.set("/mnt/photos\n")
    given.dialog._save()
    assert "HERE=THERE" in given.said_of("Folders on the cluster") and len(given.saved) == before
    cluster.folders.set("/mnt/photos=/data/photos\n\n /m=/n")
    given.dialog._save()
    assert given.saved[-1].cluster == "ray://studio:10001"
    assert given.saved[-1].cluster_roots == ("/mnt/photos=/data/photos", "/m=/n")
    assert all(given.chosen)
    cluster.folders.set("/mnt/photos")  # not asked for with these: what there was stays
    for choice in (HERE, OFF):
        cluster.menu.choose(choice)
        before = len(given.saved)
        given.dialog._save()
        assert len(given.saved) == before + 1 and given.saved[-1].cluster_roots == ()


def test_a_cluster_of_a_strangers_library_is_used_once_it_is_chosen(overlay: Overlay) -> None:
    settings = Settings(cluster="ray://stranger:10001", cluster_roots=("/m=/n",))
    given = Settled(overlay, settings)
    said, cluster = given.said_of("Process on a cluster"), given.dialog.cluster
    assert "ray://stranger:10001" in said and "not used" in said
    given.dialog._save()
    assert (given.saved[-1].cluster, given.chosen[-1]) == ("ray://stranger:10001", False)
    cluster.menu.choose(ELSEWHERE)  # which is filled in
    given.dialog._save()
    assert given.saved[-1] == settings and given.chosen[-1]
    cluster.menu.choose(OFF)
    given.dialog._save()
    assert given.saved[-1].cluster is None and given.chosen[-1]


def test_the_row_of_the_cluster_is_in_sight_where_that_is_asked_for(overlay: Overlay) -> None:
    overlay.root.geometry("960x400")
    overlay.root.update()
    given = Settled(overlay, Settings(cluster="local"), uses_cluster=True)
    given.dialog.see_cluster()
    given.dialog._fit()
    overlay.root.update()
    frame, rows = given.dialog.cluster.frame, given.dialog._scrolled._parent_canvas
    assert rows.winfo_rooty() <= frame.winfo_rooty()
    assert frame.winfo_rooty() + frame.winfo_height() <= rows.winfo_rooty() + rows.winfo_height()


def test_without_ray_the_row_says_how_to_install_it(
    overlay: Overlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_choice, "ray_is_installed", lambda: False)
    given = Settled(overlay, Settings())
    assert "pip install" in given.said_of("Process on a cluster")


@pytest.mark.parametrize(("height", "scrolls"), [(900, False), (400, True)])
def test_settings_scroll_where_the_window_is_too_low_for_them(
    overlay: Overlay, height: int, scrolls: bool
) -> None:
    overlay.root.geometry(f"960x{height}")
    overlay.root.update()
    given = Settled(overlay, Settings())
    for _ in range(5):
        overlay.root.update()
    frame = given.dialog._dialog
    assert frame.winfo_y() >= 0 and frame.winfo_y() + frame.winfo_height() <= height
    assert given.dialog._foot.winfo_rooty() > given.dialog._table.winfo_rooty()
    assert bool(given.dialog._scrolled._scrollbar.winfo_ismapped()) == scrolls


def test_a_control_with_a_tooltip_is_forgotten_once_it_is_gone(overlay: Overlay) -> None:
    button = Button(overlay.root, overlay.theme, "Add", lambda: None)
    Tooltip(button, overlay.theme, "Add files")
    button.forbid("Not here.")
    is_there = weakref.ref(button)
    overlay.root.update()
    button.destroy()
    overlay.root.update()
    del button
    gc.collect()
    assert is_there() is None


def test_a_dialog_goes_from_under_another(overlay: Overlay) -> None:
    closed: list[str] = []
    first = overlay.open(on_close=lambda: closed.append("first"))
    second = overlay.open(on_close=lambda: closed.append("second"))
    overlay.close(first)
    assert closed == ["first"] and overlay.dialog is second
    overlay.close(first)  # it is gone already
    assert closed == ["first"] and overlay.dialog is second


def test_a_dialog_comes_into_sight_with_all_that_is_in_it(
    overlay: Overlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = overlay.root
    draws = ctk.CTkBaseClass._update_dimensions_event  # when a widget hears of its size
    drawn: list[bool] = []  # for each: whether the dialog was to be seen

    def is_seen() -> bool:
        # Tk lists children from the lowest to the one on top
        on_top = root.tk.splitlist(root.tk.call("winfo", "children", "."))[-1]
        dialog = overlay.dialog
        return dialog is not None and bool(dialog.winfo_viewable()) and on_top == str(dialog)

    def draw(widget: Any, event: Any) -> None:
        drawn.append(is_seen())
        draws(widget, event)

    monkeypatch.setattr(ctk.CTkBaseClass, "_update_dimensions_event", draw)
    ask(overlay, "Stop?", "What is done is kept.", "Stop", lambda: None)
    root.update()
    assert is_seen() and len(drawn) > 6
    assert not any(drawn)


def test_the_same_message_comes_once(overlay: Overlay) -> None:
    for _ in range(3):
        show_error(overlay, "That did not work", "the disk is full")
    show_error(overlay, "That did not work", "the file is gone")
    for _ in range(2):
        ask(overlay, "Stop?", "What is done is kept.", "Stop", lambda: None)
    shown = 0
    while overlay.is_open:
        overlay.close()
        shown += 1
    assert shown == 3


def test_an_answer_closes_the_dialog_it_stands_in(overlay: Overlay) -> None:
    said: list[str] = []
    ask(overlay, "Stop?", "What is done is kept.", "Stop", lambda: said.append("stop"))
    question = overlay.dialog
    assert question is not None
    show_error(overlay, "That did not work", "the disk is full")
    error = overlay.dialog
    _button(question, "Stop").invoke()
    assert said == ["stop"] and overlay.dialog is error


def test_a_question_over_a_running_export_does_not_stop_it(
    start: Start, filled: Path, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    shutil.copytree(filled, library)
    database = MetadataDatabase(LibraryPaths(library))
    with database.connection.write():
        for segment_id in database.segment_ids():
            tags = [Tag(f"tag {number}", 1.0, "human") for number in range(TAGS)]
            database.add_tags(segment_id, tags, "human")
    database.close()
    window = start(library)
    window.click("Export Dataset")
    button = window.wait(
        "the count",
        lambda s: next((t for t in s["buttons"] if re.fullmatch(r"Export [\d,]+ crops", t)), ""),
    )
    window.click(button)
    window.wait("the export", lambda s: any(t.startswith("Writing ") for t in s["texts"]))
    window.key("alt+F4")
    window.click("Keep it running")
    said = window.wait(
        "its end", lambda s: next((t for t in s["texts"] if t.endswith("crops exported")), "")
    )
    assert said == f"{button.split()[1]} crops exported"
    window.key("Escape")
    window.wait("no dialog", lambda s: not s["dialog"])


def _button(dialog: Any, text: str) -> Button:
    found = [
        widget for widget in _all_in(dialog) if isinstance(widget, Button) and widget.text == text
    ]
    assert len(found) == 1
    return found[0]


def _all_in(widget: Any) -> Iterator[Any]:
    for child in widget.winfo_children():
        yield child
        yield from _all_in(child)


def test_settings_fit_a_window_that_becomes_lower(overlay: Overlay) -> None:
    root = overlay.root
    root.geometry("960x880")
    root.update()
    asks = Settled(overlay, Settings())
    dialog = asks.dialog._dialog

    def is_seen(height: int) -> bool:
        root.update()
        return root.winfo_height() == height and overlay.undrawn is None

    def room() -> tuple[int, int]:
        return dialog.winfo_y(), root.winfo_height() - dialog.winfo_y() - dialog.winfo_height()

    wait_until("the dialog", lambda: is_seen(880))
    assert dialog.winfo_height() > 600
    root.geometry("960x600")
    wait_until("what it has above and below", lambda: is_seen(600) and min(room()) > 0)
    root.geometry("960x880")
    wait_until("all of it again", lambda: is_seen(880) and dialog.winfo_height() > 600)
    overlay.close()
