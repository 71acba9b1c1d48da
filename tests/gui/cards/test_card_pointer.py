"""What the pointer does in a grid of cards, without a window."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from src.gui.cards.card_pointer import CardPointer

SHIFT, CONTROL = 0x1, 0x4
CARD_2 = (250, 60)


class Grid(SimpleNamespace):
    """What CardPointer asks of a grid: four cards of 100 x 75 in a row, 120 apart."""

    def __init__(self, selects: bool = True) -> None:
        self.bound: dict[str, Callable[[object], object]] = {}
        self.done: list[tuple[str, Any]] = []
        self.selection: frozenset[int] = frozenset()
        self.offset = 0
        super().__init__(
            canvas=SimpleNamespace(
                bind=self.bound.__setitem__,
                winfo_children=list,
                configure=lambda cursor: None,
                focus_set=lambda: None,
            ),
            theme=SimpleNamespace(px=lambda value: value),
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
