"""Text, lines and buttons in the application's style, all reachable by keyboard."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from src.gui.theme.icons import icon
from src.gui.theme.theme import (
    HEADER,
    LEFT,
    NORMAL,
    RADIUS,
    RIGHT,
    SMALL,
    TITLE,
    Theme,
    Weight,
)
from src.gui.theme.toolkit import ctk
from src.gui.widgets.key_bindings import bind_key
from src.gui.widgets.switchable import Switchable
from src.gui.widgets.tooltip import Tooltip

ButtonKind = Literal["main", "add", "plain", "quiet", "link", "alert"]
RING = 4  # of a focus ring: 2 for the line, 2 between it and the control
_RING_RADIUS = RADIUS + 1  # rounder, and the square canvas of the control would cut its corners


def label(
    master: Any,
    theme: Theme,
    text: str,
    *,
    size: int = NORMAL,
    weight: Weight = "regular",
    colour: str | None = None,
    **options: Any,
) -> ctk.CTkLabel:
    """Text, as high as its line and no wider than it needs."""
    height = {SMALL: 16, NORMAL: 20}.get(size, 28)
    return ctk.CTkLabel(
        master,
        text=text,
        font=theme.font(size, weight),
        height=height,
        width=0,
        text_color=colour or theme.colours.text,
        **options,
    )


def icon_label(master: Any, name: str, colour: str, size: int = 20) -> ctk.CTkLabel:
    """Return an icon alone."""
    return ctk.CTkLabel(master, text="", image=icon(name, colour, size), width=size, height=size)


def panel_header(master: Any, theme: Theme, title: str, ring_below: bool = False) -> ctk.CTkFrame:
    """Return the line at the top of a panel with its title; what is packed into it goes right.

    Args:
        ring_below: what follows has space for its focus ring, which this line gives up, so that
            the title and what follows lie where they do in all panels.
    """
    less = RING if ring_below else 0
    header = ctk.CTkFrame(master, fg_color="transparent", height=HEADER - 2 * less)
    header.pack(fill="x", padx=(LEFT, RIGHT), pady=(less, 0))
    header.pack_propagate(False)
    label(header, theme, title, size=TITLE, weight="medium").pack(side="left")
    return header


def rule(master: Any, theme: Theme, length: int = 1) -> tkinter.Frame:
    """Return a hairline, stretched by its manager; CTkFrame draws none of one pixel."""
    return tkinter.Frame(master, bg=theme.colours.border, width=1, height=theme.px(length))


def progress_bar(master: Any, theme: Theme, **options: Any) -> ctk.CTkProgressBar:
    """Return a thin bar in the application's style; options are CTkProgressBar's own."""
    colours = {"fg_color": theme.colours.hover, "progress_color": theme.colours.accent}
    return ctk.CTkProgressBar(
        master, height=4, corner_radius=2, border_width=0, **(colours | options)
    )


class Focusable(ctk.CTkFrame):
    """A frame that the Tab key reaches, with a ring while it is there."""

    def __init__(
        self, master: Any, theme: Theme, on_key: Callable[[], None], **options: Any
    ) -> None:
        super().__init__(
            master,
            corner_radius=_RING_RADIUS,
            border_width=2,
            fg_color="transparent",
            border_color=ground_of(master),
            **options,
        )
        self.theme = theme
        self._ground = ground_of(master)
        self.tk.call(self._w, "configure", "-takefocus", 1)
        # CTkFrame.bind would bind its inner canvas, which never has the focus
        bind = partial(tkinter.Misc.bind, self)
        bind("<FocusIn>", lambda _: self.show_ring(theme.shows_focus), "+")
        bind("<FocusOut>", lambda _: self.show_ring(False), "+")
        bind("<Key>", lambda _: self.show_ring(True), "+")
        for key in ("<Return>", "<KP_Enter>", "<space>"):
            bind_key(bind, key, lambda _: self._pressed(on_key), "+")

    def show_ring(self, shown: bool) -> None:
        """Show that it has the keyboard, or not; a pointer needs no ring."""
        self.configure(border_color=self.theme.colours.accent if shown else self._ground)

    def _pressed(self, on_key: Callable[[], None]) -> str:
        on_key()
        return "break"


class Button(Switchable, Focusable):
    """A button with text, an icon, or both."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        text: str,
        command: Callable[[], object],
        *,
        kind: ButtonKind = "plain",
        icon_name: str | None = None,
        height: int = 40,
        width: int | None = None,
        size: int = NORMAL,
        anchor: str = "center",
    ) -> None:
        super().__init__(master, theme, self.invoke)
        self._command, self._kind, self._icon_name = command, kind, icon_name
        self._fill, self._over, self._down, self._ink, self._border = self._colours(kind)
        self._own_width, self._size = width, size
        self._icon_size = 20 if height > 24 else 14
        self._button = ctk.CTkButton(
            self,
            text=text,
            height=height,
            corner_radius=RADIUS,
            width=self._natural_width(text) if width is None else width,
            fg_color=self._fill,
            hover_color=self._over,
            text_color=self._ink,
            text_color_disabled=theme.colours.hint,
            border_width=1 if self._border else 0,
            border_color=self._border or theme.colours.border,
            font=theme.font(size, "medium" if kind in ("main", "add") else "regular"),
            image=None if icon_name is None else icon(icon_name, self._ink, self._icon_size),
            anchor=anchor,
        )
        self._button.pack(fill="both", expand=True, padx=RING, pady=RING)
        self._is_down = False
        self._heard: set[tkinter.Misc] = set()
        self._listen()

    @property
    def text(self) -> str:
        return str(self._button.cget("text"))

    def invoke(self) -> None:
        if self.enabled:
            self._command()

    def set_text(self, text: str) -> None:
        if text != self.text:
            self._button.configure(text=text)
            self._listen()
            if self._own_width is None:
                self._button.configure(width=self._natural_width(text))

    def _show_enabled(self) -> None:
        colours = self.theme.colours
        fill = self._fill if self.enabled or self._fill == "transparent" else colours.disabled
        ink = self._ink if self.enabled else colours.hint
        self._button.configure(
            state="normal" if self.enabled else "disabled",
            fg_color=fill,
            border_color=(self._border if self.enabled else None) or colours.border,
        )
        if self._icon_name is not None:
            self._button.configure(image=icon(self._icon_name, ink, self._icon_size))

    def set_icon(self, name: str) -> None:
        """Show another icon, where it has one."""
        self._icon_name = name
        ink = self._ink if self.enabled else self.theme.colours.hint
        self._button.configure(image=icon(name, ink, self._icon_size))

    def mark(self, here: bool) -> None:
        """Show the button as the one chosen among several, or as one of the others."""
        c = self.theme.colours
        self._fill = c.hover if here else "transparent"
        self._button.configure(
            fg_color=self._fill,
            text_color=c.text if here else c.text_2,
            font=self.theme.font(NORMAL, "medium" if here else "regular"),
        )

    def _natural_width(self, text: str) -> int:
        font = self.theme.font(self._size, "medium")
        wide = 8 if self._kind in ("link", "alert") else 32
        return int(font.measure(text)) + wide + (28 if self._icon_name and text else 0)

    def _listen(self) -> None:
        """Bind clicks on each part.

        CustomTkinter's own command needs an Enter event before the release, and a click that
        brings the window forward has a Leave between the two: it would be lost.
        """
        for part in self._button.winfo_children():
            if part not in self._heard:
                self._heard.add(part)
                tkinter.Misc.bind(part, "<Button-1>", lambda _: self._pressed_down(), "+")
                tkinter.Misc.bind(part, "<ButtonRelease-1>", self._released, "+")

    def _pressed_down(self) -> None:
        self._is_down = True
        self._paint(self._down)

    def _released(self, event: tkinter.Event[tkinter.Misc]) -> None:
        was_down, self._is_down = self._is_down, False
        self._paint(self._fill)
        x = event.x_root - self._button.winfo_rootx()
        y = event.y_root - self._button.winfo_rooty()
        inside = 0 <= x < self._button.winfo_width() and 0 <= y < self._button.winfo_height()
        if was_down and inside:
            self.invoke()

    def _paint(self, fill: str) -> None:
        if self.enabled:
            self._button.configure(fg_color=fill)

    def _colours(self, kind: ButtonKind) -> tuple[str, str, str, str, str | None]:
        """Fill, fill under the pointer and when pressed, ink and border."""
        c = self.theme.colours
        return {
            "main": (c.accent, c.accent_hover, c.accent_pressed, c.on_accent, None),
            "add": (c.selection, c.selection_hover, c.selection_pressed, c.accent, None),
            "plain": (c.raised, c.hover, c.pressed, c.text, c.control),
            "quiet": ("transparent", c.raised, c.pressed, c.text_2, None),
            "link": ("transparent", c.raised, c.pressed, c.accent, None),
            "alert": ("transparent", c.raised, c.pressed, c.error, None),
        }[kind]


class IconButton(Button):
    """A square button with only an icon; its tooltip says what it does."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        icon_name: str,
        tip: str,
        command: Callable[[], object],
        *,
        kind: ButtonKind = "quiet",
        side: int = 32,
    ) -> None:
        super().__init__(
            master, theme, "", command, kind=kind, icon_name=icon_name, height=side, width=side
        )
        Tooltip(self, theme, tip)


def ground_of(master: Any) -> str:
    """Return the colour that lies behind a widget's children."""
    while master is not None:
        is_ctk = isinstance(master, ctk.CTkBaseClass | ctk.CTkScrollableFrame | ctk.CTk)
        colour = master.cget("fg_color" if is_ctk else "bg")
        if isinstance(colour, str) and colour != "transparent":
            return colour
        master = master.master
    return "#000000"
