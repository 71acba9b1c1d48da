"""A condition in a module of its own, as somebody writes it who adds one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from src.search.filters import LEAVES

# What a person writes who adds a condition.
MODULE = """
from dataclasses import dataclass

from src.database.conditions import Condition
from src.search.filters import Leaf, leaf

@leaf("left_of", "left_of:50")
@dataclass(frozen=True)
class LeftOf(Leaf):
    x: float

    def condition(self):
        return Condition("s.x + s.w <= ?", (self.x,))

    @classmethod
    def read(cls, value):
        return cls(float(value.only()))

    def written(self):
        return f":{self.x:g}"
"""


def register_left_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import the module from a folder of its own; its registration goes with the test.

    Returns:
        The class of the condition.
    """
    monkeypatch.setitem(LEAVES, "left_of", None)  # type: ignore[arg-type]
    del LEAVES["left_of"]
    folder.mkdir()
    (folder / "left_of_condition.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "left_of_condition", raising=False)
    return __import__("left_of_condition").LeftOf
