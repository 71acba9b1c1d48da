"""What every panel is made with, and what the window asks of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.gui.cards.card_grid import CardGrid
from src.gui.cards.card_view import CardPainter
from src.gui.core.known_labels import KnownLabels
from src.gui.core.session import Session
from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.theme import Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.popup import Entry
from src.records import SearchHit


@dataclass(frozen=True)
class PanelContext:
    """What all panels share.

    Attributes:
        root: the window that they lie in.
        hint: looks up a tooltip, an action's name with its keys, by the action's key.
        menu: lists what is in a context menu now, by the menu's name.
    """

    root: Any
    theme: Theme
    session: Session
    thumbnails: Thumbnails
    painter: CardPainter
    labels: KnownLabels
    hint: Callable[[str], str] = str
    menu: Callable[[str], Sequence[Entry]] = lambda _: ()


class Panel(ctk.CTkFrame):
    """The base of what lies in the middle of the window; a panel overrides where it differs."""

    drop_sentence = "Drop to add to the library"

    def __init__(self, context: PanelContext) -> None:
        theme = context.theme
        super().__init__(context.root, fg_color=theme.colours.window, corner_radius=0)
        self.theme, self._session = theme, context.session

    def enter(self, way: str) -> None:
        """Called with the key of the sidebar's row that leads to it, before it is drawn."""

    def shown(self) -> None:
        """Called when it comes to the front."""

    def left(self) -> None:
        """Called when another comes to the front."""

    @property
    def card_grid(self) -> CardGrid | None:
        """Its grid of cards, if it has one."""
        return None

    @property
    def found(self) -> Sequence[SearchHit]:
        """The results that it shows, which can be exported alone."""
        return ()

    def step_back(self) -> bool:
        """Do what Escape means in it; returns whether there was anything to step back from."""
        return False

    def undo(self) -> None:
        """Take back the last thing that a person did in it, where it can do so."""

    def redo(self) -> None:
        """Do again what was taken back."""

    def ask_for_label(self) -> None:
        """Ask for a label for what is selected in it, where something can be."""

    def go(self, step: int) -> None:
        """Go to the next (1) or previous (-1) of what is shown."""

    def take_file(self, path: Path) -> bool:
        """Use one file that was dropped on it; returns False where it is to be added."""
        return False

    def refresh_thumbnails(self) -> None:
        """Show a picture that has been loaded."""
        if self.card_grid is not None:
            self.card_grid.refresh()
