"""The side of a mask under edit: its label, what it is now, and how to keep it or leave it."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from src.gui.core.main_thread import MainThread
from src.gui.masks.before_and_now import BeforeAndNow
from src.gui.masks.editor import Look
from src.gui.theme.theme import SIDE_PANEL, SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.chips import ChipRow
from src.gui.widgets.controls import Button, label, rule
from src.gui.widgets.key_bindings import bind_key
from src.gui.widgets.label_entry import LabelEntry
from src.gui.widgets.tooltip import Tooltip
from src.label_records import MaskState
from src.search.completion import Suggestion

_FONT = Path(ctk.__file__).parent / "assets" / "fonts" / "Roboto" / "Roboto-Medium.ttf"
_FACTS = ("Area", "Size", "Change", "Points", "Strokes")
_TIMES = 4
_HIGH_ENOUGH = 536  # for the two pictures, in pixels of the design


@dataclass(frozen=True)
class MaskSideActions:
    """What the side asks of its owner.

    Attributes:
        suggest: what labels may be meant by what is typed.
        set_label: the segment has another label from now on.
        go_on: what was asked is answered by going on with the edit.
    """

    suggest: Callable[[str], Sequence[Suggestion]]
    set_label: Callable[[str], None]
    keep: Callable[[], None]
    discard: Callable[[], None]
    go_on: Callable[[], None]


class MaskSide(ctk.CTkFrame):
    """As wide as the detail view's; its buttons are always to be seen."""

    def __init__(
        self, master: Any, theme: Theme, main_thread: MainThread, actions: MaskSideActions
    ) -> None:
        c = theme.colours
        super().__init__(master, fg_color=c.sidebar, corner_radius=0, width=SIDE_PANEL)
        self.pack_propagate(False)
        self.theme, self._actions = theme, actions
        rule(self, theme).pack(side="left", fill="y")
        self._build_buttons()
        self._build_label()
        self._name = ""
        self._facts: dict[str, ctk.CTkLabel] = {}
        self._build_facts()
        self._pictures_part = ctk.CTkFrame(self, fg_color="transparent")
        rule(self._pictures_part, theme).pack(fill="x")
        label(self._pictures_part, theme, "Before and now", weight="medium").pack(
            anchor="w", padx=24, pady=(16, 8)
        )
        self.pictures = BeforeAndNow(self._pictures_part, theme, main_thread)
        self.pictures.pack(anchor="w", padx=theme.px(24))
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit(), "+")

    # -- building

    def _build_label(self) -> None:
        theme, c = self.theme, self.theme.colours
        label(self, theme, "Label", weight="medium").pack(anchor="w", padx=24, pady=(20, 8))
        self.entry = LabelEntry(
            self,
            theme,
            "What is it?",
            self._actions.suggest,
            self._choose,
            self._actions.go_on,
            height=32,
        )
        inner, keys = self.entry.field._entry, f"label of {self}"
        inner.bindtags((keys, *inner.bindtags()))
        bind_key(partial(inner.bind_class, keys), "<Escape>", lambda _: self._leave_entry())
        self.entry.field.bind("<FocusOut>", lambda _: self.take_label(), add="+")
        self.entry.pack(fill="x", padx=(24, 32))
        self._wrong = label(
            self, theme, "", size=SMALL, colour=c.error, justify="left", wraplength=260
        )
        self._chips_row = ctk.CTkFrame(self, fg_color="transparent")
        self._chips_row.pack(fill="x", padx=(24, 32), pady=(4, 8))
        self.chips = ChipRow(self._chips_row, theme, self._choose)
        self.chips.pack(fill="x")

    def _leave_entry(self) -> str:
        """Close the list, or leave the label as it was."""
        if self.entry.list.is_open:
            self.entry.list.hide()
        else:
            self.entry.set(self._name)
            self._actions.go_on()
        return "break"

    def take_label(self) -> None:
        """Take what was typed, also where Enter was not pressed."""
        self._name = self.entry.text
        self._actions.set_label(self._name)

    def _choose(self, name: str) -> None:
        self.entry.set(name)
        self.take_label()
        self._actions.go_on()

    def _build_facts(self) -> None:
        theme, c = self.theme, self.theme.colours
        rule(self, theme).pack(fill="x")
        self._title = label(self, theme, "Segment", weight="medium")
        self._title.pack(anchor="w", padx=24, pady=(16, 4))
        table = ctk.CTkFrame(self, fg_color="transparent")
        table.pack(fill="x", padx=(24, 16), pady=(0, 12))
        table.grid_columnconfigure(0, minsize=theme.px(84))
        for row, name in enumerate(_FACTS):
            label(table, theme, name, size=SMALL, colour=c.text_2).grid(
                row=row, column=0, sticky="w", pady=4
            )
            self._facts[name] = label(table, theme, "–", size=SMALL)
            self._facts[name].grid(row=row, column=1, sticky="w")

    def _build_buttons(self) -> None:
        theme = self.theme
        box = ctk.CTkFrame(self, fg_color="transparent")
        box.pack(side="bottom", fill="x", padx=(20, 28), pady=(8, 16))
        self._question = label(
            box, theme, "", justify="left", anchor="w", wraplength=264, weight="medium"
        )
        self.keep = Button(box, theme, "Keep", self._actions.keep, kind="main")
        self._keep_tip = Tooltip(self.keep, theme, "")
        self.discard = Button(box, theme, "Discard", self._actions.discard, height=32)
        self.go_on = Button(box, theme, "Continue editing", self._actions.go_on, height=32)
        for button, key in ((self.keep, "Enter"), (self.discard, "Esc")):
            button._button.configure(image=_key_badge(key, button._ink), compound="right")
            button._listen()
            button.pack(fill="x")

    def _fit(self) -> None:
        """Show the pictures where there is space for them."""
        shown = self.winfo_height() / self.theme.scale >= _HIGH_ENOUGH
        if shown and not self._pictures_part.winfo_manager():
            self._pictures_part.pack(fill="x")
        elif not shown:
            self._pictures_part.pack_forget()

    # -- what is shown

    def begin(self, name: str, offers: Sequence[str]) -> None:
        """Show another segment.

        Args:
            name: its label; "" for none.
            offers: labels that it may have instead.
        """
        self.ask("")
        self.say_wrong("")
        self._name = name
        if self.entry.text != name:  # or its placeholder would go
            self.entry.set(name)
        self.chips.show([("Often here", [(offer, "") for offer in offers])])
        self.pictures.clear()
        for fact in self._facts.values():
            fact.configure(text="–")

    def show(self, look: Look, frame_wh: tuple[int, int], what: str, is_new: bool) -> None:
        """Show the facts of a mask.

        Args:
            what: the frame is: "photo", "frame".
        """
        state = look.state
        changed = state.can_undo
        title = "New segment" if is_new else "Segment: edited by you" if changed else "Segment"
        self._title.configure(text=title)
        for name, text in zip(_FACTS, facts(state, frame_wh, what), strict=True):
            self._facts[name].configure(text=text)

    def allow_keep(self, why_not: str, is_keeping: bool) -> None:
        self.keep.set_text("Saving…" if is_keeping else "Keep")
        self.keep.set_enabled(not why_not and not is_keeping)
        ink = self.keep._ink if self.keep.enabled else self.theme.colours.hint
        self.keep._button.configure(image=_key_badge("Enter", ink))
        self._keep_tip.text = why_not

    def ask(self, question: str) -> None:
        """Ask what becomes of the changes, or no more."""
        self._question.configure(text=question)
        if question:
            self._question.pack(fill="x", padx=4, pady=(0, 8), before=self.keep)
            self.go_on.pack(fill="x")
        else:
            self._question.pack_forget()
            self.go_on.pack_forget()

    def say_wrong(self, sentence: str) -> None:
        """Say what can't be done, under the label."""
        self._wrong.configure(text=sentence)
        if sentence:
            self._wrong.pack(anchor="w", padx=24, pady=(4, 0), before=self._chips_row)
        else:
            self._wrong.pack_forget()


def facts(state: MaskState, frame_wh: tuple[int, int], what: str) -> list[str]:
    """Return what is said of a mask: area, size, change, points, strokes."""
    if state.bbox_xywh is None:
        area, size = "Nothing yet", "–"
    else:
        share = 100 * state.area / (frame_wh[0] * frame_wh[1])
        area = f"{state.area:,} px · {share:.3g} % of {what}"
        size = f"{state.bbox_xywh[2]:,} × {state.bbox_xywh[3]:,} px"
    change = [f"+{state.added:,} px"] * bool(state.added)
    change += [f"−{state.removed:,} px"] * bool(state.removed)
    points = [f"{state.points_inside} add"] * bool(state.points_inside)
    points += [f"{state.points_outside} take away"] * bool(state.points_outside)
    strokes = f"{state.strokes}" if state.strokes else "–"
    return [area, size, " · ".join(change) or "–", " · ".join(points) or "–", strokes]


@cache
def _badge_image(text: str, ink: str) -> Image.Image:
    font = ImageFont.truetype(str(_FONT), 12 * _TIMES)
    width, height = int(font.getlength(text)) + 16 * _TIMES, 20 * _TIMES
    image = Image.new("RGBA", (width, height), ink + "00")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), 4 * _TIMES, None, ink, _TIMES)
    draw.text((width / 2, height / 2), text, ink, font, anchor="mm")
    return image


def _key_badge(text: str, ink: str) -> ctk.CTkImage:
    """Return a key's name in a frame, for a button that it presses."""
    image = _badge_image(text, ink)
    return ctk.CTkImage(image, size=(image.width // _TIMES, image.height // _TIMES))
