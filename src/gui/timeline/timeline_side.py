"""Beside the picture: the moment, what is chosen, how tracks are changed, and the range."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from src.gui.core.known_labels import KnownLabels
from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.theme import TITLE, Theme
from src.gui.theme.toolkit import ctk
from src.gui.timeline.range_part import RangeActions, RangePart
from src.gui.timeline.track_card import TrackCard
from src.gui.widgets.controls import RING, IconButton, label
from src.gui.widgets.label_entry import LabelEntry
from src.gui.widgets.tooltip import Tooltip

_APART = 12  # pixels of the design round the number of the frame
LEAST = 252  # so high it needs to be for the buttons of the range in two rows


@dataclass(frozen=True)
class SideActions:
    """What the side asks of its panel.

    Attributes:
        step: goes to the next frame, or with -1 to the one before.
        label: gives a label to what is chosen.
        leave: gives the keyboard back to the timeline.
    """

    step: Callable[[int], object]
    label: Callable[[str], object]
    leave: Callable[[], object]
    split: Callable[[], object]
    join: Callable[[], object]
    take_out: Callable[[], object]
    play: Callable[[], object]


@dataclass(frozen=True)
class Allowed:
    """Which changes of tracks can be made now."""

    label: bool = False
    split: bool = False
    join: bool = False
    take_out: bool = False


class TimelineSide(ctk.CTkFrame):
    """Its lower part stays at the foot."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        labels: KnownLabels,
        actions: SideActions,
        range_actions: RangeActions,
    ) -> None:
        super().__init__(master, fg_color="transparent")
        self.pack_propagate(False)
        self.theme, c = theme, theme.colours
        head = ctk.CTkFrame(self, fg_color="transparent", height=40)
        head.pack(fill="x", padx=(RING, 0))
        head.pack_propagate(False)
        # the buttons first: of what is said as much is seen as there is space for
        self.next = IconButton(
            head, theme, "right", "Next frame (Right)", partial(actions.step, 1), kind="plain"
        )
        self.next.pack(side="right")
        self.previous = IconButton(
            head, theme, "left", "Previous frame (Left)", partial(actions.step, -1), kind="plain"
        )
        self.previous.pack(side="right")
        self.play = IconButton(head, theme, "play", "Play (Space)", actions.play, kind="plain")
        self.play.pack(side="right")
        self._moment = label(head, theme, "", size=TITLE, weight="medium")
        self._moment.pack(side="left")
        self._place = label(head, theme, "", colour=c.text_2)
        self._place.pack(side="left", padx=_APART)
        self._frame = ""
        tkinter.Misc.bind(head, "<Configure>", lambda _: self._say_frame(), "+")
        self._card = ctk.CTkFrame(self, fg_color="transparent")
        self._card.pack(fill="x", padx=RING, pady=(8, 4))
        self.card = TrackCard(self._card, theme, thumbnails)
        self.card.pack(fill="x", expand=True)
        tools = ctk.CTkFrame(self, fg_color="transparent", height=40)
        tools.pack(fill="x", padx=(RING, 0))
        tools.pack_propagate(False)
        self.entry = LabelEntry(
            tools, theme, "Label it", labels.suggest, actions.label, actions.leave
        )
        self.entry.pack(side="left", fill="x", expand=True, padx=(0, 4), pady=4)
        self._tips: dict[str, Tooltip] = {}
        self.buttons = {
            name: IconButton(tools, theme, icon, tip, command, kind="plain")
            for name, icon, tip, command in (
                ("split", "split", "Split the track before this frame (S)", actions.split),
                (
                    "join",
                    "merge",
                    "Join the chosen tracks (J). Ctrl+click chooses more.",
                    actions.join,
                ),
                (
                    "take_out",
                    "minus",
                    "Take this frame's segment out of its track (Delete)",
                    actions.take_out,
                ),
            )
        }
        for button in self.buttons.values():
            button.pack(side="left")
        self.range = RangePart(self, theme, labels, range_actions)
        self.range.pack(side="bottom", fill="x")
        self.allow(Allowed())
        labels.only_to_give(self.entry, *self.buttons.values())

    def fit(self, height: int) -> None:
        """Fit into a height, in pixels of the design."""
        is_low = height < LEAST
        self.range.fit(is_low)
        self.card.fit(is_low)
        self._card.pack_configure(pady=(2, 2) if is_low else (8, 4))

    def show_playing(self, is_playing: bool) -> None:
        """Show what the button does now: play or pause."""
        self.play.set_icon("pause" if is_playing else "play")

    def offer_playing(self, offered: bool) -> None:
        self.play.set_enabled(offered)

    def show_moment(self, moment: str, place: str, is_first: bool, is_last: bool) -> None:
        self._moment.configure(text=moment)
        self._frame = place
        self._say_frame()
        self.previous.set_enabled(not is_first)
        self.next.set_enabled(not is_last)

    def _say_frame(self) -> None:
        """Say which frame it is, in as many words as there is space for."""
        head, font, scale = self._place.master, self._place.cget("font"), self.theme.scale
        # what a label takes is known only later
        moment = self._moment.cget("font").measure(self._moment.cget("text"))
        buttons = 3 * self.play.winfo_reqwidth() / scale
        room = head.winfo_width() / scale - buttons - moment - 3 * _APART
        texts = self._frame, self._frame.removeprefix("frame "), ""
        self._place.configure(text=next(t for t in texts if not t or font.measure(t) <= room))

    def allow(self, allowed: Allowed) -> None:
        """Offer only what can be done now."""
        self.entry.set_enabled(allowed.label)
        self.buttons["split"].set_enabled(allowed.split)
        self.buttons["join"].set_enabled(allowed.join)
        self.buttons["take_out"].set_enabled(allowed.take_out)
