"""The filter row in a window of this process: by pointer and by keys."""

from __future__ import annotations

import tkinter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from src.gui.filters.choosers import ALL
from src.gui.filters.date_strip import DateStrip
from src.gui.filters.filter_row import CLEAR, MORE, FilterRow
from src.gui.filters.list_chooser import ListChooser
from src.gui.filters.range_choosers import QualityChooser, SizeChooser
from src.gui.theme.theme import DARK, Theme
from src.gui.widgets.dropdown import Dropdown
from src.gui.widgets.popup import _Menu
from src.search.captured_histogram import CapturedHistogram
from src.search.filter_text import parse_filter
from src.search.filters import Filter
from tests.direct_thread import DirectThread

FOLDERS = {"/photos/2024": 50, "/photos/norway": 20}
MONTHS = (*(f"2024-{month:02}-01" for month in range(1, 13)), "2025-01-01")


class Library:
    """Says what there is to choose, and remembers of what a chart was asked."""

    def __init__(self) -> None:
        self.charted: list[str] = []
        self.browse = self

    def tag_counts(self) -> dict[str, int]:
        return {"cat": 40, "dog": 30, "white dog": 2}

    def folders(self) -> dict[str, int]:
        return FOLDERS

    def cameras(self) -> dict[str, int]:
        return {"Canon EOS 5D": 9}

    def quality_range(self) -> tuple[float, float]:
        return 0.5, 0.98

    def captured_histogram(self, where: Filter, _bins: int) -> CapturedHistogram:
        self.charted.append(str(where))
        return CapturedHistogram(MONTHS, (10,) * 12, undated=5)


class Shown:
    """A row over an empty window, and the filters that it gave."""

    def __init__(self, root: Any) -> None:
        theme = Theme(DARK, 1.0)
        theme.find_fonts(root)
        self.root, self.library, self.given = root, Library(), list[str]()
        session: Any = SimpleNamespace(
            read_only=False,
            only_to_write=lambda *_: None,
            is_open=True,
            library=self.library,
            main_thread=DirectThread(),
        )
        self.row = FilterRow(root, theme, session, lambda where: self.given.append(str(where)))
        self.row.pack(fill="x")
        self.below = tkinter.Entry(root)
        self.below.pack(side="bottom")
        self.show("")
        self.root.focus_force()
        self.row.canvas.focus_force()
        self.root.update()

    def show(self, text: str, width: int = 1000) -> None:
        self.row.show(parse_filter(text))
        self.root.geometry(f"{width}x500")
        self.root.update()

    def click(self, key: str) -> None:
        left, _, wide, _ = self.row.box(key)
        x = left - self.row.canvas.winfo_rootx() + wide // 2
        self.row.canvas.event_generate("<ButtonRelease-1>", x=x, y=20)
        self.root.update()

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.root.focus_get().event_generate(f"<{key}>")
            self.root.update()

    def find(self, kind: type[Any], inside: Any = None) -> Any:
        """Find the widget of a kind that is there; None where none is."""
        for child in (inside or self.root).winfo_children():
            if isinstance(child, kind):
                return child
            if (found := self.find(kind, child)) is not None:
                return found
        return None


@pytest.fixture
def shown(empty_window: Any) -> Iterator[Shown]:
    shown = Shown(empty_window)
    yield shown
    for child in empty_window.winfo_children():
        child.destroy()


def test_a_menu_writes_a_condition_and_clear_takes_all_away(shown: Shown) -> None:
    shown.show("path:x")
    shown.click("kind")
    shown.keys("Down", "Return")
    shown.click("media")
    shown.find(_Menu)._rows[2].event_generate("<ButtonRelease-1>")
    shown.root.update()
    assert shown.given == ["path:x kind:object", "path:x kind:object kind:video"]
    assert shown.row.said[0] == "Kind: objects" and "Media: videos" in shown.row.said
    shown.click(CLEAR)
    assert shown.given[-1] == "path:x" and CLEAR not in shown.row.said
    assert str(shown.row.unowned) == "path:x"


def test_tags_are_found_and_ticked_by_keys(shown: Shown) -> None:
    shown.keys("Right", "Return")
    chooser = shown.find(ListChooser)
    assert chooser.texts == ["cat", "dog", "white dog"]
    chooser.entry.set("dog")
    shown.keys("Down", "Return")
    chooser.entry.set("")
    shown.keys("Return")
    chooser._modes.choose(ALL)
    assert shown.given == ['tag:"white dog"', 'tag:"white dog",cat', 'tag:"white dog" tag:cat']
    shown.keys("Escape")
    assert shown.find(Dropdown) is None and shown.root.focus_get() is shown.row.canvas
    shown.keys("Return")  # what is ticked comes first, and goes with another tick
    assert shown.find(ListChooser).texts == ["white dog", "cat", "dog"]
    shown.keys("Return")
    assert shown.given[-1] == "tag:cat"
    shown.keys("Escape")


def test_the_keyboard_stays_in_what_is_open(shown: Shown) -> None:
    shown.row._on_change = lambda where: shown.below.focus_set()  # as where all is taken away
    shown.keys("Right", "Return")
    field = shown.root.focus_get()
    shown.keys("Return")
    assert shown.root.focus_get() is field and shown.row.said[1] == "Tag: cat"
    shown.keys("Escape")


def test_a_folder_and_a_camera_are_ticked_by_the_pointer(shown: Shown) -> None:
    for key, place in (("folder", 1), ("camera", 0)):
        shown.click(key)
        chooser = shown.find(ListChooser)
        chooser.list.event_generate("<ButtonRelease-1>", x=40, y=32 * place + 9)
        shown.root.update()
        shown.find(Dropdown).event_generate("<Button-1>", x=-5, y=-5)
        shown.root.update()
        assert shown.find(Dropdown) is None
    assert shown.given[-1] == 'in:/photos/norway camera:"Canon EOS 5D"'
    assert shown.row.said[-3:] == ["Folder: norway", "Camera: Canon EOS 5D", CLEAR]


def test_a_size_of_the_menu_or_another_one(shown: Shown) -> None:
    shown.click("size")
    shown.keys("Down", "Down", "Return")
    assert shown.given == ["size>=64px"]
    shown.click("size")
    shown.keys(*["Down"] * 5, "Return")  # from the one that is ticked to the last
    chooser = shown.find(SizeChooser)
    assert [entry.text for entry in chooser.entries] == ["64", ""]
    chooser.entries[1].set("many")
    shown.keys("Return")
    assert shown.find(SizeChooser) is not None and len(shown.given) == 1
    chooser.entries[1].set("128 px")
    shown.keys("Return")
    assert shown.given[-1] == "size:64px..128px" and shown.find(SizeChooser) is None


def test_the_slider_of_mask_quality(shown: Shown) -> None:
    shown.click("quality")
    chooser = shown.find(QualityChooser)
    assert chooser.slider.ends == (0.5, 0.98)
    chooser.slider.event_generate("<End>")
    chooser.slider._rested()
    shown.root.update()
    assert shown.given == ["quality>=0.98"] and "Mask quality: ≥ 0.98" in shown.row.said
    chooser.slider.event_generate("<Home>")
    chooser.slider._rested()
    assert shown.given[-1] == ""
    shown.keys("Escape")


def open_strip(shown: Shown) -> DateStrip:
    shown.click("date")
    strip = shown.find(DateStrip)
    assert isinstance(strip, DateStrip) and shown.root.focus_get() is strip
    return strip


def drag(shown: Shown, strip: DateStrip, start: int, *to: int) -> None:
    strip.event_generate("<Button-1>", x=start, y=20)
    for x in to:
        strip.event_generate("<B1-Motion>", x=x, y=20)
    strip.event_generate("<ButtonRelease-1>", x=to[-1], y=20)
    shown.root.update()


def test_a_range_of_dates_is_drawn_and_dragged(shown: Shown) -> None:
    shown.show("tag:cat")
    strip = open_strip(shown)
    assert shown.library.charted == ["tag:cat"] and strip.words == ("125 files", "any time")
    inside = (strip.x_of(1) - strip.x_of(0)) // 2
    drag(shown, strip, strip.x_of(2) + inside, strip.x_of(5) + inside)  # a new one
    assert shown.given == ["tag:cat taken:2024-03..2024-06"]
    assert strip.words == ("40 of 125 files", "1 Mar – 30 Jun 2024")
    drag(shown, strip, strip.x_of(6), strip.x_of(9))  # its end
    assert shown.given[-1] == "tag:cat taken:2024-03..2024-09"
    drag(shown, strip, strip.x_of(2), strip.x_of(0) - 50)  # its beginning
    assert shown.given[-1] == "tag:cat taken:2024-01..2024-09"
    drag(shown, strip, strip.x_of(4), strip.x_of(6), strip.x_of(6))  # the whole
    assert shown.given[-1] == "tag:cat taken:2024-03..2024-11"
    assert shown.library.charted == ["tag:cat"]  # only dates have changed
    shown.click(CLEAR)
    assert strip.words[1] == "any time" and shown.library.charted == ["tag:cat", ""]


def test_dates_by_keys_alone(shown: Shown) -> None:
    strip = open_strip(shown)
    shown.keys("Right", "Right", "Tab", "Left", "Return")
    assert shown.given == ["taken:2024-03..2024-11"]
    assert not strip.winfo_ismapped() and shown.root.focus_get() is shown.row.canvas
    assert "Date: Mar–Nov 2024" in shown.row.said
    shown.keys("Return", "Tab", "Tab", "Right", "Escape")
    assert shown.given[-1] == "taken:2024-04..2024-12"
    shown.keys("Return", "Delete")
    assert shown.given[-1] == ""
    shown.keys("Tab", "Tab", "Tab")
    assert shown.root.focus_get() is not strip


def test_what_does_not_fit_is_under_more(shown: Shown) -> None:
    shown.show("camera:canon", width=660)
    assert shown.row.said[-3:] == ["Camera: canon", MORE, CLEAR]
    last = shown.row.canvas.winfo_width()
    assert all(
        left >= 0 and left + width <= last
        for left, width in ((stop.left, stop.width) for stop in shown.row._stops)
    )
    more = [shown.row._buttons[place].key for place in shown.row._more]
    assert more[-1] == "folder"
    shown.click(MORE)
    shown.keys(*["Down"] * len(more), "Return")
    assert shown.find(ListChooser).texts == list(FOLDERS)
    shown.keys("Return", "Escape")
    assert shown.given == ["camera:canon in:/photos/2024"]
