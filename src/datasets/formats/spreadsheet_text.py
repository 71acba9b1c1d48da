"""Texts in tables that a spreadsheet may open, and would take for formulas."""

from __future__ import annotations

# The wide ones are what East Asian keyboards give, and some spreadsheets take them as well.
_TAKEN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")


def to_cell(text: str) -> str:
    """Write a text so that it is one in a spreadsheet: with an apostrophe before it."""
    return f"'{text}" if text.startswith(_TAKEN) else text


def from_cell(text: str) -> str:
    """Read what to_cell wrote."""
    return text.removeprefix("'")
