"""A key that is pressed, for what is tested without a window."""

from __future__ import annotations

import tkinter
from types import SimpleNamespace
from typing import Any

PRESSED: Any = SimpleNamespace(type=tkinter.EventType.KeyPress, state=0, char="")
