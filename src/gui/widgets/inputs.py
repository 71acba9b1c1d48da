"""Entries, choices and boxes to tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from src.gui.theme.theme import RADIUS, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, Focusable, IconButton, icon_label
from src.gui.widgets.key_bindings import bind_key


class Entry(ctk.CTkFrame):
    """A line to type in, with an icon before it and a cross that empties it."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        placeholder: str,
        *,
        icon_name: str | None = None,
        height: int = 40,
        on_enter: Callable[[str], object] | None = None,
        on_change: Callable[[str], object] | None = None,
        clearable: bool = False,
    ) -> None:
        c = theme.colours
        super().__init__(
            master,
            fg_color=c.card,
            corner_radius=RADIUS,
            border_width=1,
            height=height,
            border_color=c.strong_border,
        )
        self.theme, self._on_enter, self._on_change = theme, on_enter, on_change
        self.grid_columnconfigure(1, weight=1)
        self.grid_rowconfigure(0, weight=1, minsize=theme.px(height))
        if icon_name is not None:
            icon_label(self, icon_name, c.hint).grid(row=0, column=0, padx=(12, 0))
        self.field = ctk.CTkEntry(
            self,
            height=height - 8,
            border_width=0,
            fg_color=c.card,
            text_color=c.text,
            placeholder_text=placeholder,
            placeholder_text_color=c.hint,
            font=theme.font(),
        )
        # what is selected is drawn in Tk's own light grey else
        self.field._entry.configure(selectbackground=c.accent, selectforeground=c.on_accent)
        self.field.grid(row=0, column=1, sticky="ew", padx=(4, 4), pady=3)
        self._clear = IconButton(self, theme, "close", "Clear", self.clear, side=24)
        if clearable:
            self._clear.grid(row=0, column=2, padx=(0, 6))
            self._clear.grid_remove()
        self._clearable = clearable
        self._has_focus = self._is_wrong = False
        self.field.bind("<FocusIn>", lambda _: self._focused(True), add="+")
        self.field.bind("<FocusOut>", lambda _: self._focused(False), add="+")
        bind_key(self.field.bind, "<Return>", lambda _: self._entered(), "+")
        bind_key(self.field.bind, "<KP_Enter>", lambda _: self._entered(), "+")
        self.field.bind("<KeyRelease>", lambda _: self.changed(), add="+")
        bind_key(self.field.bind, "<Control-a>", self._select_all)
        self._last = ""

    @property
    def text(self) -> str:
        return str(self.field.get())

    def set(self, text: str) -> None:
        self.field.delete(0, "end")
        if text:
            self.field.insert(0, text)
        self.changed()

    def clear(self) -> None:
        self.set("")
        self.field.focus_set()

    def focus_field(self) -> None:
        self.field.focus_set()
        # CustomTkinter removes the placeholder on the focus event, and with it what has been
        # typed by then
        self.field._entry_focus_in()
        if self.text:
            self.field.select_range(0, "end")

    def set_error(self, wrong: bool) -> None:
        self._is_wrong = wrong
        self._draw_border()

    def changed(self) -> None:
        text = self.text
        if text == self._last:
            return
        self._last = text
        self.show_clear()
        if self._on_change is not None:
            self._on_change(text)

    def has_content(self) -> bool:
        """Whether there is anything to clear."""
        return bool(self.text)

    def show_clear(self) -> None:
        """Show the cross where there is something to clear, and only there."""
        shown = self._clearable and self.has_content()
        if shown != bool(self._clear.winfo_manager()):
            self._clear.grid() if shown else self._clear.grid_remove()

    def _entered(self) -> str:
        if self._on_enter is not None:
            self._on_enter(self.text)
        return "break"

    def _focused(self, has: bool) -> None:
        self._has_focus = has
        if not has:  # Tab selects all where it arrives, and leaves it so
            self.field.select_clear()
        self._draw_border()

    def _draw_border(self) -> None:
        c = self.theme.colours
        plain = c.accent if self._has_focus else c.strong_border
        self.configure(
            border_width=2 if self._has_focus else 1,
            border_color=c.error if self._is_wrong else plain,
        )

    def _select_all(self, _event: object) -> str:
        self.field.select_range(0, "end")
        self.field.icursor("end")
        return "break"


class Choice(ctk.CTkFrame):
    """A few words of which one is chosen, side by side."""

    def __init__(
        self, master: Any, theme: Theme, names: Sequence[str], on_change: Callable[[str], object]
    ) -> None:
        c = theme.colours
        super().__init__(
            master, fg_color=c.card, corner_radius=RADIUS, border_width=1, border_color=c.control
        )
        self.theme, self._on_change = theme, on_change
        self.value = names[0]
        self._buttons: dict[str, Button] = {}
        for place, name in enumerate(names):
            button = Button(
                self,
                theme,
                name,
                partial(self.choose, name),
                kind="quiet",
                height=20,
            )
            # the square inside must not cover the round corners of the border
            first, last = place == 0, place == len(names) - 1
            button.grid(row=0, column=place, padx=(3 if first else 0, 3 if last else 0), pady=3)
            self._buttons[name] = button
        self._mark()

    def choose(self, name: str) -> None:
        if name != self.value:
            self.value = name
            self._mark()
            self._on_change(name)

    def set_enabled(self, name: str, enabled: bool) -> None:
        self._buttons[name].set_enabled(enabled)

    def _mark(self) -> None:
        for name, button in self._buttons.items():
            button.mark(name == self.value)


class Check(Focusable):
    """A box with a tick and its words."""

    def __init__(
        self, master: Any, theme: Theme, text: str, value: bool, on_change: Callable[[bool], object]
    ) -> None:
        super().__init__(master, theme, self._flip)
        c = theme.colours
        self._on_change = on_change
        self._box = ctk.CTkCheckBox(
            self,
            text=text,
            command=self._changed,
            font=theme.font(),
            text_color=c.text_2,
            checkbox_width=16,
            checkbox_height=16,
            corner_radius=4,
            border_width=1,
            border_color=c.strong_border,
            fg_color=c.accent,
            hover_color=c.accent_hover,
            checkmark_color=c.on_accent,
            width=0,
            height=24,
        )
        self._box.pack(padx=RING, pady=RING)
        if value:
            self._box.select()

    @property
    def value(self) -> bool:
        return bool(self._box.get())

    def set_text(self, text: str) -> None:
        self._box.configure(text=text)

    def set(self, value: bool) -> None:
        """Tick it or not; nothing is called."""
        self._box.select() if value else self._box.deselect()

    def _flip(self) -> None:
        self._box.toggle()

    def _changed(self) -> None:
        self._on_change(self.value)
