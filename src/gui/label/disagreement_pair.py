"""One disagreement, large: the crop, or both of them, and what is said of each."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageTk

from src.errors import MediaReadError
from src.gui.core.session import Session
from src.gui.label.disagreement_list import words_of
from src.gui.theme.pictures import contain, rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, SMALL, Theme, shorten
from src.label_records import Disagreement

_GAP, _HEAD, _CAPTION = 16, 40, 44
_LARGEST = 480  # a crop is not blown up beyond that, in pixels of the design


def sentence_about(each: Disagreement) -> str:
    """Write what disagrees."""
    if each.kind == "overlap":
        return f"Two segments that are mostly the same ({each.confidence:.0%}) differ."
    sure = f"A model is {each.confidence:.0%} sure that this is “{each.other_label}”."
    return f"{sure} You said that it is not." if each.is_removed else sure


class DisagreementPair(tkinter.Canvas):
    """A click on a crop opens its segment."""

    def __init__(
        self, master: Any, theme: Theme, session: Session, on_open: Callable[[str], object]
    ) -> None:
        super().__init__(master, bg=theme.colours.window, highlightthickness=0, bd=0, height=1)
        self.theme, self._session, self._on_open = theme, session, on_open
        self.about: Disagreement | None = None
        self.sentence = ""
        self._images: list[np.ndarray | None] = []
        self._photos: list[ImageTk.PhotoImage] = []
        self._boxes: list[tuple[tuple[int, int, int, int], str]] = []
        self._asked = 0
        self.bind("<Configure>", lambda _: self._draw())
        self.bind("<Motion>", self._moved)
        self.bind("<ButtonRelease-1>", self._clicked)

    def say(self, sentence: str) -> None:
        """Show a sentence in place of a disagreement."""
        self._asked += 1
        self.about, self.sentence, self._images = None, sentence, []
        self._draw()

    def show(self, about: Disagreement, crops: Mapping[str, Path]) -> None:
        """Show a disagreement, its crops as soon as they are read.

        Args:
            crops: their files, by the segments' ids.
        """
        if about == self.about:
            return
        self._asked += 1
        asked, browse = self._asked, self._session.library.browse
        paths = [crops.get(key) for key in _ids(about)]

        def read() -> list[np.ndarray | None]:
            return [_read(browse.read_image, path) for path in paths]

        def done(images: list[np.ndarray | None]) -> None:
            if asked == self._asked:
                self.about, self.sentence, self._images = about, sentence_about(about), images
                self._draw()

        self._session.main_thread.run(read, done)

    # -- drawing

    def _draw(self) -> None:
        self.delete("all")
        self._photos.clear()
        self._boxes.clear()
        px, c, about = self.theme.px, self.theme.colours, self.about
        width, height = self.winfo_width(), self.winfo_height()
        if width < 20 or height < 20:
            return
        font = self.theme.canvas_font(self, NORMAL)
        if about is None:
            self.create_text(
                width // 2,
                round(height * 0.42),
                text=self.sentence,
                width=min(px(420), width - px(48)),
                justify="center",
                font=font,
                fill=c.text_2,
            )
            return
        medium = self.theme.canvas_font(self, NORMAL, "medium")
        self.create_text(
            0, px(12), text=self.sentence, anchor="w", font=medium, fill=c.text, width=width
        )
        count, gap = len(self._images), px(_GAP)
        wide = min(px(_LARGEST), (width - gap * (count - 1)) // count)
        high = max(px(40), min(px(_LARGEST), height - px(_HEAD + _CAPTION)))
        crops = [self._crop(image, (wide, high)) for image in self._images]
        below = px(_HEAD) + max(crop.height for crop in crops)
        for place, (crop, key) in enumerate(zip(crops, _ids(about), strict=True)):
            left = place * (wide + gap)
            self._put(crop, key, left, px(_HEAD))
            self._draw_words(about, place, left, below, wide)

    def _crop(self, image_rgb: np.ndarray | None, size_wh: tuple[int, int]) -> Image.Image:
        """Return a crop as large as it fits, or a plain ground where it is gone."""
        if image_rgb is None:
            image = Image.new("RGB", size_wh, self.theme.colours.card)
        else:
            image = contain(image_rgb, size_wh)
        image.putalpha(rounded_mask(image.size, self.theme.px(RADIUS)))
        return image

    def _put(self, image: Image.Image, key: str, left: int, top: int) -> None:
        photo = ImageTk.PhotoImage(image)
        self._photos.append(photo)
        self.create_image(left, top, image=photo, anchor="nw")
        self._boxes.append(((left, top, image.width, image.height), key))

    def _draw_words(self, about: Disagreement, place: int, left: int, top: int, wide: int) -> None:
        """Write who says what, below a crop."""
        px, c = self.theme.px, self.theme.colours
        mine, other = words_of(about)
        says: Sequence[tuple[str, str]]
        if about.kind == "model":
            says = [("You", mine), ("Model", other)]
        else:
            says = [("This segment", mine)] if place == 0 else [("The other segment", other)]
        small, font = self.theme.canvas_font(self, SMALL), self.theme.canvas_font(self, NORMAL)
        middle = top + px(14)
        for who, what in says:
            self.create_text(left, middle, text=who, anchor="w", font=small, fill=c.text_2)
            x = left + px(64 if about.kind == "model" else 112)
            text = shorten(what, font, max(px(40), left + wide - x), tail=4)
            self.create_text(x, middle, text=text, anchor="w", font=font, fill=c.text)
            middle += px(22)

    # -- pointer

    def _at(self, x: int, y: int) -> str | None:
        for (left, top, width, height), key in self._boxes:
            if left <= x < left + width and top <= y < top + height:
                return key
        return None

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self.configure(cursor="hand2" if self._at(event.x, event.y) is not None else "")

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if (key := self._at(event.x, event.y)) is not None:
            self._on_open(key)


def _ids(about: Disagreement) -> list[str]:
    """List the segments that a disagreement is about."""
    other = about.other_segment_id
    return [about.segment_id] if other is None else [about.segment_id, other]


def _read(read: Callable[[Path], np.ndarray], path: Path | None) -> np.ndarray | None:
    """Read a crop; None where it is gone."""
    try:
        return None if path is None else read(path)
    except MediaReadError:
        return None
