"""Which buttons of a row fit into it, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What a button can say, the longest first.

    Attributes:
        is_set: whether it asks for something; such a one stays in sight as long as possible.
    """

    forms: tuple[str, ...]
    is_set: bool = False


def fitting(
    buttons: Sequence[Words], row_width: int, width: Callable[[str], int], more_width: int
) -> tuple[dict[int, str], list[int]]:
    """Choose words for each button: shorter ones where there is little room, then a menu "More".

    Args:
        width: of a button with some words, with the gap behind it.
        more_width: of the button "More".

    Returns:
        The words of those that are shown, by their place in `buttons`; and those under "More".
    """
    unset = [n for n, each in enumerate(buttons) if not each.is_set]
    order = [*reversed(unset), *(n for n in reversed(range(len(buttons))) if n not in unset)]
    for gone in range(len(order)):
        hidden = order[:gone]
        # the last words do without what is asked for: only where nothing else makes room
        levels = (0, 1) if not hidden else (1,) if gone < len(unset) else (1, 2)
        for level in levels:
            words = {n: _form(b, level) for n, b in enumerate(buttons) if n not in hidden}
            if sum(map(width, words.values())) + (more_width if hidden else 0) <= row_width:
                return words, sorted(hidden)
    return {}, sorted(order)


def _form(button: Words, level: int) -> str:
    return button.forms[min(level, len(button.forms) - 1)]
