"""What can be done with the range that is marked, and what of it gets a label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from src.gui.core.known_labels import KnownLabels
from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, IconButton, label
from src.gui.widgets.label_entry import LabelEntry
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.popup import show_menu
from src.gui.widgets.tooltip import Tooltip

_HINT = "Drag on the timeline to mark a range, then search, label or export it."
_SHORT_HINT = "Drag on the timeline to mark a range."
_LOW = 72  # the height of all of it where its buttons stand in one row
_HIGH = 112
_CLOSE = 24  # half of what the cross takes


@dataclass(frozen=True)
class Part:
    """What in a range can get a label.

    Attributes:
        name: what a person reads, with how many there are.
        find: gives its segments.
    """

    name: str
    find: Callable[[], Sequence[str]]


@dataclass(frozen=True)
class RangeActions:
    """What the buttons do.

    Attributes:
        parts: lists what in the range can get a label, the likeliest first.
        tag: gives a label to a part.
        rates: lists how many frames a second can be added.
        sample: adds frames, so many a second.
        save_clip: asks where the range goes as a file.
        leave: gives the keyboard back.
    """

    search: Callable[[], object]
    parts: Callable[[], Sequence[Part]]
    tag: Callable[[Part, str], object]
    export: Callable[[], object]
    rates: Callable[[], Sequence[float]]
    sample: Callable[[float], object]
    save_clip: Callable[[], object]
    clear: Callable[[], object]
    leave: Callable[[], object]


class RangePart(ctk.CTkFrame):
    """As high whatever it shows; in a low window its buttons stand in one row."""

    def __init__(
        self, master: Any, theme: Theme, labels: KnownLabels, actions: RangeActions
    ) -> None:
        super().__init__(master, fg_color="transparent", height=_HIGH)
        c = theme.colours
        self.theme, self._actions = theme, actions
        self._is_low = False
        self._parts: Sequence[Part] = ()
        self._text = ""
        self.grid_propagate(False)
        head = ctk.CTkFrame(self, fg_color="transparent", height=24)
        head.pack_propagate(False)
        head.grid(row=0, column=0, columnspan=5, sticky="ew", padx=RING)
        self._said = label(head, theme, _HINT, size=SMALL, colour=c.text_2)
        self._said.pack(side="left")
        self._sample = Button(
            head, theme, "Add frames…", self._ask_rate, kind="link", height=20, size=SMALL
        )
        self._save = Button(
            head, theme, "Save clip…", actions.save_clip, kind="link", height=20, size=SMALL
        )
        self._search = Button(
            self, theme, "Search in range", actions.search, kind="main", icon_name="search",
            width=100, height=40,
        )  # fmt: skip
        self._tag = Button(
            self, theme, "Label range", self.ask_for_label, icon_name="tag", height=32, width=80
        )
        self._export = Button(
            self, theme, "Export range", actions.export, icon_name="export", height=32, width=80
        )
        Tooltip(
            self._tag,
            theme,
            "Label what is seen in the range; the rest of its tracks gets the label, too",
        )
        Tooltip(self._export, theme, "Export what is in the range")
        labels.only_to_give(self._sample, self._tag)
        self._clear = IconButton(self, theme, "close", "Clear the range (Escape)", actions.clear)
        self._which = MenuButton(self, theme, [""], lambda _: None, width=150)
        self.entry = LabelEntry(self, theme, "Label", labels.suggest, self._give, self.stop_asking)
        self._cancel = IconButton(self, theme, "close", "Don't label (Escape)", self.stop_asking)
        self.grid_columnconfigure((0, 1, 2, 3), weight=1, uniform="buttons")
        self.is_asking = False
        self._shown = False

    def fit(self, is_low: bool) -> None:
        """Stand in one row, where the window is low."""
        if is_low != self._is_low:
            self._is_low = is_low
            self.configure(height=_LOW if is_low else _HIGH)
            self._lay_out()

    def show(self, text: str) -> None:
        """Show the range; nothing to do where it is ""."""
        if text == self._text and self._shown:
            return
        was = bool(self._text)
        self._text = text
        self._say()
        if bool(text) != was or not self._shown:
            self._shown = True
            self.is_asking = False
            self._lay_out()

    def _say(self) -> None:
        """Show how much is in the range; in a low window only its times."""
        c, parts = self.theme.colours, self._text.split(" · ")
        text = parts[0].removeprefix("Range ") if self._is_low else self._fitting(parts)
        hint = _SHORT_HINT if self._is_low else _HINT
        self._said.configure(text=text or hint, text_color=c.text_2 if text else c.hint)

    def _fitting(self, parts: Sequence[str]) -> str:
        """Return as much of what is in the range as stands beside the links."""
        taken = self._sample.winfo_reqwidth() + self._save.winfo_reqwidth() + self.theme.px(16)
        room, font = self.winfo_width() - taken, self._said.cget("font")
        texts = [" · ".join(parts), " · ".join(parts).removeprefix("Range ")]
        texts += [text.rpartition(" · ")[0] for text in texts]
        wide = self.theme.scale
        return next((text for text in texts if font.measure(text) * wide <= room), texts[-1])

    # -- asking for a label

    def ask_for_label(self) -> None:
        """Ask in place which segments get a label, and which label."""
        self._parts = self._actions.parts()
        if not self._parts:
            return
        self._offer_parts([part.name for part in self._parts])
        self.entry.set("")
        self.is_asking = True
        self._lay_out()
        self.entry.focus_field()

    def _offer_parts(self, names: Sequence[str]) -> None:
        """Make the menu anew: how much of a name is seen depends on its width."""
        wide = self.winfo_width() / self.theme.scale - 2 * RING
        width = int(wide / 2 - _CLOSE if self._is_low else wide)
        self._which.destroy()
        self._which = MenuButton(self, self.theme, names, lambda _: None, width=max(60, width))

    def stop_asking(self) -> None:
        if self.is_asking:
            self.is_asking = False
            self.entry.list.hide()
            self._lay_out()
            self._actions.leave()

    def _give(self, name: str) -> None:
        part = next((part for part in self._parts if part.name == self._which.value), None)
        self.stop_asking()
        if part is not None:
            self._actions.tag(part, name)

    def _ask_rate(self) -> None:
        left = self._sample.winfo_rootx()
        top = self._sample.winfo_rooty()
        show_menu(
            self,
            self.theme,
            [
                (f"{rate:g} frames a second", partial(self._actions.sample, rate))
                for rate in self._actions.rates()
            ],
            left,
            top + self._sample.winfo_height(),
            above=top,
        )

    # -- layout

    def _lay_out(self) -> None:
        widgets = (
            self._search, self._tag, self._export, self._clear, self._which, self.entry,
            self._cancel,
        )  # fmt: skip
        for widget in widgets:
            widget.grid_forget()
        self._say()
        if not self._text:
            self._sample.pack_forget()
            self._save.pack_forget()
            return
        if not self._sample.winfo_manager():
            self._sample.pack(side="right")
            self._save.pack(side="right", padx=(0, 4))
        if self.is_asking:
            self._lay_out_question()
        elif self._is_low:
            for column, widget in enumerate((self._search, self._tag, self._export)):
                span = 2 if column == 0 else 1
                at = column + (column > 0)
                widget.grid(row=1, column=at, columnspan=span, sticky="ew")
            self._clear.grid(row=1, column=4)
            self._set_texts("Search", "", "")
        else:
            self._search.grid(row=1, column=0, columnspan=5, sticky="ew")
            self._tag.grid(row=2, column=0, columnspan=2, sticky="ew")
            self._export.grid(row=2, column=2, columnspan=2, sticky="ew")
            self._clear.grid(row=2, column=4)
            self._set_texts("Search in range", "Label range", "Export range")

    def _set_texts(self, *texts: str) -> None:
        for button, text in zip((self._search, self._tag, self._export), texts, strict=True):
            button.set_text(text)

    def _lay_out_question(self) -> None:
        if self._is_low:
            self._which.grid(row=1, column=0, columnspan=2, sticky="ew")
            self.entry.grid(row=1, column=2, columnspan=2, sticky="ew", pady=4)
            self._cancel.grid(row=1, column=4)
        else:
            self._which.grid(row=1, column=0, columnspan=5, sticky="ew")
            self.entry.grid(row=2, column=0, columnspan=4, sticky="ew", padx=4, pady=4)
            self._cancel.grid(row=2, column=4)
