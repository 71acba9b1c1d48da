"""What the colours of the map mean: its tags with their counts; a click shows one alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from src.gui.theme.theme import SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Focusable, label

_COLUMNS = 2
_BESIDE_NAME = 18  # the colour and the gaps


class Row(NamedTuple):
    """A colour, what has it, and how many do."""

    colour: str
    name: str
    points: int


class Legend(ctk.CTkFrame):
    """Two columns of rows; the names lose their ends where they are too long."""

    def __init__(self, master: Any, theme: Theme, on_choose: Callable[[int | None], None]) -> None:
        """Make it, without rows.

        Args:
            on_choose: hears which row is to be shown alone, or None for all of them.
        """
        super().__init__(master, fg_color="transparent", height=1)
        self.theme, self._on_choose = theme, on_choose
        self.rows: list[Row] = []
        self.chosen: int | None = None
        self._made: list[_LegendRow] = []
        for column in range(_COLUMNS):
            self.grid_columnconfigure(column, weight=1, uniform="legend")

    def show(self, rows: Sequence[Row], chosen: int | None, width: int) -> None:
        """Show rows.

        Args:
            width: of the legend, in pixels of the design.
        """
        self.rows, self.chosen = list(rows), chosen
        while len(self._made) < len(rows):
            place = len(self._made)
            row = _LegendRow(self, self.theme, partial(self._press, place))
            self._made.append(row)
        per_column = -(-len(rows) // _COLUMNS)
        for place, made in enumerate(self._made):
            if place >= len(rows):
                made.grid_forget()
                continue
            is_faint = chosen is not None and chosen != place
            made.show(rows[place], is_faint, width // _COLUMNS - 8)
            column, row_place = divmod(place, per_column)
            made.grid(row=row_place, column=column, sticky="ew", padx=(0, 4))

    def _press(self, place: int) -> None:
        self._on_choose(None if self.chosen == place else place)


class _LegendRow(Focusable):
    def __init__(self, master: Any, theme: Theme, on_press: Callable[[], None]) -> None:
        super().__init__(master, theme, on_press, cursor="hand2")
        c = theme.colours
        self._swatch = ctk.CTkFrame(self, width=10, height=10, corner_radius=3)
        self._swatch.pack(side="left", padx=(4, 6), pady=6)
        self._name = label(self, theme, "", size=SMALL, colour=c.text)
        self._name.pack(side="left")
        self._count = label(self, theme, "", size=SMALL, colour=c.text_2)
        self._count.pack(side="right", padx=(4, 6))
        for part in (self._swatch, self._name, self._count):
            part.bind("<Button-1>", lambda _: on_press(), add="+")
        self.bind("<Button-1>", lambda _: on_press(), add="+")

    def show(self, row: Row, is_faint: bool, width: int) -> None:
        c, font = self.theme.colours, self.theme.canvas_font(self, SMALL)
        count = f"{row.points:,}"
        left = self.theme.px(width - _BESIDE_NAME - 14) - font.measure(count)
        self._swatch.configure(fg_color=c.hover if is_faint else row.colour)
        self._name.configure(
            text=shorten(row.name, font, left, 0), text_color=c.hint if is_faint else c.text
        )
        self._count.configure(text=count)
