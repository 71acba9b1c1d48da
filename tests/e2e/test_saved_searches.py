"""Saved searches in a window of this process: in the sidebar, and the button that saves."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from src.errors import QueryError
from src.gui.app.saved_list import HEADING, SavedList
from src.gui.app.saved_searches import SavedSearches
from src.gui.app.sidebar import Sidebar
from src.gui.core.session import Session
from src.gui.search.save_search import SaveSearchButton
from src.gui.theme.theme import DARK, Theme
from src.gui.widgets.dropdown import Dropdown
from src.gui.widgets.inputs import Entry
from src.records import LibraryStats
from src.search.query import Query
from src.search.saved_searches import SavedSearch
from tests.direct_thread import DirectThread


class Library:
    """Keeps searches, and says how much they find."""

    def __init__(self) -> None:
        self.saved: dict[str, str] = {}
        self.browse = SimpleNamespace(count_left=lambda text, wanted: 1234)

    def saved_searches(self) -> list[SavedSearch]:
        return [SavedSearch(name, text) for name, text in self.saved.items()]

    def save_search(self, name: str, text: str) -> None:
        if name == "no":
            raise QueryError("a saved search needs a name")
        self.saved[name] = text

    def rename_search(self, name: str, new_name: str) -> None:
        if new_name in self.saved:
            raise QueryError("there is one already")
        self.saved[new_name] = self.saved.pop(name)

    def forget_search(self, name: str) -> None:
        del self.saved[name]

    def find(self, query: Query, count: bool) -> Any:
        return SimpleNamespace(strong=41 if query.words == "red truck" else None)


class Shown:
    def __init__(self, root: Any) -> None:
        root.geometry("240x320")
        theme = Theme(DARK, 1.0)
        theme.find_fonts(root)
        main_thread, never = DirectThread(), None
        self.session = Session(main_thread, never, never)  # type: ignore[arg-type]
        self.library: Any = Library()
        self.session._library = self.library
        self.session.models_ready = True
        self.root, self.ran, self.menus = root, list[str](), list[str]()
        self.room = list[bool]()
        self.saved = SavedSearches(
            root, theme, self.session, self.ran.append, self._entries, self.room.append
        )
        self.text = "red truck"
        self.button = SaveSearchButton(root, theme, self.session, lambda: self.text)
        self.button.pack(side="bottom")
        root.update()

    def _entries(self, menu: str) -> list[Any]:
        self.menus.append(menu)
        return [("Rename", self.saved.rename_chosen), ("Remove", self.saved.remove_chosen)]

    def save(self, **searches: str) -> SavedList:
        self.library.saved |= searches
        self.saved.refresh()
        self.root.update()
        assert self.saved.list is not None
        self.saved.list.canvas.focus_force()
        self.root.update()
        return self.saved.list

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.root.focus_get().event_generate(f"<{key}>")
            self.root.update()

    def type_over(self, text: str) -> None:
        field = self.root.focus_get()
        field.delete(0, "end")
        field.insert(0, text)
        self.keys("Return")


@pytest.fixture
def shown(empty_window: Any) -> Iterator[Shown]:
    yield Shown(empty_window)
    for child in empty_window.winfo_children():
        child.destroy()


def test_nothing_is_shown_while_there_are_none(shown: Shown) -> None:
    shown.saved.refresh()
    assert shown.saved.list is None
    found = shown.save(red="red truck")
    assert found.texts == [HEADING, "red", "41"]
    shown.keys("Delete")
    assert not found.winfo_ismapped() and shown.library.saved == {}
    assert shown.room == [True, False]


def test_a_click_or_enter_runs_one(shown: Shown) -> None:
    found = shown.save(red="red truck", dogs="tag:dog", other="dog", broken="tag:")
    assert found.texts == [HEADING, "red", "41", "dogs", "1,234", "other", "broken"]
    found.canvas.event_generate("<ButtonRelease-1>", x=50, y=32 + 36 + 5)
    found.canvas.event_generate("<ButtonRelease-1>", x=50, y=5)  # the heading
    shown.keys("Up", "Return")
    assert shown.ran == ["tag:dog", "red truck"]


def test_one_is_renamed_in_its_place_and_removed(shown: Shown) -> None:
    found = shown.save(red="red truck", dogs="tag:dog")
    found.canvas.event_generate("<Button-3>", x=50, y=32 + 36 + 5)
    shown.root.update()
    shown.keys("Down", "Return")
    shown.root.update()
    shown.type_over("red")
    assert found._wrong.winfo_ismapped() and found._wrong.cget("text") == "There is one already."
    shown.type_over("my dogs")
    assert not found._wrong.winfo_ismapped()
    assert shown.library.saved == {"red": "red truck", "my dogs": "tag:dog"}
    shown.keys("F2", "Escape")
    assert shown.root.focus_get() is found.canvas
    found.canvas.event_generate("<Button-3>", x=50, y=32 + 5)
    shown.root.update()
    shown.keys("Down", "Down", "Return")
    assert found.names == ["my dogs"] and shown.menus == ["saved search"] * 2


def test_what_there_is_no_room_for_is_scrolled_to(shown: Shown) -> None:
    names = [f"search {number}" for number in range(12)]
    found = shown.save(**dict.fromkeys(names, "tag:dog"))
    assert found.texts[1] == names[0] and names[-1] not in found.texts
    shown.keys("End")
    assert found.texts[-2:] == [names[-1], "1,234"]
    found.canvas.event_generate("<Button-4>")
    assert names[-1] not in found.texts


def test_a_search_is_saved_under_a_name(shown: Shown) -> None:
    shown.button.open()
    shown.root.update()
    field = shown.root.focus_get()
    assert field.get() == "red truck" and field.selection_present()
    shown.type_over("no")
    (dropdown,) = (w for w in shown.root.winfo_children() if isinstance(w, Dropdown))
    assert shown.library.saved == {}
    shown.type_over("red ones")
    assert shown.library.saved == {"red ones": "red truck"} and not dropdown.winfo_exists()
    assert shown.saved.list is not None and shown.saved.list.names == ["red ones"]
    shown.text = ""
    shown.button.open()
    assert not [w for w in shown.root.winfo_children() if isinstance(w, Dropdown | Entry)]


def test_a_low_window_has_room_for_three_saved_searches(empty_window: Any) -> None:
    root, theme = empty_window, Theme(DARK, 1.0)
    theme.find_fonts(root)
    root.geometry("240x600")
    sidebar = Sidebar(root, theme, lambda _: None, lambda: None)
    sidebar.pack(side="left", fill="y", expand=True)
    stats = LibraryStats(13, 9, 4, 20, 785, 4, 9, None, None)
    sidebar.show_stats(stats)
    root.update()
    assert sidebar._table.winfo_ismapped()
    found = SavedList(sidebar, theme, *[lambda *_: None] * 4)
    found.show([f"search {number}" for number in range(9)], {})
    found.pack(fill="both", expand=True, padx=16, pady=(12, 8))
    sidebar.make_room(True)
    root.update()
    assert len(found.names_in_sight) >= 3 and not sidebar._table.winfo_ismapped()
    assert sidebar._in_short.winfo_ismapped()
    assert sidebar._in_short.cget("text") == "785 segments in 13 files"
    root.geometry("240x760")
    root.update()
    assert sidebar._table.winfo_ismapped() and not sidebar._in_short.winfo_ismapped()
    for child in root.winfo_children():
        child.destroy()
