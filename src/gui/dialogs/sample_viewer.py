"""Images of a dataset with their masks and labels, to leaf through."""

from __future__ import annotations

import tkinter
from functools import partial

from PIL import Image

from src.counting import moment
from src.export_records import ExportSample
from src.gui.dialogs.sample_reader import SampleReader
from src.gui.theme.pictures import contain, rounded_mask
from src.gui.theme.theme import NORMAL, SMALL, TITLE, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import IconButton, label
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.split_bar import SPLIT_NAMES

_WIDE, _HIGH = 704, 528
_AROUND = 16
_ON_LABEL = "#161618"
_MOST_NAMED = 12
_MOST_ENLARGED = 3  # times


class SampleViewer:
    """A dialog over another one; arrows and the wheel go on and back."""

    def __init__(
        self,
        overlay: Overlay,
        title: str,
        reader: SampleReader,
        at: int = 0,
    ) -> None:
        """Open it.

        Args:
            at: which image is shown first.
        """
        self.overlay, self.theme, self._reader = overlay, overlay.theme, reader
        self._at = at
        theme, c = self.theme, self.theme.colours
        self._more_before = reader.on_more
        self._dialog = dialog = overlay.open(on_close=self._closed, on_sized=self._fit)
        head = ctk.CTkFrame(dialog, fg_color="transparent")
        head.grid(row=0, column=0, sticky="ew", padx=(32, 20), pady=(12, 8))
        label(head, theme, title, size=TITLE, weight="medium").pack(side="left")
        close = partial(overlay.close, dialog)
        IconButton(head, theme, "close", overlay.close_hint, close).pack(side="right")
        self.picture = _Picture(dialog, theme)
        self.picture.grid(row=1, column=0, padx=theme.px(32))
        foot = ctk.CTkFrame(dialog, fg_color="transparent")
        foot.grid(row=2, column=0, sticky="ew", padx=(32, 28), pady=(8, 12))
        self.next = IconButton(foot, theme, "right", "Next (→)", partial(self.go, 1), kind="plain")
        self.next.pack(side="right")
        self.previous = IconButton(
            foot, theme, "left", "Previous (←)", partial(self.go, -1), kind="plain"
        )
        self.previous.pack(side="right")
        self._place = label(foot, theme, "", colour=c.text_2)
        self._place.pack(side="right", padx=12)
        words = ctk.CTkFrame(foot, fg_color="transparent")
        words.pack(side="left")
        self._name = label(words, theme, "", weight="medium")
        self._name.pack(anchor="w")
        self._facts = label(words, theme, "", size=SMALL, colour=c.text_2)
        self._facts.pack(anchor="w", pady=(2, 0))
        for widget in (dialog, self.picture):
            for event, step in (
                ("<Left>", -1),
                ("<Right>", 1),
                ("<Button-4>", -1),
                ("<Button-5>", 1),
            ):
                tkinter.Misc.bind(widget, event, partial(self._go_by, step))
            tkinter.Misc.bind(
                widget, "<MouseWheel>", lambda e: self._go_by(-1 if e.delta > 0 else 1, e)
            )
        self.picture.after_idle(self.picture.focus_set)
        reader.on_more = self._show
        self._show()

    def go(self, step: int) -> None:
        """Show the next image (1) or the previous one (-1), once it has been read."""
        at, there = self._at + step, len(self._reader.samples)
        if 0 <= at < there or (at == there and not self._reader.is_done):
            self._at = at
            self._show()

    def _go_by(self, step: int, _event: object) -> str:
        self.go(step)
        return "break"

    def _fit(self) -> None:
        """Give the picture what the window has left."""
        if not self.overlay.holds(self._dialog):
            return
        px = self.theme.px
        others = self._dialog.winfo_reqheight() - self.picture.winfo_reqheight()
        room = self.overlay.root.winfo_height() - 2 * px(_AROUND) - others
        self.picture.configure(height=max(px(120), min(px(_HIGH), room)))

    def _show(self) -> None:
        """Show where we are; the image that is shown stays when others come."""
        if not self.overlay.holds(self._dialog):
            return
        samples, reader = self._reader.samples, self._reader
        if samples and reader.is_done:  # the one that was waited for may not have come
            self._at = min(self._at, len(samples) - 1)
        self.previous.set_enabled(self._at > 0)
        self.next.set_enabled(self._at + 1 < len(samples))
        if self._at >= len(samples):
            self.picture.show(None, "No image can be read." if reader.is_done else "Reading…")
            self._name.configure(text="")
            self._facts.configure(text="")
            self._place.configure(text="")
            return
        sample = samples[self._at]
        of = f"{len(samples)}" if reader.is_done else f"{len(samples)}…"
        self._place.configure(text=f"{self._at + 1} of {of}")
        font = self.theme.canvas_font(self._dialog, NORMAL)
        room = self.theme.px(_WIDE - 210)
        self._name.configure(text=shorten(title_of(sample), font, room))
        small = self.theme.canvas_font(self._dialog, SMALL)
        self._facts.configure(text=shorten(facts_of(sample), small, room, tail=0))
        self.picture.show(sample)

    def _closed(self) -> None:
        self._reader.on_more = self._more_before


class _Picture(DrawnCanvas):
    """One image as large as there is room, with its labels on their boxes."""

    def __init__(self, master: tkinter.Misc, theme: Theme) -> None:
        px = theme.px
        super().__init__(
            master, bg=theme.colours.sidebar, width=px(_WIDE), height=px(_HIGH), takefocus=1
        )
        self.theme = theme
        self._sample: ExportSample | None = None
        self._text = ""
        self.bind("<Configure>", lambda _: self.refresh())

    def show(self, sample: ExportSample | None, text: str = "") -> None:
        """Show an image, or a text where there is none."""
        if sample is not self._sample or text != self._text:
            self._sample, self._text = sample, text
            self.refresh()

    def _draw(self) -> None:
        self.erase()
        width, height = self.winfo_width(), self.winfo_height()
        if self._sample is None or width <= 1:
            self.create_text(
                width // 2,
                height // 2,
                text=self._text,
                fill=self.theme.colours.text_2,
                font=self.theme.canvas_font(self, NORMAL),
            )
            return
        high, wide = self._sample.image_rgb.shape[:2]
        most = round(_MOST_ENLARGED * self.theme.scale)
        room = min(width, wide * most), min(height, high * most)
        image = contain(self._sample.image_rgb, room)
        rounded = Image.new("RGB", image.size, self.theme.colours.sidebar)
        rounded.paste(image, (0, 0), rounded_mask(image.size, self.theme.px(8)))
        left, top = (width - image.width) // 2, (height - image.height) // 2
        self.put(left, top, rounded)
        scale = image.width / self._sample.image_rgb.shape[1]
        self._draw_labels(self._sample, (left, top), scale, image.size)

    def _draw_labels(
        self,
        sample: ExportSample,
        place: tuple[int, int],
        scale: float,
        size_wh: tuple[int, int],
    ) -> None:
        """Write each label at its box; one that would cover another is left out."""
        px = self.theme.px
        font = self.theme.canvas_font(self, SMALL)
        high = px(18)
        taken: list[tuple[int, int, int, int]] = []
        for each in sample.labels:
            if each.bbox_xywh is None:
                continue
            text = shorten(each.name, font, px(140))
            wide = font.measure(text) + px(10)
            x = min(round(each.bbox_xywh[0] * scale), size_wh[0] - wide)
            y = min(max(0, round(each.bbox_xywh[1] * scale)), size_wh[1] - high)
            box = (max(0, x), y, max(0, x) + wide, y + high)
            if any(_overlap(box, other) for other in taken):
                continue
            taken.append(box)
            shifted = (place[0] + box[0], place[1] + box[1], place[0] + box[2], place[1] + box[3])
            self.create_rectangle(*shifted, fill=each.colour, outline="")
            self.create_text(
                shifted[0] + px(5),
                (shifted[1] + shifted[3]) // 2,
                text=text,
                anchor="w",
                fill=_ON_LABEL,
                font=font,
            )


def title_of(sample: ExportSample) -> str:
    """Name an image by its file, and its moment in a video."""
    if sample.timestamp_s is None:
        return sample.media
    return f"{sample.media} · {moment(sample.timestamp_s)}"


def facts_of(sample: ExportSample) -> str:
    """Write what there is to know of an image: its size, its side, and its labels."""
    names = list(dict.fromkeys(each.name for each in sample.labels))
    shown = ", ".join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")
    parts = [
        f"{sample.size_wh[0]} × {sample.size_wh[1]}",
        SPLIT_NAMES[sample.split] if sample.split is not None else "",
        shown or "no labels",
    ]
    return " · ".join(part for part in parts if part)


def _overlap(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return not (
        box[2] <= other[0] or other[2] <= box[0] or box[3] <= other[1] or other[3] <= box[1]
    )
