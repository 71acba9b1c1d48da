"""Keys that leave alone what is pressed with a modifier that they do not name."""

from __future__ import annotations

import sys
import tkinter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from src.gui.widgets.key_bindings import bind_key

SHIFT, CAPS = 0x1, 0x2
CONTROL = 0x4
ALT = {"win32": 0x20000, "darwin": 0x10}.get(sys.platform, 0x8)
COMMAND = {"win32": 0, "darwin": 0x8}.get(sys.platform, 0x40)
NUM_LOCK = {"win32": 0x8}.get(sys.platform, 0)


def pressed(sequence: str, state: Any, kind: tkinter.EventType = tkinter.EventType.KeyPress) -> str:
    """Return what a key that answers "break" says to an event."""
    bound: dict[str, Callable[[Any], Any]] = {}
    bind_key(bound.__setitem__, sequence, lambda _: "break")
    return str(bound[sequence](SimpleNamespace(state=state, type=kind, char="")))


@pytest.mark.parametrize("state", [0, SHIFT, CAPS, SHIFT | NUM_LOCK])
def test_a_plain_key_is_answered(state: int) -> None:
    assert pressed("<s>", state) == "break"


@pytest.mark.parametrize("state", [CONTROL, ALT, CONTROL | SHIFT, CONTROL | ALT | NUM_LOCK])
def test_a_plain_key_is_left_alone_with_a_modifier(state: int) -> None:
    assert pressed("<s>", state) == "None"
    assert pressed("<Shift-Left>", state) == "None"


@pytest.mark.skipif(not COMMAND, reason="there is no such modifier here")
def test_command_is_a_modifier_as_well() -> None:
    assert pressed("<s>", COMMAND) == "None"
    assert pressed("<Command-s>", COMMAND) == "break"


def test_what_a_sequence_names_may_be_held_and_nothing_else() -> None:
    assert pressed("<Control-a>", CONTROL) == "break"
    assert pressed("<Control-a>", CONTROL | ALT) == "None"
    assert pressed("<Alt-Up>", ALT) == "break"


def test_what_is_no_key_is_passed_on() -> None:
    assert pressed("<Button-1>", CONTROL, tkinter.EventType.ButtonPress) == "break"
    assert pressed("<FocusIn>", "??", tkinter.EventType.FocusIn) == "break"


def test_what_was_bound_before_is_kept_where_asked() -> None:
    kept: list[tuple[Any, ...]] = []
    bind_key(lambda *values: kept.append(values), "<Return>", lambda _: None, "+")
    assert kept[0][0] == "<Return>" and kept[0][2] == "+"
