"""Controls drawn from options that describe themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from src.errors import OptionError
from src.gui.theme.theme import NORMAL, SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, label
from src.gui.widgets.inputs import Check, Choice, Entry
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.slider import Slider
from src.options import Option, OptionValue

_GAP, _GAP_BELOW_SLIDER = 16, 8  # a slider has room around its track
_BELOW_LABEL = 8
_ROOM = 344  # for choices side by side; more of them become a menu


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
        gap = 0
        for option in options:
            block = ctk.CTkFrame(self, fg_color="transparent")
            block.pack(fill="x", pady=(gap, 0))
            self._add(block, option)
            gap = _GAP if option.limits is None else _GAP_BELOW_SLIDER

    @property
    def values(self) -> Mapping[str, OptionValue]:
        """What is chosen, by the option's name."""
        return dict(self._values)

    @property
    def problem(self) -> str:
        return next(iter(self._problems.values()), "")

    def _add(self, block: ctk.CTkFrame, option: Option) -> None:
        changed = partial(self._set, option.name)
        if option.kind == "switch":
            check = Check(block, self.theme, option.label, bool(option.default), changed)
            check.pack(anchor="w", padx=max(0, self._edge - RING))
            return
        line = ctk.CTkFrame(block, fg_color="transparent")
        line.pack(fill="x", padx=self._edge)
        label(line, self.theme, option.label, size=SMALL, colour=self.theme.colours.text_2).pack(
            side="left"
        )
        if option.kind == "choice":
            self._draw_choice(block, option)
        elif option.limits is not None:
            self._draw_slider(block, line, option, option.limits)
        else:
            self._draw_entry(block, option)

    def _draw_choice(self, block: ctk.CTkFrame, option: Option) -> None:
        changed, default = partial(self._set, option.name), str(option.default)
        font = self.theme.font(NORMAL, "medium")
        wide = sum(font.measure(name) + 32 + 2 * RING for name in option.choices)
        if wide <= _ROOM:
            choice = Choice(block, self.theme, option.choices, changed)
            choice.choose(default)
            choice.pack(anchor="w", padx=self._edge, pady=(_BELOW_LABEL, 0))
        else:
            menu = MenuButton(block, self.theme, option.choices, changed, width=_ROOM)
            menu.show(default)
            edge = max(0, self._edge - RING)
            menu.pack(fill="x", padx=edge, pady=(_BELOW_LABEL - RING, 0))

    def _draw_slider(
        self, block: ctk.CTkFrame, line: ctk.CTkFrame, option: Option, ends: tuple[float, float]
    ) -> None:
        decimals = 0 if option.kind == "whole number" else 2
        shown = label(line, self.theme, f"{option.default:.{decimals}f}", size=SMALL)
        shown.pack(side="right")

        def moved(value: float) -> None:
            shown.configure(text=f"{value:.{decimals}f}")
            self._values[option.name] = value if decimals else int(value)

        slider = Slider(
            block,
            self.theme,
            ends,
            float(option.default),
            moved,
            on_rest=self._on_change,
            decimals=decimals,
            by_wheel=False,
        )
        slider.pack(fill="x", pady=(2, 0))

    def _draw_entry(self, block: ctk.CTkFrame, option: Option) -> None:
        """A line to type in; what is wrong with it is said below it."""
        theme = self.theme
        wrong = label(block, theme, "", size=SMALL, colour=theme.colours.error)

        def typed(text: str) -> None:
            try:
                value = option.read(text)
            except OptionError as exc:
                self._problems[option.name] = str(exc)
                wrong.configure(text=f"Enter {option.allowed}.")
                wrong.pack(anchor="w", padx=self._edge, pady=(4, 0))
                entry.set_error(True)
                self._on_change()
            else:
                wrong.pack_forget()
                entry.set_error(False)
                self._set(option.name, value)

        entry = Entry(block, theme, "", on_change=typed)
        entry.set(option.shown(option.default))
        entry.pack(fill="x", padx=self._edge, pady=(_BELOW_LABEL, 0))

    def _set(self, name: str, value: OptionValue) -> None:
        was_wrong = self._problems.pop(name, None) is not None
        if was_wrong or self._values[name] != value:
            self._values[name] = value
            self._on_change()
