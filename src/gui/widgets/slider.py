"""A number to be set between two ends."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from functools import partial
from typing import Any

from src.gui.theme.theme import Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Focusable
from src.gui.widgets.key_bindings import bind_key

_PAGE = 10
# While it is being moved, not every step is answered.
_REST_MS = 150


class Slider(Focusable):
    """Set by pointer, by wheel, or by keys: arrows, Page Up and Page Down, Home and End."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        ends: tuple[float, float],
        value: float,
        on_change: Callable[[float], object],
        *,
        on_rest: Callable[[], object] | None = None,
        decimals: int = 2,
        width: int = 200,
        by_wheel: bool = True,
    ) -> None:
        """Make it, between two ends, the lower one first.

        Args:
            by_wheel: not in what scrolls: a wheel that turns there must not change a number.
            on_rest: called once it has been moved and stands still.
            decimals: how many of a value count; one step of the slider is one of the last.
        """
        super().__init__(master, theme, lambda: None)
        c = theme.colours
        self._decimals, self._on_change, self._on_rest = decimals, on_change, on_rest
        self._waits: str | None = None
        self.enabled = True
        self._slider = ctk.CTkSlider(
            self,
            width=width,
            height=16,
            command=self._moved,
            fg_color=c.hover,
            progress_color=c.text_2,
            button_color=c.text,
            button_hover_color=c.text,
            border_width=6,
        )
        self._slider.pack(fill="x", expand=True, padx=RING, pady=RING)
        if not by_wheel:
            for event in ("<Button-4>", "<Button-5>", "<MouseWheel>"):
                self._slider._canvas.unbind(event)
        # after the pointer, keys can move it on
        self._slider.bind("<Button-1>", lambda _: self.focus_set(), add="+")
        self.set_ends(ends)
        self.set(value)
        for key, steps in (
            ("Left", -1),
            ("Down", -1),
            ("Right", 1),
            ("Up", 1),
            ("Next", -_PAGE),
            ("Prior", _PAGE),
        ):
            bind_key(partial(tkinter.Misc.bind, self), f"<{key}>", partial(self._step, steps), "+")
        bind_key(partial(tkinter.Misc.bind, self), "<Home>", lambda _: self._go(self.ends[0]), "+")
        bind_key(partial(tkinter.Misc.bind, self), "<End>", lambda _: self._go(self.ends[1]), "+")

    def set_ends(self, ends: tuple[float, float]) -> None:
        self.ends = ends
        steps = round((ends[1] - ends[0]) * 10**self._decimals)
        self._slider.configure(
            from_=ends[0], to=ends[1], number_of_steps=steps, scroll_step=1 / steps
        )

    def set(self, value: float) -> None:
        """Set it as near to a value as possible; no callback is called."""
        low, high = self.ends
        self.value = round(min(max(value, low), high), self._decimals)
        self._slider.set(self.value)

    def set_enabled(self, enabled: bool) -> None:
        self.enabled = enabled
        c = self.theme.colours
        button = c.text if enabled else c.strong_border
        self._slider.configure(
            state="normal" if enabled else "disabled",
            button_color=button,
            button_hover_color=button,
        )
        self.tk.call(self._w, "configure", "-takefocus", int(enabled))

    def _step(self, steps: int, _event: object) -> str:
        return self._go(self.value + steps * 10**-self._decimals)

    def _go(self, value: float) -> str:
        self.show_ring(True)
        self._moved(value)
        return "break"

    def _moved(self, value: float) -> None:
        before = self.value
        self.set(value if self.enabled else before)  # CustomTkinter's wheel turns a disabled one
        if self.value != before:
            self._on_change(self.value)
            self._wait_no_more()
            if self._on_rest is not None:
                self._waits = self.after(_REST_MS, self._rested)

    def _rested(self) -> None:
        self._waits = None
        assert self._on_rest is not None
        self._on_rest()

    def _wait_no_more(self) -> None:
        if self._waits is not None:
            self.after_cancel(self._waits)
            self._waits = None

    def destroy(self) -> None:
        self._wait_no_more()
        super().destroy()
