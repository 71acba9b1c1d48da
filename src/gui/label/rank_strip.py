"""How sure the ranking is, how many are likely left, and the button that accepts the best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw

from src.gui.theme.theme import RADIUS, SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.tooltip import Tooltip
from src.label_records import Label, LabelRanking

UNKNOWN = "–"
OFFERED = "Accept them all in one act (Ctrl Enter)"
NOT_OFFERED = "Not offered yet: the ranking is not sure enough. Answer some more."
_HEIGHT, _INSIDE, _LINE = 80, 16, 4


class Meter(DrawnCanvas):
    """A name with its value, a bar, and a line that explains it."""

    def __init__(self, master: Any, theme: Theme, name: str) -> None:
        super().__init__(master, bg=theme.colours.card, height=theme.px(52), width=1)
        self.theme, self._name = theme, name
        self.value, self._share = UNKNOWN, 0.0
        self.words: tuple[str, ...] = ("",)
        self.bind("<Configure>", lambda _: self.refresh())

    def show(self, value: str, share: float, *words: str) -> None:
        """Show a value.

        Args:
            share: how far its bar goes, 0 to 1.
            words: the line below it, the longest first; the first that fits is shown.
        """
        if (value, share, words) != (self.value, self._share, self.words):
            self.value, self._share, self.words = value, share, words
            self.refresh()

    def _draw(self) -> None:
        self.erase()
        px, c, width = self.theme.px, self.theme.colours, self.winfo_width()
        small, strong = (
            self.theme.canvas_font(self, SMALL),
            self.theme.canvas_font(self, SMALL, "medium"),
        )
        self.create_text(0, px(8), text=self._name, anchor="w", font=small, fill=c.text_2)
        self.create_text(width, px(8), text=self.value, anchor="e", font=strong, fill=c.text)
        self.put(0, px(24), self._bar(width, px(_LINE)))
        fitting = [words for words in self.words if small.measure(words) <= width]
        words = fitting[0] if fitting else shorten(self.words[-1], small, width, tail=0)
        self.create_text(0, px(44), text=words, anchor="w", font=small, fill=c.text_2)

    def _bar(self, width: int, height: int) -> Image.Image:
        times, c = 4, self.theme.colours
        image = Image.new("RGB", (max(1, width) * times, height * times), c.card)
        draw, radius = ImageDraw.Draw(image), height * times / 2
        draw.rounded_rectangle((0, 0, image.width - 1, image.height - 1), radius, c.hover)
        end = round(image.width * min(1.0, max(0.0, self._share)))
        if end >= image.height:
            draw.rounded_rectangle((0, 0, end - 1, image.height - 1), radius, c.accent)
        return image.resize((max(1, width), height), Image.Resampling.BOX)


class RankStrip(ctk.CTkFrame):
    """Two meters and a button, side by side at every width."""

    def __init__(self, master: Any, theme: Theme, on_accept: Callable[[], None]) -> None:
        c = theme.colours
        super().__init__(
            master,
            fg_color=c.card,
            corner_radius=RADIUS,
            border_width=1,
            border_color=c.border,
            height=_HEIGHT,
        )
        self.theme = theme
        self.pack_propagate(False)
        self.accept = Button(self, theme, "Accept top 0", on_accept, kind="main", width=136)
        self.accept.pack(side="right", padx=(8, _INSIDE - RING))
        self.why_not_offered = NOT_OFFERED
        self._tip = Tooltip(self.accept, theme, NOT_OFFERED)
        meters = ctk.CTkFrame(self, fg_color=c.card)
        meters.pack(side="left", fill="both", expand=True, padx=(_INSIDE, 8), pady=14)
        meters.grid_rowconfigure(0, weight=1)
        self.sure, self.left = (Meter(meters, theme, n) for n in ("How sure", "How many left"))
        for column, meter in enumerate((self.sure, self.left)):
            meters.grid_columnconfigure(column, weight=1, uniform="meters")
            gap = theme.px(16)
            meter.grid(row=0, column=column, sticky="ew", padx=(0, gap) if not column else (gap, 0))
        self.show(None, None, 0, 0)

    def show(
        self, ranking: LabelRanking | None, about: Label | None, acceptable: int, again_in: int
    ) -> None:
        """Show what a ranking says of itself.

        Args:
            acceptable: how many of the best may be accepted together now.
            again_in: after how many more answers it is ranked again.
        """
        right = None if ranking is None else ranking.held_back_right
        needed = 0 if ranking is None else _needed(ranking)
        if right is None:
            self.sure.show(UNKNOWN, 0.0, "Known after more answers, yes and no", "Needs answers")
        elif needed:
            wanted = f"Reject at least {needed}"
            self.sure.show(f"{right:.0%}", right, f"{wanted} to accept many at once", wanted)
        else:
            self.sure.show(
                f"{right:.0%}",
                right,
                f"{right:.0%} of held-back answers right",
                "of held-back answers",
                "of answers",
            )
        again = f"ranks again in {again_in}" if again_in else "ranking again…"
        left = None if ranking is None else ranking.likely_left
        has = 0 if about is None else about.segments + about.accepted_together
        if ranking is None or about is None:
            self.left.show(UNKNOWN, 0.0, "")
        elif left is None:
            self.left.show(UNKNOWN, 0.0, f"{has:,} labelled · {again}", again)
        else:
            share = has / (has + left) if has + left else 1.0
            seen = f"{has:,} of {has + left:,} labelled"
            self.left.show(f"{left:,}", share, f"{seen} · {again}", again)
        self.accept.set_text(f"Accept top {acceptable:,}" if acceptable else "Accept top")
        self.accept.set_enabled(bool(acceptable))
        self.why_not_offered = _why_not_offered(ranking)
        self._tip.text = OFFERED if acceptable else self.why_not_offered


def _needed(ranking: LabelRanking) -> int:
    """Return how many rejections it takes, while there are too few; else 0."""
    wanted = ranking.rejections_wanted
    return ranking.rejected + wanted if wanted else 0


def _why_not_offered(ranking: LabelRanking | None) -> str:
    if ranking is None or not (needed := _needed(ranking)):
        return NOT_OFFERED
    return f"To accept many at once, first reject at least {needed} that are not “{ranking.label}”."
