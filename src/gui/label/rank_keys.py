"""The keys over the candidates, and what the line at the foot says of them."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from src.gui.core.known_labels import KEYS
from src.gui.widgets.key_bindings import SHIFT, bind_key, held

if TYPE_CHECKING:
    from src.gui.label.rank_tab import RankTab

HINTS = (
    (("A",), "accept"),
    (("X",), "reject"),
    (("←", "→"), "move"),
    (("Shift", "A"), "accept the row"),
    (("Ctrl", "Z"), "undo"),
    (("1–9",), "other label"),
    (("Ctrl", "Enter"), "accept the top"),
    (("S",), "start from a search"),
    (("Enter",), "open"),
)
_MOVES = ("Left", "Right", "Up", "Down", "Prior", "Next", "Home", "End")


class RankKeys:
    """Letters in either case, whatever Caps Lock says; Shift with A is another act."""

    def __init__(self, tab: RankTab) -> None:
        self._tab = tab
        answering = tab.answering
        self._acts: dict[str, Callable[[], None]] = {
            "a": lambda: tab.answer(answering.accept),
            "x": lambda: tab.answer(answering.reject),
            "s": tab.start_from_examples,
            "BackSpace": lambda: tab.answer(answering.clear),
        }
        canvas = tab.grid_view.canvas
        canvas.bind("<Key>", self._pressed)
        for step, key in ((-1, "Up"), (1, "Down")):
            bind_key(canvas.bind, f"<Control-{key}>", partial(self._next_label, step))
        for key in _MOVES:
            canvas.bind(f"<KeyRelease-{key}>", lambda _: tab.attributes.show(), "+")
        for key in ("Return", "KP_Enter"):
            bind_key(canvas.bind, f"<Control-{key}>", lambda _: self._accept_top())
        bind_key(canvas.bind, "<F2>", lambda _: self._rename())
        canvas.bind("<Double-Button-1>", lambda _: tab.open_chosen())

    def _pressed(self, event: tkinter.Event[tkinter.Misc]) -> str | None:
        if held(event):
            return None
        key = event.keysym.removeprefix("KP_")
        key = key.lower() if len(key) == 1 else key
        if key == "a" and int(event.state) & SHIFT:
            self._tab.accept_row()
        elif key in self._acts:
            self._acts[key]()
        elif key.isdecimal() and 1 <= int(key) <= KEYS:
            self._tab.give_by_key(int(key))
        else:
            return None
        return "break"

    def _next_label(self, step: int, _event: object) -> str:
        self._tab.tools.step_label(step)
        return "break"

    def _rename(self) -> str:
        self._tab.tools.rename_label()
        return "break"

    def _accept_top(self) -> str:
        self._tab.accept_top()
        return "break"
