"""The line at the top of the library: how many files, in which order, and how large their cards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from src.gui.cards.card_grid import WISH
from src.gui.theme.theme import Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import IconButton, icon_label, label, panel_header
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.slider import Slider
from src.records import MediaOrder

ORDERS: dict[str, MediaOrder] = {
    "Added, newest first": "added",
    "Taken, newest first": "captured",
    "Name, A to Z": "name",
    "Most segments first": "segments",
}


@dataclass(frozen=True)
class HeaderActions:
    """What the header asks of the panel.

    Attributes:
        import_dataset: asks for a dataset to take in.
        order: gets the order that was chosen.
        resize: gets the width of a card, while it is chosen.
        resized: gets it once it is.
    """

    import_dataset: Callable[[], None]
    order: Callable[[MediaOrder], None]
    resize: Callable[[int], None]
    resized: Callable[[int], None]


class LibraryHeader:
    """What is in it gives way to what is shown in its place.

    Attributes:
        frame: what it lies in.
    """

    def __init__(self, master: Any, theme: Theme, actions: HeaderActions) -> None:
        c = theme.colours
        self.frame = panel_header(master, theme, "Library")
        self._count = label(self.frame, theme, "", colour=c.text_2)
        self._count.pack(side="left", padx=12)
        self._tools = tools = ctk.CTkFrame(self.frame, fg_color="transparent")
        self.import_dataset = IconButton(
            tools, theme, "download", "Import dataset", actions.import_dataset
        )
        self.import_dataset.pack(side="left", padx=(0, 12))
        self._sort = MenuButton(
            tools, theme, list(ORDERS), lambda name: actions.order(ORDERS[name])
        )
        self._sort.pack(side="left", padx=(0, 20))
        icon_label(tools, "grid-small", c.text_2, 18).pack(side="left", padx=(0, 2))
        self._size = Slider(
            tools,
            theme,
            (120, 320),
            WISH,
            lambda value: actions.resize(round(value)),
            on_rest=lambda: actions.resized(round(self._size.value)),
            decimals=0,
            width=128,
        )
        self._size.pack(side="left")
        icon_label(tools, "grid", c.text_2).pack(side="left", padx=(2, 0))

    def say(self, count: str) -> None:
        """Say how many files there are."""
        self._count.configure(text=count)

    def show_choices(self, order: MediaOrder, card_width: int) -> None:
        """Show an order and a size; nothing is called."""
        self._sort.show(next(name for name, each in ORDERS.items() if each == order))
        self._size.set(card_width)

    def show(self, with_count: bool, with_tools: bool) -> None:
        """Show the count and the tools, or leave their place to something else."""
        if with_count and not self._count.winfo_manager():
            self._count.pack(side="left", padx=12)
        elif not with_count:
            self._count.pack_forget()
        if with_tools and not self._tools.winfo_manager():
            self._tools.pack(side="right")
        elif not with_tools:
            self._tools.pack_forget()
