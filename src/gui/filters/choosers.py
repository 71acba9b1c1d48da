"""What opens below a button of the filter row: a menu, or a small frame with controls."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from src.gui.core.session import Session
from src.gui.filters.library_choices import listed
from src.gui.filters.list_chooser import ListChooser, Listed
from src.gui.filters.range_choosers import QualityChooser, SizeChooser
from src.gui.filters.row_buttons import (
    TagChoice,
    folders_chosen,
    in_folders,
    said_of_size,
    tag_choice,
)
from src.gui.theme.theme import Theme
from src.gui.widgets.dropdown import Dropdown
from src.gui.widgets.popup import show_menu
from src.search.filters import EVERYTHING, Filter
from src.search.leaves import KindIs, MediaKindIs
from src.search.media_leaves import TakenWith
from src.search.range_leaves import Quality, Share, Size

_GAP, _MARGIN = 4, 8
Box = tuple[int, int, int, int]  # left, top, width, height in device pixels, on the screen

_KINDS: dict[str, Filter] = {
    "Objects and whole images": EVERYTHING,
    "Objects": KindIs(("object",)),
    "Whole images": KindIs(("frame",)),
}
_MEDIA: dict[str, Filter] = {
    "Photos and videos": EVERYTHING,
    "Photos": MediaKindIs(("image",)),
    "Videos": MediaKindIs(("video",)),
}
_SIZES: dict[str, Filter] = {"Any size": EVERYTHING} | {
    said_of_size(size).replace("≥", "At least").replace("≤", "At most"): size
    for size in (Size(32), Size(64), Size(128), Size(256), Share(0.1), Size(None, 64))
}
_OTHER_SIZE = "Other size…"
ANY, ALL = "Any of these", "All of these"


class Choosers:
    """Opens what a button is for; facts of the library are asked for behind the window then."""

    def __init__(
        self,
        row: tkinter.Misc,
        theme: Theme,
        session: Session,
        choose: Callable[[str, Filter], None],
    ) -> None:
        """Prepare them.

        Args:
            choose: gets the key of a button and the condition that was chosen for it.
        """
        self._row, self._theme, self._session, self._choose = row, theme, session, choose

    def open(self, key: str, condition: Filter, button: Box) -> None:
        """Open one.

        Args:
            condition: what belongs to the button now.
            button: where it lies.
        """
        opens: dict[str, Callable[[str, Filter, Box], None]] = {
            "kind": partial(self._menu, _KINDS),
            "media": partial(self._menu, _MEDIA),
            "size": self._sizes,
            "quality": self._quality,
            "tag": self._tags,
            "folder": self._folders,
            "camera": self._cameras,
        }
        opens[key](key, condition, button)

    def _menu(
        self,
        choices: Mapping[str, Filter],
        key: str,
        condition: Filter,
        button: Box,
        other: Sequence[tuple[str, Callable[[], object]]] = (),
    ) -> None:
        left, top, width, height = button
        gap = self._theme.px(_GAP)
        chosen = [name for name, each in choices.items() if each == condition]
        show_menu(
            self._row,
            self._theme,
            [(name, partial(self._choose, key, each)) for name, each in choices.items()]
            + list(other),
            left,
            top + height + gap,
            width=width,
            above=top - gap,
            chosen=list(choices).index(chosen[0]) if chosen else -1,
        )

    def _sizes(self, key: str, condition: Filter, button: Box) -> None:
        size = condition if isinstance(condition, Size) else Size()

        def other() -> None:
            self._row.after_idle(self._other_size, key, size, button)  # the menu closes first

        self._menu(_SIZES, key, condition, button, [(_OTHER_SIZE, other)])

    def _other_size(self, key: str, size: Size, button: Box) -> None:
        dropdown = Dropdown(self._row, self._theme)

        def done(condition: Filter) -> None:
            dropdown.close()
            self._choose(key, condition)

        chooser = SizeChooser(dropdown, self._theme, size, done)
        self._show(dropdown, chooser, chooser.entries[0].field, button)

    def _quality(self, key: str, condition: Filter, button: Box) -> None:
        least = condition.least or 0.0 if isinstance(condition, Quality) else 0.0
        dropdown = Dropdown(self._row, self._theme)
        chooser = QualityChooser(dropdown, self._theme, least, partial(self._choose, key))
        self._show(dropdown, chooser, chooser.slider, button)
        browse = self._session.library.browse

        def found(lowest_highest: tuple[float, float] | None) -> None:
            if chooser.winfo_exists():
                chooser.offer(lowest_highest)

        self._session.main_thread.run(browse.quality_range, found)

    # -- lists

    def _tags(self, key: str, condition: Filter, button: Box) -> None:
        choice = tag_choice(condition)
        self._list(
            key,
            "Find a tag",
            choice.names,
            lambda chooser: TagChoice(tuple(chooser.chosen), chooser.mode == ALL).condition(),
            button,
            modes=(ANY, ALL),
            mode=ALL if choice.needs_all else ANY,
        )

    def _folders(self, key: str, condition: Filter, button: Box) -> None:
        self._list(
            key,
            "Find a folder",
            folders_chosen(condition),
            lambda chooser: in_folders(chooser.chosen),
            button,
        )

    def _cameras(self, key: str, condition: Filter, button: Box) -> None:
        self._list(
            key,
            "Find a camera",
            condition.cameras if isinstance(condition, TakenWith) else (),
            lambda chooser: TakenWith(tuple(chooser.chosen)) if chooser.chosen else EVERYTHING,
            button,
        )

    def _list(
        self,
        key: str,
        placeholder: str,
        chosen: Sequence[str],
        condition_of: Callable[[ListChooser], Filter],
        button: Box,
        modes: Sequence[str] = (),
        mode: str = "",
    ) -> None:
        dropdown = Dropdown(self._row, self._theme)
        chooser = ListChooser(
            dropdown,
            self._theme,
            placeholder,
            chosen,
            lambda: self._choose(key, condition_of(chooser)),
            modes,
            mode,
        )
        self._show(dropdown, chooser, chooser.entry.field._entry, button)
        library = self._session.library

        def found(choices: Sequence[Listed]) -> None:
            if chooser.winfo_exists():
                chooser.show(choices)

        self._session.main_thread.run(lambda: listed(library, key), found)

    def _show(
        self, dropdown: Dropdown, content: tkinter.Misc, first: tkinter.Misc, button: Box
    ) -> None:
        left, top, _, height = button
        gap, margin = self._theme.px(_GAP), self._theme.px(_MARGIN)
        content.pack(padx=margin, pady=margin)  # type: ignore[attr-defined]
        dropdown.open(left, top + height + gap, top - gap, first)
