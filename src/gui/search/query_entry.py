"""The entry of a query: chips for its parts, and the words that are being typed."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from src.gui.core.query_parts import WEIGHTS, QueryParts
from src.gui.core.thumbnails import Thumbnails
from src.gui.search.query_chips import Part, QueryChips
from src.gui.theme.theme import RADIUS_SMALL, SMALL, Theme
from src.gui.widgets.controls import RING, label
from src.gui.widgets.inputs import Entry
from src.gui.widgets.key_bindings import bind_key
from src.gui.widgets.popup import show_menu
from src.search.query import Image

_LEAST_FIELD = 160  # so much stays for typing, however many chips there are


class QueryEntry(Entry):
    """An entry whose chips can be turned round, weighed, edited and removed."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        placeholder: str,
        on_enter: Callable[[str], object],
        on_change: Callable[[str], object],
        on_parts: Callable[[], object],
    ) -> None:
        """Make an empty entry.

        Args:
            on_parts: called when a person has changed the chips.
        """
        self.parts = QueryParts()
        self._on_parts = on_parts
        self._names: dict[str, tuple[str, Path | None]] = {}
        self._file_names: dict[int, str] = {}
        self._all_selected = False
        super().__init__(
            master,
            theme,
            placeholder,
            icon_name="search",
            on_enter=on_enter,
            on_change=on_change,
            clearable=True,
        )
        self.chips = QueryChips(self, theme, thumbnails, self._chip_clicked, self.field.focus_set)
        self.grid_columnconfigure(1, weight=0)
        self.grid_columnconfigure(2, weight=1)
        self.field.grid(column=2)
        self._clear.grid(column=3)
        self._clear.grid_remove()
        self._fault: list[tkinter.Misc] = []  # what is drawn under a word that can't be read
        for sequence, act in (
            ("<BackSpace>", self._edit_last),
            ("<Left>", self._to_chips),
            ("<Button-1>", lambda _: self._select(False)),
        ):
            bind_key(self.field.bind, sequence, act, "+")
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit(), "+")

    def name(self, segment_id: str, name: str, crop: Path | None) -> None:
        """Tell what the chip of a segment is to say and to show."""
        self._names[segment_id] = name, crop
        self._draw_chips()

    def knows(self, segment_id: str) -> bool:
        """Return whether it has been told which crop the chip of a segment is to show."""
        return self._named(segment_id)[1] is not None

    def name_files(self, names: Mapping[int, str]) -> None:
        """Tell what media files are called, by their ids."""
        self._file_names.update(names)
        self._draw_chips()

    def knows_file(self, media_file_id: int) -> bool:
        """Return whether it has been told what a media file is called."""
        return media_file_id in self._file_names

    def show(self, words: str, parts: QueryParts) -> None:
        """Show another query."""
        self.parts = parts
        self._select(False)
        self._draw_chips()
        self.set(words)
        self.show_clear()

    def select_all(self) -> None:
        """Select the words and the chips: what is typed next takes the place of all."""
        self.focus_field()
        self._select(True)

    def clear(self) -> None:
        self._remove_chips()
        super().clear()

    def changed(self) -> None:
        if self._fault and self.text != self._last:
            self.hide_fault()
        if self._all_selected and self.text != self._last:
            self._select(False)
            self._remove_chips()
        super().changed()

    def has_content(self) -> bool:
        return bool(self.parts) or super().has_content()

    def _remove_chips(self) -> None:
        if self.parts:
            self._change(QueryParts())

    def _change(self, parts: QueryParts) -> None:
        self.parts = parts
        self._draw_chips()
        self.show_clear()
        self._on_parts()

    def _draw_chips(self) -> None:
        chips = self.parts.chips(self._named, lambda each: self._file_names.get(each, ""))
        if chips and not self.chips.winfo_manager():
            self.chips.grid(row=0, column=1, padx=(8, 0))
        elif not chips:
            self.chips.grid_remove()
        self.chips.show(chips)

    def _named(self, segment_id: str) -> tuple[str, Path | None]:
        return self._names.get(segment_id, (f"segment {segment_id[:6]}…", None))

    def _fit(self) -> None:
        self.chips.fit(max(1, self.winfo_width() - self.theme.px(_LEAST_FIELD + 80)))

    def _select(self, selected: bool) -> None:
        self._all_selected = selected
        self.chips.select(selected)

    def _focused(self, has: bool) -> None:
        super()._focused(has)
        if not has:
            self._select(False)

    def _select_all(self, event: object) -> str:
        self._select(True)
        return super()._select_all(event)

    @property
    def has_focus(self) -> bool:
        return self._has_focus

    @property
    def cursor(self) -> int:
        """Behind how many characters the cursor stands."""
        return int(self.field.index("insert"))

    def replace_span(self, span: tuple[int, int], text: str) -> None:
        """Put a text in the place of a part of what is typed, and the cursor behind it."""
        self.field.delete(*span)
        self.field.insert(span[0], text)
        self.field.icursor(span[0] + len(text))
        self.field.focus_set()
        self.changed()

    def place_under(self, character: int, panel: tkinter.Misc) -> tuple[int, int]:
        """Return the place in a panel below one of the characters, in device pixels."""
        inner = self.field._entry
        x = inner.winfo_rootx() - panel.winfo_rootx() + max(0, self._letter(character)[0])
        y = self.winfo_rooty() - panel.winfo_rooty() + self.winfo_height() + self.theme.px(2)
        return x, y

    # -- a word that can't be read

    def show_fault(self, span: tuple[int, int], why: str) -> None:
        """Underline a part of the typed text, and say under it what is wrong, until it changes.

        Args:
            span: from its first character to behind its last one.
        """
        self.hide_fault()
        theme, c, px = self.theme, self.theme.colours, self.theme.px
        inner, panel = self.field._entry, self.master.master
        self.set_error(True)
        inner.icursor(span[1])
        inner.xview(max(0, span[0] - 20) if inner.index("@0") > span[0] else inner.index("@0"))
        self.update_idletasks()
        left, _, _, _ = self._letter(span[0])
        right, _, wide, _ = self._letter(max(span[0], span[1] - 1))
        line = tkinter.Frame(inner, bg=c.error)
        width = min(right + wide, inner.winfo_width()) - left
        line.place(x=left, rely=1.0, y=-px(2), width=max(px(4), width), height=px(2))
        says = label(
            panel, theme, why, size=SMALL, fg_color=c.error_fill, corner_radius=RADIUS_SMALL
        )
        x, y = self.place_under(span[0], panel)
        room = panel.winfo_width() - says.winfo_reqwidth() - px(24)
        tkinter.Misc.lift(says)
        tkinter.Place.place_configure(says, x=max(px(24), min(x, room)), y=y, height=px(24))
        self._fault = [line, says]

    def hide_fault(self) -> None:
        for widget in self._fault:
            widget.destroy()
        self._fault = []
        self.set_error(False)

    @property
    def fault(self) -> str:
        """What is said under the word that can't be read."""
        return str(self._fault[1].cget("text")) if self._fault else ""

    def _letter(self, place: int) -> tuple[int, int, int, int]:
        """Return where a character lies in the field, in device pixels: x, y, width, height."""
        inner = self.field._entry
        x, y, width, height = map(int, inner.tk.call(inner._w, "bbox", place))
        return x, y, width, height

    # -- what is done with chips

    def _edit_last(self, _event: object) -> str | None:
        """Go back over the beginning of the words: the last chip is text again."""
        if self._all_selected:
            self._remove_chips()
            self._select(False)
            return None
        if (
            self.parts
            and self.field.index("insert") == 0
            and not self.field._entry.select_present()
        ):
            self._edit(len(self.parts) - 1)
            return "break"
        return None

    def _to_chips(self, _event: object) -> str | None:
        if self.parts and self.field.index("insert") == 0:
            self.chips.focus_set()
            return "break"
        return None

    def _edit(self, place: int) -> None:
        """Make a chip text again, before the words; a pasted image has none, and goes."""
        if isinstance(self.parts.term(place), Image):
            self._change(self.parts.without(place))
            return
        written = self.parts.written(place)
        self._change(self.parts.without(place))
        self.field.focus_set()
        self.field._entry_focus_in()
        self.field.insert(0, f"{written} " if self.text else written)
        self.field.icursor(len(written))
        self.changed()

    def _chip_clicked(self, place: int, part: Part) -> None:
        if part == "close":
            self._change(self.parts.without(place))
        elif part == "sign" and self.parts.term(place) is not None:
            self._change(self.parts.turned(place))
        elif part == "text":
            self._open_menu(place)

    def _open_menu(self, place: int) -> None:
        chips, parts = self.chips, self.parts
        term = parts.term(place)
        entries: list[tuple[str, Callable[[], object]]] = []
        if term is not None:
            name = "Subtract" if term.weight > 0 else "Add"
            entries.append((name, partial(self._change, parts.turned(place))))
            entries += [
                (f"Weight × {weight:g}", partial(self._change, parts.weighing(place, weight)))
                for weight in WEIGHTS
                if weight != abs(term.weight)
            ]
        if not isinstance(term, Image):
            entries.append(("Edit", partial(self._edit, place)))
        entries.append(("Remove", partial(self._change, parts.without(place))))
        left, _, _, _ = chips.box(place)
        x = chips.winfo_rootx() + max(0, left)
        y = chips.winfo_rooty() + chips.winfo_height() + self.theme.px(RING)
        show_menu(chips, self.theme, entries, x, y)
