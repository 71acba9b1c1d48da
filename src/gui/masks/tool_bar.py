"""The tools over the photo under edit, the size of the brush, and what is done at once."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from src.gui.masks.tools import DEEDS, PAINTING, STEPS, TOOLS, Tool, size_at, step_of
from src.gui.theme.icons import icon
from src.gui.theme.theme import RADIUS, SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label, rule
from src.gui.widgets.slider import Slider
from src.gui.widgets.tooltip import Tooltip

_HEIGHT = 44  # of a button
_LEAST, _ICON = 40, 32  # its width, and that of one with no word
_EDGE, _PAD = 6, 2  # between a word and the edge of its button, and from there to the next one


class ToolButton(Button):
    """An icon over its word; what can't be used says why."""

    def __init__(
        self, master: Any, theme: Theme, tool: Tool, command: Callable[[], object]
    ) -> None:
        self._wide = max(int(theme.font(SMALL).measure(tool.name)) + 2 * _EDGE, _LEAST)
        super().__init__(
            master,
            theme,
            tool.name,
            command,
            kind="quiet",
            icon_name=tool.icon,
            height=_HEIGHT,
            width=self._wide,
            size=SMALL,
        )
        self._button.configure(
            compound="top", text_color=theme.colours.text, corner_radius=_EDGE, border_spacing=0
        )
        # closer together than other buttons: the ring of the focus lies round the button at once
        self._button.pack_configure(padx=_PAD, pady=_PAD)
        self._button._create_grid()  # CustomTkinter knows of the side only when it is made
        self._listen()
        self._ink = theme.colours.text
        self._button.configure(image=icon(tool.icon, self._ink))
        self._tool = tool
        self._is_chosen = False
        self.tip = Tooltip(self, theme, tool.tip)

    def mark(self, here: bool) -> None:
        """Show it as the tool in hand, or not."""
        if here == self._is_chosen:
            return
        self._is_chosen = here
        c = self.theme.colours
        self._fill = c.selection if here else "transparent"
        self._over = c.selection_hover if here else c.raised
        self._ink = c.accent if here else c.text
        self._button.configure(
            fg_color=self._fill,
            hover_color=self._over,
            text_color=self._ink,
            image=icon(self._tool.icon, self._ink if self.enabled else c.hint),
        )

    def width_with(self, word: bool) -> int:
        """Return how wide it is in pixels of the design, with its word or without."""
        return (self._wide if word else _ICON) + 2 * _PAD

    def show_word(self, shown: bool) -> None:
        """Show its word under the icon, or the icon alone."""
        self._button.configure(
            text=self._tool.name if shown else "",
            width=self._wide if shown else _ICON,
            height=_HEIGHT if shown else _ICON,
        )
        self._button._create_grid()
        self._listen()

    def allow(self, why_not: str) -> None:
        """Let it be used, where nothing is against it; the tooltip says what is."""
        self.set_enabled(not why_not)
        self.tip.text = why_not or self._tool.tip


class ToolBar(ctk.CTkFrame):
    """In one line, or where that is too long in two."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        on_tool: Callable[[str], None],
        on_deed: Callable[[str], None],
        on_size: Callable[[int], None],
    ) -> None:
        """Make it.

        Args:
            on_tool: a tool was chosen, by its key.
            on_deed: something is to be done at once, by its key.
            on_size: the brush has another size, in pixels of the frame.
        """
        c = theme.colours
        super().__init__(
            master,
            fg_color=c.sidebar,
            corner_radius=RADIUS,
            border_width=1,
            border_color=c.border,
        )
        self.theme, self._on_size = theme, on_size
        self._largest = 64
        self._laid_out = 0, False
        rows = [ctk.CTkFrame(self, fg_color="transparent") for _ in range(3)]
        self._tools, self._sizes, self._deeds = rows
        self.buttons = {
            tool.key: ToolButton(row, theme, tool, partial(call, tool.key))
            for row, tools, call in ((rows[0], TOOLS, on_tool), (rows[2], DEEDS, on_deed))
            for tool in tools
        }
        for button in self.buttons.values():
            button.pack(side="left")
        self._build_size()
        self._lay_out(1, words=True)
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit(), "+")

    def _build_size(self) -> None:
        theme, box = self.theme, self._sizes
        self._rules = [rule(box, theme, 36) for _ in range(2)]
        inner = ctk.CTkFrame(box, fg_color="transparent")
        head = ctk.CTkFrame(inner, fg_color="transparent")
        head.pack(fill="x", padx=4)
        label(head, theme, "Size", size=SMALL, colour=theme.colours.text_2).pack(side="left")
        self._said = label(head, theme, "", size=SMALL)
        self._said.pack(side="right")
        self.slider = Slider(inner, theme, (0, STEPS), 0, self._slid, decimals=0, width=64)
        self.slider.pack(fill="x")
        Tooltip(self.slider, theme, "Size of brush and eraser, in pixels of the photo ([ and ])")
        inner.pack(side="left")
        self._size = inner

    # -- what is shown

    def show(self, tool: str, size: int, largest: int) -> None:
        """Show which tool is in hand, and how large the brush is."""
        for each in TOOLS:
            self.buttons[each.key].mark(each.key == tool)
        self.buttons["merge"].mark(tool == "merge")
        self._largest = largest
        self._said.configure(text=f"{size:,} px")
        if size_at(self.slider.value, largest) != size:
            self.slider.set(step_of(size, largest))
        self.slider.set_enabled(tool in PAINTING)

    def allow(self, why_not: Mapping[str, str]) -> None:
        """Say of each tool why it can't be used now; "" where it can."""
        for key, why in why_not.items():
            self.buttons[key].allow(why)

    def _slid(self, step: float) -> None:
        self._on_size(size_at(step, self._largest))

    # -- where it lies

    def _fit(self) -> None:
        """Show as many words, on as few lines, as there is space for."""
        width = self.winfo_width()
        if width > 20:
            free = width - self.theme.px(8)
            tools, deeds, icons = (
                sum(self.theme.px(button.width_with(word)) for button in buttons)
                for buttons, word in (
                    (self._buttons_of(TOOLS), True),
                    (self._buttons_of(DEEDS), True),
                    (self._buttons_of(DEEDS), False),
                )
            )
            size = self._sizes.winfo_reqwidth()
            lines = 1 if tools + size + icons <= free else 2
            self._lay_out(lines, lines == 1 and tools + size + deeds <= free)

    def _buttons_of(self, some: Sequence[Tool]) -> list[ToolButton]:
        return [self.buttons[tool.key] for tool in some]

    def _lay_out(self, lines: int, words: bool) -> None:
        """Put all in one line or in two.

        Args:
            words: whether what is done at once has its words.
        """
        if (lines, words) == self._laid_out:
            return
        self._laid_out = lines, words
        px = self.theme.px
        for part in (self._tools, self._sizes, self._deeds, *self._rules):
            part.pack_forget()
            part.grid_forget()
        self.grid_columnconfigure((0, 1, 2), weight=0)
        self.grid_columnconfigure(1 if lines == 1 else 2, weight=1)
        if lines == 1:
            self._rules[0].pack(side="left", padx=px(8), before=self._size)
            self._rules[1].pack(side="left", padx=px(8))
            self._tools.grid(row=0, column=0, padx=(3, 0), pady=3)
            self._sizes.grid(row=0, column=1)
            self._deeds.grid(row=0, column=2, padx=(0, 3), pady=3)
        else:
            self._tools.grid(row=0, column=0, columnspan=3, sticky="w", padx=3, pady=(3, 0))
            self._deeds.grid(row=1, column=0, sticky="w", padx=3, pady=(0, 3))
            self._sizes.grid(row=1, column=1, sticky="w", padx=8, pady=(0, 3))
        for button in self._buttons_of(DEEDS):
            button.show_word(words)
