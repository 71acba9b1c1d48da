"""How large a segment has to be, and how good its mask."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label
from src.gui.widgets.inputs import Entry
from src.gui.widgets.mask_quality import HINT, ends_of, least_of
from src.gui.widgets.slider import Slider
from src.search.filters import EVERYTHING, Filter
from src.search.range_leaves import Quality, Size

_WIDTH = 264
NO_RANGE = "All masks in the library are equally good."


class QualityChooser(ctk.CTkFrame):
    """A slider over the masks that there are."""

    def __init__(
        self, master: Any, theme: Theme, least: float, on_change: Callable[[Filter], object]
    ) -> None:
        super().__init__(master, fg_color=theme.colours.raised, corner_radius=0)
        self._on_change, self._wanted = on_change, least
        self._words = label(self, theme, "")
        self._words.pack(anchor="w", padx=4)
        self.slider = Slider(
            self,
            theme,
            (0.0, 1.0),
            least,
            lambda _: self._say(),
            on_rest=lambda: self._on_change(self.condition),
            width=_WIDTH,
        )
        self.slider.pack(fill="x", pady=(4, 4))
        self._hint = label(
            self,
            theme,
            HINT,
            size=SMALL,
            colour=theme.colours.text_2,
            wraplength=_WIDTH,
            justify="left",
        )
        self._hint.pack(anchor="w", padx=4)
        self._say()

    @property
    def condition(self) -> Filter:
        least = least_of(self.slider)
        return Quality(least) if least else EVERYTHING

    def offer(self, lowest_highest: tuple[float, float] | None) -> None:
        """Set the slider's ends to what the library holds."""
        ends = ends_of(lowest_highest)
        if ends is None:
            self._hint.configure(text=NO_RANGE)
            self.slider.set_enabled(self._wanted > 0)
        else:
            self.slider.set_ends(ends)
            self.slider.set(self._wanted)
        self._say()

    def _say(self) -> None:
        least = least_of(self.slider)
        self._words.configure(text=f"{least:.2f} and better" if least else "Any mask quality")


class SizeChooser(ctk.CTkFrame):
    """Two entries: the least and the most pixels of a segment's longer side."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        size: Size,
        on_done: Callable[[Filter], object],
    ) -> None:
        super().__init__(master, fg_color=theme.colours.raised, corner_radius=0)
        c = theme.colours
        label(self, theme, "Longer side in pixels").grid(
            row=0, column=0, columnspan=3, sticky="w", padx=4, pady=(0, 8)
        )
        self._on_done = on_done
        self.entries: list[Entry] = []
        for column, (placeholder, end) in enumerate((("From", size.least), ("To", size.most))):
            entry = Entry(self, theme, placeholder, height=32, on_enter=lambda _: self._done())
            entry.field.configure(width=80)
            entry.set("" if end is None else f"{end:g}")
            entry.grid(row=1, column=column, padx=(0, 8))
            self.entries.append(entry)
        Button(self, theme, "Apply", self._done, height=32).grid(row=1, column=2)
        self._wrong = label(self, theme, "", size=SMALL, colour=c.error)
        self._wrong.grid(row=2, column=0, columnspan=3, sticky="w", padx=4, pady=(4, 0))

    def _done(self) -> None:
        ends = [_pixels(entry.text) for entry in self.entries]
        for entry, end in zip(self.entries, ends, strict=True):
            entry.set_error(end is not None and math.isnan(end))
        least, most = ends
        if any(end is not None and math.isnan(end) for end in ends):
            self._wrong.configure(text="Enter a number of pixels.")
        elif least is not None and most is not None and least > most:
            self._wrong.configure(text="The first number has to be the smaller one.")
        else:
            nothing = least is None and most is None
            self._on_done(EVERYTHING if nothing else Size(least, most))


def _pixels(text: str) -> float | None:
    """Read what was typed; None where nothing was, NaN where it is no number of pixels."""
    text = text.strip().removesuffix("px").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if value >= 0 and math.isfinite(value) else math.nan
