"""Small frames that open beside a label: its colour, its attributes, what it is merged into."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from functools import partial

from src.gui.label.attribute_text import parse_attributes, write_attributes
from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, Focusable, label
from src.gui.widgets.dropdown import Dropdown
from src.gui.widgets.key_bindings import bind_key
from src.gui.widgets.text_box import TextBox
from src.label_records import LABEL_COLOURS, Label, LabelAttribute

Box = tuple[int, int, int, int]  # on the screen: left, top, width, height
_PER_ROW = 4


def choose_colour(
    master: tkinter.Misc,
    theme: Theme,
    box: Box,
    colour: str,
    on_choose: Callable[[str], object],
) -> None:
    """Offer the colours that labels have."""
    menu = Dropdown(master, theme)
    body = ctk.CTkFrame(menu, fg_color=theme.colours.raised, corner_radius=0)
    body.pack(padx=theme.px(8), pady=theme.px(8))

    def choose(chosen: str) -> None:
        menu.close()
        if chosen != colour:
            on_choose(chosen)

    swatches = []
    for place, each in enumerate(LABEL_COLOURS):
        swatch = _Swatch(body, theme, each, each.upper() == colour.upper(), partial(choose, each))
        swatch.grid(row=place // _PER_ROW, column=place % _PER_ROW, padx=2, pady=2)
        swatches.append(swatch)
    left, top, _, height = box
    menu.open(left, top + height, top, swatches[0])


class _Swatch(Focusable):
    def __init__(
        self,
        master: tkinter.Misc,
        theme: Theme,
        colour: str,
        is_chosen: bool,
        on_press: Callable[[], None],
    ) -> None:
        super().__init__(master, theme, on_press)
        patch = ctk.CTkFrame(
            self,
            width=24,
            height=24,
            corner_radius=6,
            fg_color=colour,
            border_width=2 if is_chosen else 0,
            border_color=theme.colours.text,
        )
        patch.pack(padx=4, pady=4)
        for part in (self, patch):
            part.bind("<ButtonRelease-1>", lambda _: on_press(), add="+")


def edit_attributes(
    master: tkinter.Misc,
    theme: Theme,
    box: Box,
    about: Label,
    on_save: Callable[[Sequence[LabelAttribute]], object],
) -> None:
    """Let a person write the attributes of a label, one a line.

    A click elsewhere saves as the button does; Escape alone drops what was typed.
    """
    menu = Dropdown(master, theme, on_click_outside=lambda: save())
    c = theme.colours
    body = ctk.CTkFrame(menu, fg_color=c.raised, corner_radius=0)
    body.pack(padx=theme.px(12), pady=theme.px(12))
    label(body, theme, f"Attributes of “{about.name}”", weight="medium").pack(anchor="w")
    note = label(
        body,
        theme,
        "One per line, a choice or a number, such as\nsize: small, medium, large\nage: number",
        size=SMALL,
        colour=c.text_2,
        wraplength=300,
        justify="left",
    )
    note.pack(anchor="w", pady=(2, 8))
    text = TextBox(body, theme, lambda: text.set_error(False), lines=4)
    text.field.configure(width=36)
    text.set(write_attributes(about.attributes))
    text.pack(fill="x", pady=(0, 4))

    def save() -> None:
        try:
            attributes = parse_attributes(text.text)
        except ValueError as exc:
            note.configure(text=str(exc), text_color=c.error)
            text.set_error(True)
            return
        menu.close()
        if tuple(attributes) != tuple(about.attributes):
            on_save(attributes)

    Button(body, theme, "Save", save, height=32).pack(anchor="e")
    bind_key(text.field.bind, "<Control-Return>", lambda _: save())
    left, top, _, height = box
    menu.open(left, top + height, top, text.field)
