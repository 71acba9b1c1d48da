"""Keys that do something by themselves, and leave alone what is pressed with Control or Alt."""

from __future__ import annotations

import sys
import tkinter
from collections.abc import Callable
from typing import Any, TypeAlias

Event: TypeAlias = "tkinter.Event[tkinter.Misc]"

# Bits of an event's state, of a key or a click.
SHIFT, CONTROL = 0x1, 0x4
# On Windows the third modifier is Num Lock, on a Mac it is Command.
_BITS = {
    "win32": {"Control": CONTROL, "Alt": 0x20000},
    "darwin": {"Control": CONTROL, "Command": 0x8, "Alt": 0x10},
}.get(sys.platform, {"Control": CONTROL, "Alt": 0x8, "Command": 0x40})
_ALL = sum(_BITS.values())
# What is held to type another character of a key.
_ALT_GR = {"win32": _BITS["Control"] | _BITS["Alt"], "darwin": _BITS["Alt"]}.get(sys.platform, 0)


def held(event: Event) -> int:
    """Return which of Control, Alt and Command are held, but not to type a character; 0 for none.

    Shift is none of them: it is held for the upper character of a key.
    """
    state = event.state
    found = state & _ALL if isinstance(state, int) else 0  # of some events it is no number
    return 0 if found == _ALT_GR and event.char and event.char.isprintable() else found


def bind_key(
    bind: Callable[..., Any], sequence: str, do: Callable[[Event], Any], *add: str
) -> None:
    """Bind a key, so that it does nothing while a modifier is held that its sequence doesn't name.

    To Tk, Control and S are an S as well: a plain binding takes both.

    Args:
        bind: binds in Tk's way: `widget.bind`, or `bind_class` of a tag.
        sequence: of Tk: "<s>", "<Control-Return>".
        do: gets the event; "break" ends its way.
        add: "+" keeps what was bound there.
    """
    named = sum(bit for name, bit in _BITS.items() if f"{name}-" in sequence)

    def only_as_named(event: Event) -> Any:
        is_key = event.type is tkinter.EventType.KeyPress
        return None if is_key and held(event) & ~named else do(event)

    bind(sequence, only_as_named, *add)
