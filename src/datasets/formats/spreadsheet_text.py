"""Texts in tables that a spreadsheet may open, and would take for formulas."""

from __future__ import annotations

# The wide ones are what East Asian keyboards give, and some spreadsheets take them as well.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_cell(text: str) -> str:
    """Write a text so that a spreadsheet takes it for one: a formula gets an apostrophe."""
    return f"'{text}" if _looks_like_formula(text) else text


def from_cell(text: str) -> str:
    """Read what to_cell wrote."""
    return text[1:] if text.startswith("'") and _looks_like_formula(text) else text


def _looks_like_formula(text: str) -> bool:
    """Return whether a text is a formula, or one with apostrophes before it."""
    return text.lstrip("'").startswith(FORMULA)
