"""Controls drawn from options that describe themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import customtkinter as ctk

from src.errors import OptionError
from src.gui.theme.theme import SMALL, Theme
from src.gui.widgets.controls import label
from src.gui.widgets.inputs import Check, Choice, Entry
from src.gui.widgets.slider import Slider
from src.options import Option, OptionValue

_GAP = 12


class OptionForm(ctk.CTkFrame):
    """One control for each option, below each other; empty where there is none.

    Attributes:
        problem: what is wrong with what was typed; empty while all can be used.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        options: Sequence[Option],
        on_change: Callable[[], object],
        edge: int = 0,
    ) -> None:
        """Draw the controls, each at its default.

        Args:
            on_change: called after each change, also when what was typed can't be used.
            edge: the margin left and right of what is no slider, which has one of its own.
        """
        super().__init__(master, fg_color="transparent", height=0, width=0)
        self.theme, self._on_change, self._edge = theme, on_change, edge
        self._values = {option.name: option.default for option in options}
        self._problems: dict[str, str] = {}
        for option in options:
            self._add(option)

    @property
    def values(self) -> Mapping[str, OptionValue]:
        """What is chosen, by the option's name."""
        return dict(self._values)

    @property
    def problem(self) -> str:
        return next(iter(self._problems.values()), "")

    def _add(self, option: Option) -> None:
        changed = partial(self._set, option.name)
        if option.kind == "switch":
            check = Check(self, self.theme, option.label, bool(option.default), changed)
            check.pack(anchor="w", pady=(0, _GAP))
            return
        line = ctk.CTkFrame(self, fg_color="transparent")
        line.pack(fill="x", padx=self._edge, pady=(0, 4))
        label(line, self.theme, option.label, size=SMALL, colour=self.theme.colours.text_2).pack(
            side="left"
        )
        if option.kind == "choice":
            choice = Choice(self, self.theme, option.choices, changed)
            choice.choose(str(option.default))
            choice.pack(anchor="w", padx=self._edge, pady=(0, _GAP))
        elif option.limits is not None:
            self._draw_slider(line, option, option.limits)
        else:
            entry = Entry(self, self.theme, "", on_change=partial(self._typed, option))
            entry.set(option.shown(option.default))
            entry.pack(fill="x", padx=self._edge, pady=(0, _GAP))

    def _draw_slider(self, line: ctk.CTkFrame, option: Option, ends: tuple[float, float]) -> None:
        decimals = 0 if option.kind == "whole number" else 2
        shown = label(line, self.theme, f"{option.default:.{decimals}f}", size=SMALL)
        shown.pack(side="right")

        def moved(value: float) -> None:
            shown.configure(text=f"{value:.{decimals}f}")
            self._values[option.name] = value if decimals else int(value)

        slider = Slider(
            self,
            self.theme,
            ends,
            float(option.default),
            moved,
            on_rest=self._on_change,
            decimals=decimals,
        )
        slider.pack(fill="x", pady=(0, _GAP))

    def _typed(self, option: Option, text: str) -> None:
        try:
            value = option.read(text)
        except OptionError as exc:
            self._problems[option.name] = str(exc)
            self._on_change()
        else:
            self._set(option.name, value)

    def _set(self, name: str, value: OptionValue) -> None:
        was_wrong = self._problems.pop(name, None) is not None
        if was_wrong or self._values[name] != value:
            self._values[name] = value
            self._on_change()
