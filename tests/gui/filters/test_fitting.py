"""Which buttons of the filter row there is room for, without a window."""

from __future__ import annotations

from src.gui.filters.fitting import Words, fitting

DATE = Words(("Date: Mar 2024", "Date: Mar 2024", "Date"), is_set=True)
KIND, QUALITY, MEDIA = Words(("Kind",)), Words(("Mask quality", "Quality")), Words(("Media",))
ROW = (KIND, DATE, QUALITY, MEDIA)


def shown(room: int, buttons: tuple[Words, ...] = ROW) -> tuple[list[str], list[int]]:
    """With a letter one wide, and "More" four."""
    words, more = fitting(buttons, room, len, 4)
    return list(words.values()), more


def test_words_get_shorter_before_buttons_go_to_more() -> None:
    assert shown(35) == (["Kind", "Date: Mar 2024", "Mask quality", "Media"], [])
    assert shown(34) == (["Kind", "Date: Mar 2024", "Quality", "Media"], [])
    assert shown(29) == (["Kind", "Date: Mar 2024", "Quality"], [3])
    assert shown(22) == (["Kind", "Date: Mar 2024"], [2, 3])


def test_what_asks_for_something_stays_longest() -> None:
    assert shown(18) == (["Date: Mar 2024"], [0, 2, 3])
    assert shown(8) == (["Date"], [0, 2, 3])
    assert shown(7) == ([], [0, 1, 2, 3])
    assert shown(0, ()) == ([], [])
