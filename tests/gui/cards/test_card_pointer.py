"""What the pointer does in a grid of cards, without a window."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from src.gui.cards.card_pointer import CardPointer
from tests.gui.key_event import PRESSED

SHIFT, CONTROL = 0x1, 0x4
CARD_2 = (250, 60)


class Grid(SimpleNamespace):
    """What CardPointer asks of a grid: four cards of 100 x 75 in a row, 120 apart."""

    def __init__(self, selects: bool = True) -> None:
        self.bound: dict[str, Callable[[object], object]] = {}
        self.done: list[tuple[str, Any]] = []
        self.selection: frozenset[int] = frozenset()
        self.offset = 0
        self.place = 0  # how far down it is scrolled; there are 10 such rows, 100 apart
        self.ticks: list[Callable[[], None]] = []
        self.lines: list[object] = []
        super().__init__(
            canvas=SimpleNamespace(
                bind=self.bound.__setitem__,
                winfo_children=list,
                winfo_height=lambda: 300,
                configure=lambda cursor: None,
                focus_set=lambda: None,
                create_rectangle=lambda *_, outline, width: self.lines.append(outline) or 1,
                coords=lambda *_: None,
                tag_raise=lambda _: None,
                delete=lambda _: self.lines.clear(),
                after=lambda _, call: self.ticks.append(call) or "tick",
                after_cancel=lambda _: self.ticks.clear(),
            ),
            theme=SimpleNamespace(px=round, colours=SimpleNamespace(accent="blue")),
            size=SimpleNamespace(margin=4),
            # at the right end of the picture, from the slot's corner on
            painter=SimpleNamespace(
                button_box=lambda view, size: ((80, 60, 104, 79), "name"),
                group_box=lambda view, size: (80, 10, 104, 30),
            ),
            actions=SimpleNamespace(
                open=lambda card: self.done.append(("open", card)),
                button=lambda card: self.done.append(("button", card)),
                group=lambda card: self.done.append(("group", card)),
                menu=lambda card, x, y: self.done.append(("menu", card)),
                selected=(lambda cards: None) if selects else None,
                click=None,
            ),
            focused=None,
            show_focus=lambda seen: None,
            refresh=lambda: None,
            view=lambda card: None,
        )
        self.pointer = CardPointer(self)  # type: ignore[arg-type]

    def box(self, card: int) -> tuple[int, int, int, int]:
        left = 120 * card - self.offset
        return left, 0, left + 100, 75

    def card_at(self, x: int, y: int) -> int | None:
        card, inside = divmod(x + self.offset, 120)
        return card if card < 4 and inside <= 100 else None

    def cards_in(self, box: tuple[int, int, int, int]) -> frozenset[int]:
        left, top, right, bottom = box
        return frozenset(
            4 * row + column
            for row in range(10)
            for column in range(4)
            if 120 * column <= right
            and 120 * column + 100 >= left
            and 100 * row <= bottom
            and 100 * row + 75 >= top
        )

    def scroll_by(self, px: int) -> None:
        self.place = min(max(0, self.place + px), 700)

    def select(self, cards: frozenset[int]) -> None:
        self.selection = cards

    def toggle(self, card: int) -> None:
        self.select(self.selection ^ {card})

    def event(self, name: str, at: tuple[int, int], state: int = 0) -> None:
        event = SimpleNamespace(x=at[0], y=at[1], x_root=0, y_root=0, state=state)
        self.bound[f"<{name}>"](event)

    def click(self, at: tuple[int, int], state: int = 0) -> None:
        self.event("Button-1", at, state)
        self.event("ButtonRelease-1", at, state)


def test_a_click_opens_and_its_button_does_what_it_says() -> None:
    grid = Grid()
    grid.click((300, 60))
    grid.click((335, 65))
    grid.click((335, 15))
    assert grid.done == [("open", 2), ("button", 2), ("group", 2)] and grid.focused == 2
    assert not grid.selection


def test_a_click_beside_all_cards_lets_go_of_what_is_selected() -> None:
    grid = Grid()
    grid.selection = frozenset({1, 3})
    grid.click((230, 20))
    assert not grid.selection and not grid.done


@pytest.mark.parametrize("to", [(50, 40), (230, 20)])
def test_a_press_that_is_led_away_does_nothing(to: tuple[int, int]) -> None:
    grid = Grid()
    grid.selection = frozenset({1})
    grid.event("Button-1", CARD_2)
    grid.event("ButtonRelease-1", to)
    assert not grid.done and grid.selection == {1} and grid.focused is None


def test_where_a_click_has_a_meaning_of_its_own_it_does_not_open() -> None:
    grid = Grid()
    grid.actions.click = lambda card: grid.done.append(("click", card))
    grid.click(CARD_2)
    assert grid.done == [("click", 2)] and grid.focused == 2


def test_a_release_of_what_was_pressed_elsewhere_does_nothing() -> None:
    grid = Grid()
    grid.event("ButtonRelease-1", CARD_2)
    assert not grid.done
    grid.click(CARD_2)
    grid.event("ButtonRelease-1", CARD_2)
    assert grid.done == [("open", 2)]


def test_the_corner_control_and_shift_select() -> None:
    grid = Grid()
    grid.click((10, 10))
    assert grid.selection == {0}
    grid.click((300, 60))  # while something is selected a click selects
    assert grid.selection == {0, 2}
    grid.click((420, 60), SHIFT)
    assert grid.selection == {0, 2, 3}
    grid.click((60, 60), CONTROL)
    assert grid.selection == {2, 3}
    assert not grid.done


def test_where_nothing_can_be_selected_every_click_opens() -> None:
    grid = Grid(selects=False)
    grid.click((10, 10), CONTROL)
    assert grid.done == [("open", 0)]


def test_cards_that_move_under_the_pointer_are_noticed() -> None:
    grid = Grid()
    grid.event("Motion", (50, 40))
    assert grid.pointer.over is not None and grid.pointer.over.card == 0
    grid.offset = 120
    grid.pointer.refresh()
    assert grid.pointer.over is not None and grid.pointer.over.card == 1
    grid.event("Leave", (50, 40))
    grid.pointer.refresh()
    assert grid.pointer.over is None


def test_the_menu_is_of_the_card_under_the_pointer() -> None:
    grid = Grid()
    button = "Button-3" if "<Button-3>" in grid.bound else "Button-2"
    grid.event(button, CARD_2)
    grid.event(button, (230, 20))
    assert grid.done == [("menu", 2)]


BESIDE = (110, 20)  # between the first two cards


def test_a_rectangle_from_beside_the_cards_selects_those_that_it_touches() -> None:
    grid = Grid()
    grid.selection = frozenset({3})
    grid.focused = 3
    grid.event("Button-1", BESIDE)
    grid.event("B1-Motion", (112, 21))
    assert grid.selection == {3} and not grid.lines, "a hand that clicks shakes"
    grid.event("B1-Motion", (130, 30))
    assert grid.selection == {1} and grid.lines
    grid.event("B1-Motion", (250, 130))
    assert grid.selection == {1, 2, 5, 6}
    assert grid.focused in grid.selection, "the keys are about what is selected"
    grid.event("B1-Motion", (90, 130))
    assert grid.selection == {0, 4}, "what it leaves is not selected any more"
    grid.event("ButtonRelease-1", (90, 130))
    assert grid.selection == {0, 4} and not grid.lines and not grid.done
    grid.event("B1-Motion", (400, 200))
    assert grid.selection == {0, 4}


@pytest.mark.parametrize("key", [SHIFT, CONTROL])
def test_with_shift_or_control_a_rectangle_adds(key: int) -> None:
    grid = Grid()
    grid.selection = frozenset({3})
    grid.event("Button-1", BESIDE, key)
    grid.event("B1-Motion", (130, 30), key)
    grid.event("ButtonRelease-1", (130, 30), key)
    assert grid.selection == {1, 3}


def test_escape_takes_a_rectangle_back_and_else_is_for_the_window() -> None:
    grid = Grid()
    grid.selection = frozenset({3})
    grid.event("Button-1", BESIDE)
    grid.event("B1-Motion", (130, 30))
    assert grid.bound["<Escape>"](PRESSED) == "break"
    assert grid.selection == {3} and not grid.lines
    grid.event("B1-Motion", (250, 130))
    grid.event("ButtonRelease-1", (230, 20))
    assert grid.selection == {3} and not grid.done, "what is released then is no click"
    assert grid.bound["<Escape>"](PRESSED) is None


def test_no_rectangle_begins_on_a_card_or_where_nothing_can_be_selected() -> None:
    grid = Grid()
    grid.event("Button-1", CARD_2)
    grid.event("B1-Motion", (400, 200))
    assert not grid.selection and not grid.lines
    grid = Grid(selects=False)
    grid.event("Button-1", BESIDE)
    grid.event("B1-Motion", (400, 200))
    assert not grid.selection and not grid.lines


def test_at_an_edge_the_cards_are_scrolled_and_more_are_touched() -> None:
    grid = Grid()
    grid.event("Button-1", BESIDE)
    grid.event("B1-Motion", (130, 320))
    assert {1, 5, 9, 13} <= grid.selection
    before = grid.place
    while grid.ticks and grid.place < 700:
        grid.ticks.pop()()
    assert before < grid.place == 700
    assert grid.selection == {1 + 4 * row for row in range(10)}
    grid.event("B1-Motion", (130, -50))
    while grid.ticks and grid.place > 0:
        grid.ticks.pop()()
    assert grid.place == 0 and grid.selection == {1}
    grid.event("B1-Motion", (130, 150))
    while grid.ticks:
        grid.ticks.pop()()
    assert grid.place == 0, "away from the edges it rests"


def test_what_others_select_meanwhile_stays() -> None:
    grid = Grid()
    grid.event("Button-1", BESIDE)
    grid.event("B1-Motion", (130, 30))
    grid.selection = frozenset()  # other cards are shown
    grid.event("B1-Motion", (132, 130))
    assert grid.selection == {1, 5}
