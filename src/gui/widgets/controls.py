"""Buttons, chips, entries and choices in the house's look, all reachable by keyboard."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import customtkinter as ctk

from src.gui.icons import icon
from src.gui.theme import NORMAL, RADIUS, RADIUS_LARGE, SMALL, Theme, Weight

ButtonKind = Literal["main", "add", "plain", "quiet", "link"]
RING = 4  # of a focus ring: 2 for the line, 2 between it and the control


def label(
    master: Any,
    look: Theme,
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
        font=look.font(size, weight),
        height=height,
        width=0,
        text_color=colour or look.colours.text,
        **options,
    )


def icon_label(master: Any, name: str, colour: str, size: int = 20) -> ctk.CTkLabel:
    """An icon alone."""
    return ctk.CTkLabel(master, text="", image=icon(name, colour, size), width=size, height=size)


def rule(master: Any, look: Theme, length: int = 1) -> tkinter.Frame:
    """A hairline, stretched by its manager; CTkFrame draws none of one pixel."""
    return tkinter.Frame(master, bg=look.colours.border, width=1, height=look.px(length))


class Focusable(ctk.CTkFrame):
    """A frame that the Tab key reaches, with a ring while it is there."""

    def __init__(
        self, master: Any, look: Theme, on_key: Callable[[], None], **options: Any
    ) -> None:
        super().__init__(
            master,
            corner_radius=RADIUS_LARGE,
            border_width=2,
            fg_color="transparent",
            border_color=ground_of(master),
            **options,
        )
        self.look = look
        self._ground = ground_of(master)
        self.tk.call(self._w, "configure", "-takefocus", 1)
        # CTkFrame.bind would bind its inner canvas, which never has the focus
        bind = partial(tkinter.Misc.bind, self)
        bind("<FocusIn>", lambda _: self.configure(border_color=look.colours.accent), "+")
        bind("<FocusOut>", lambda _: self.configure(border_color=self._ground), "+")
        for key in ("<Return>", "<KP_Enter>", "<space>"):
            bind(key, lambda _: self._pressed(on_key), "+")

    def _pressed(self, on_key: Callable[[], None]) -> str:
        on_key()
        return "break"


class Button(Focusable):
    """A button with text, an icon, or both."""

    def __init__(
        self,
        master: Any,
        look: Theme,
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
        super().__init__(master, look, self.invoke)
        self._command, self._kind, self._icon_name = command, kind, icon_name
        self._fill, self._over, self._ink, border = self._colours(kind)
        self._own_width = width
        self._icon_size = 20 if height > 24 else 14
        self._button = ctk.CTkButton(
            self,
            text=text,
            command=self.invoke,
            height=height,
            corner_radius=RADIUS,
            width=self._natural_width(text) if width is None else width,
            fg_color=self._fill,
            hover_color=self._over,
            text_color=self._ink,
            text_color_disabled=look.colours.hint,
            border_width=1 if border else 0,
            border_color=border or look.colours.border,
            font=look.font(size, "medium" if kind in ("main", "add") else "regular"),
            image=None if icon_name is None else icon(icon_name, self._ink, self._icon_size),
            anchor=anchor,
        )
        self._button.pack(fill="both", expand=True, padx=RING, pady=RING)
        self.enabled = True

    @property
    def text(self) -> str:
        return str(self._button.cget("text"))

    def invoke(self) -> None:
        if self.enabled:
            self._command()

    def set_text(self, text: str) -> None:
        if text != self.text:
            self._button.configure(text=text)
            if self._own_width is None:
                self._button.configure(width=self._natural_width(text))

    def set_enabled(self, enabled: bool) -> None:
        if enabled == self.enabled:
            return
        self.enabled = enabled
        colours = self.look.colours
        fill = self._fill if enabled or self._fill == "transparent" else colours.card
        ink = self._ink if enabled else colours.hint
        self._button.configure(state="normal" if enabled else "disabled", fg_color=fill)
        if self._icon_name is not None:
            self._button.configure(image=icon(self._icon_name, ink, self._icon_size))

    def _natural_width(self, text: str) -> int:
        font = self.look.font(NORMAL, "medium")
        wide = 32 if self._kind != "link" else 8
        return int(font.measure(text)) + wide + (28 if self._icon_name and text else 0)

    def _colours(self, kind: ButtonKind) -> tuple[str, str, str, str | None]:
        """Fill, fill under the pointer, ink and border."""
        c = self.look.colours
        return {
            "main": (c.accent, c.accent_hover, c.on_accent, None),
            "add": (c.selection, c.selection_hover, c.accent, None),
            "plain": (c.raised, c.hover, c.text, c.border),
            "quiet": ("transparent", c.raised, c.text_2, None),
            "link": ("transparent", c.raised, c.accent, None),
        }[kind]


class IconButton(Button):
    """A square button with an icon alone; what it does stands in its tooltip."""

    def __init__(
        self,
        master: Any,
        look: Theme,
        icon_name: str,
        tip: str,
        command: Callable[[], object],
        *,
        kind: ButtonKind = "quiet",
        side: int = 32,
    ) -> None:
        super().__init__(
            master, look, "", command, kind=kind, icon_name=icon_name, height=side, width=side
        )
        Tooltip(self, look, tip)


class Entry(ctk.CTkFrame):
    """A line to type in, with an icon before it and a cross that empties it."""

    def __init__(
        self,
        master: Any,
        look: Theme,
        placeholder: str,
        *,
        icon_name: str | None = None,
        height: int = 40,
        on_enter: Callable[[str], object] | None = None,
        on_change: Callable[[str], object] | None = None,
        clearable: bool = False,
    ) -> None:
        c = look.colours
        super().__init__(
            master,
            fg_color=c.card,
            corner_radius=RADIUS,
            border_width=1,
            height=height,
            border_color=c.strong_border,
        )
        self.look, self._on_enter, self._on_change = look, on_enter, on_change
        self.grid_columnconfigure(1, weight=1)
        self.grid_rowconfigure(0, weight=1, minsize=look.px(height))
        if icon_name is not None:
            icon_label(self, icon_name, c.hint).grid(row=0, column=0, padx=(12, 0))
        self.field = ctk.CTkEntry(
            self,
            height=height - 8,
            border_width=0,
            fg_color=c.card,
            text_color=c.text,
            placeholder_text=placeholder,
            placeholder_text_color=c.hint,
            font=look.font(),
        )
        self.field.grid(row=0, column=1, sticky="ew", padx=(4, 4), pady=3)
        self._clear = IconButton(self, look, "close", "Clear", self.clear, side=24)
        if clearable:
            self._clear.grid(row=0, column=2, padx=(0, 6))
            self._clear.grid_remove()
        self._clearable = clearable
        self.field.bind("<FocusIn>", lambda _: self._focused(True), add="+")
        self.field.bind("<FocusOut>", lambda _: self._focused(False), add="+")
        self.field.bind("<Return>", lambda _: self._entered(), add="+")
        self.field.bind("<KP_Enter>", lambda _: self._entered(), add="+")
        self.field.bind("<KeyRelease>", lambda _: self.changed(), add="+")
        self.field.bind("<Control-a>", self._select_all)
        self._last = ""

    @property
    def text(self) -> str:
        return str(self.field.get())

    def set(self, text: str) -> None:
        self.field.delete(0, "end")
        if text:
            self.field.insert(0, text)
        self.changed()

    def clear(self) -> None:
        self.set("")
        self.field.focus_set()

    def focus_field(self) -> None:
        self.field.focus_set()
        if self.text:
            self.field.select_range(0, "end")

    def set_error(self, wrong: bool) -> None:
        colours = self.look.colours
        self.configure(border_color=colours.error if wrong else colours.strong_border)

    def changed(self) -> None:
        text = self.text
        if text == self._last:
            return
        self._last = text
        if self._clearable and text:
            self._clear.grid()
        else:
            self._clear.grid_remove()
        if self._on_change is not None:
            self._on_change(text)

    def _entered(self) -> str:
        if self._on_enter is not None:
            self._on_enter(self.text)
        return "break"

    def _focused(self, has: bool) -> None:
        c = self.look.colours
        self.configure(
            border_width=2 if has else 1, border_color=c.accent if has else c.strong_border
        )

    def _select_all(self, _event: object) -> str:
        self.field.select_range(0, "end")
        self.field.icursor("end")
        return "break"


class Choice(ctk.CTkFrame):
    """A few words of which one is chosen, side by side."""

    def __init__(
        self, master: Any, look: Theme, names: Sequence[str], on_change: Callable[[str], object]
    ) -> None:
        c = look.colours
        super().__init__(
            master, fg_color=c.card, corner_radius=RADIUS, border_width=1, border_color=c.border
        )
        self.look, self._on_change = look, on_change
        self.value = names[0]
        self._buttons: dict[str, Button] = {}
        for place, name in enumerate(names):
            button = Button(
                self,
                look,
                name,
                partial(self.choose, name),
                kind="quiet",
                height=24,
            )
            button.grid(row=0, column=place, padx=(1 if place == 0 else 0, 1), pady=1)
            self._buttons[name] = button
        self._mark()

    def choose(self, name: str) -> None:
        if name != self.value:
            self.value = name
            self._mark()
            self._on_change(name)

    def set_enabled(self, name: str, enabled: bool) -> None:
        self._buttons[name].set_enabled(enabled)

    def _mark(self) -> None:
        c = self.look.colours
        for name, button in self._buttons.items():
            here = name == self.value
            button._button.configure(
                fg_color=c.hover if here else "transparent",
                text_color=c.text if here else c.text_2,
                font=self.look.font(NORMAL, "medium" if here else "regular"),
            )


class Check(Focusable):
    """A box with a tick and its words."""

    def __init__(
        self, master: Any, look: Theme, text: str, value: bool, on_change: Callable[[bool], object]
    ) -> None:
        super().__init__(master, look, self._flip)
        c = look.colours
        self._on_change = on_change
        self._box = ctk.CTkCheckBox(
            self,
            text=text,
            command=self._changed,
            font=look.font(),
            text_color=c.text_2,
            checkbox_width=16,
            checkbox_height=16,
            corner_radius=4,
            border_width=1,
            border_color=c.strong_border,
            fg_color=c.accent,
            hover_color=c.accent_hover,
            checkmark_color=c.on_accent,
            width=0,
            height=24,
        )
        self._box.pack(padx=RING, pady=RING)
        if value:
            self._box.select()

    @property
    def value(self) -> bool:
        return bool(self._box.get())

    def _flip(self) -> None:
        self._box.toggle()

    def _changed(self) -> None:
        self._on_change(self.value)


class Tooltip:
    """A word about a control, after the pointer has rested on it."""

    AFTER_MS = 600

    def __init__(self, widget: tkinter.Misc, look: Theme, text: str) -> None:
        self._widget, self._look, self.text = widget, look, text
        self._waits: str | None = None
        self._shown: tkinter.Toplevel | None = None
        for child in _all_inside(widget):
            child.bind("<Enter>", self._enter, add="+")
            child.bind("<Leave>", self._leave, add="+")
            child.bind("<Button-1>", self._leave, add="+")
        widget.bind("<Destroy>", self._leave, add="+")

    def _enter(self, _event: object) -> None:
        self._leave(None)
        self._waits = self._widget.after(self.AFTER_MS, self._show)

    def _leave(self, _event: object) -> None:
        if self._waits is not None:
            self._widget.after_cancel(self._waits)
            self._waits = None
        if self._shown is not None:
            self._shown.destroy()
            self._shown = None

    def _show(self) -> None:
        self._waits = None
        c, px = self._look.colours, self._look.px
        top = tkinter.Toplevel(self._widget, bg=c.border)
        top.wm_overrideredirect(True)
        tkinter.Label(
            top,
            text=self.text,
            bg=c.raised,
            fg=c.text,
            padx=px(8),
            pady=px(4),
            font=self._look.canvas_font(self._widget, SMALL),
        ).pack(padx=1, pady=1)
        x = self._widget.winfo_rootx()
        y = self._widget.winfo_rooty() + self._widget.winfo_height() + px(2)
        top.update_idletasks()
        x = min(x, self._widget.winfo_screenwidth() - top.winfo_reqwidth() - px(4))
        top.wm_geometry(f"+{x}+{y}")
        self._shown = top


def ground_of(master: Any) -> str:
    """The colour that lies behind a widget's children."""
    while master is not None:
        is_ctk = isinstance(master, ctk.CTkBaseClass | ctk.CTkScrollableFrame | ctk.CTk)
        colour = master.cget("fg_color" if is_ctk else "bg")
        if isinstance(colour, str) and colour != "transparent":
            return colour
        master = master.master
    return "#000000"


def _all_inside(widget: tkinter.Misc) -> list[tkinter.Misc]:
    found = [widget]
    for child in widget.winfo_children():
        found += _all_inside(child)
    return found
