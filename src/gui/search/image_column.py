"""The image of a search by image, beside the hits: dropped, chosen or pasted, and a part of it."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.errors import MediaReadError, is_of_a_person
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
from src.gui.search.image_query import ImageQuery
from src.gui.theme.pictures import contain
from src.gui.theme.theme import LEFT, SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, IconButton, icon_label, label
from src.gui.widgets.drop_zone import DropZone
from src.records import BoxXywh
from src.search.query import Image, ImageFile

WIDTH = 384
_SHARE = 0.38  # of the panel, where that is narrow
_SIDE = 2048  # what is shown of a larger image


@dataclass(frozen=True)
class ImageColumnActions:
    """What the column asks of its owner.

    Attributes:
        choose: asks for an image file.
        paste: searches for the image on the clipboard.
        use: searches for an image, or for a part of it; None once it was removed.
        refuse: says why an image can't be opened.
    """

    choose: Callable[[], None]
    paste: Callable[[], None]
    use: Callable[[Image | ImageFile | None], None]
    refuse: Callable[[str], None]


@dataclass(frozen=True)
class _Shown:
    """An image as it is shown.

    Attributes:
        source: its file, or its pixels where it is in none.
        image_rgb: (H, W, 3) uint8.
        scale: pixels of the source for one of `image_rgb`.
        is_frame: it is the first frame of a video.
    """

    source: Path | np.ndarray
    image_rgb: np.ndarray
    scale: float = 1.0
    is_frame: bool = False


class ImageColumn(ctk.CTkFrame):
    """A place to drop an image, or the image with what can be done with it."""

    def __init__(
        self, master: Any, theme: Theme, session: Session, actions: ImageColumnActions
    ) -> None:
        # wider than what is seen, since focus rings need space
        super().__init__(master, fg_color="transparent", width=WIDTH + 2 * RING)
        self.theme, self._session, self._actions = theme, session, actions
        self._shown: _Shown | None = None
        self._asked = 0
        self.pack_propagate(False)
        # when an image opens the column, it gets its size only after the image
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit_query(), "+")
        tkinter.Misc.bind(master, "<Configure>", lambda event: self._resized(event.width), "+")
        self._build_zone()
        self._build_query()
        self._zone.pack(fill="both", expand=True, padx=RING)

    def stand_beside(self, hits: Any) -> None:
        """Show it at the left of the hits."""
        self.pack(side="left", fill="y", padx=(LEFT - RING, 0), pady=(8, 20), before=hits)

    # -- building

    def _build_zone(self) -> None:
        theme, c = self.theme, self.theme.colours
        self._zone = DropZone(self, theme)
        middle = ctk.CTkFrame(self._zone, fg_color=c.drop_zone)
        middle.place(relx=0.5, rely=0.5, anchor="center")
        icon_label(middle, "download", c.text_2, 24).pack(pady=(0, 16))
        label(middle, theme, "Drop an image here").pack(pady=(0, 4))
        label(
            middle, theme, "Then drag on it to search by one part only", size=SMALL, colour=c.text_2
        ).pack(pady=(0, 16))
        row = ctk.CTkFrame(middle, fg_color="transparent")
        row.pack()
        choose = self._actions.choose
        Button(row, theme, "Choose image", choose, icon_name="folder").pack(side="left")
        Button(row, theme, "Paste", self._actions.paste).pack(side="left")

    def _build_query(self) -> None:
        theme, c = self.theme, self.theme.colours
        self._query = ctk.CTkFrame(self, fg_color="transparent")
        card = ctk.CTkFrame(
            self._query, fg_color=c.card, corner_radius=12, border_width=1, border_color=c.border
        )
        card.pack(fill="x", padx=RING)
        facts = ctk.CTkFrame(card, fg_color="transparent", height=32)
        facts.pack(side="bottom", fill="x", padx=(16, 8), pady=(4, 8))
        facts.pack_propagate(False)  # no jump when the button appears
        self._facts = label(facts, theme, "", size=SMALL, colour=c.text_2)
        self._facts.pack(side="left")
        self._whole = Button(
            facts, theme, "Use whole image", self._use_whole, kind="link", height=24
        )
        self.query = ImageQuery(card, theme, self._marked)
        self.query.pack(fill="x", padx=theme.px(16), pady=(theme.px(16), theme.px(4)))
        row = ctk.CTkFrame(self._query, fg_color="transparent")
        row.pack(fill="x", pady=(12, 0))
        choose = self._actions.choose
        Button(row, theme, "Choose image", choose, icon_name="folder", width=120).pack(
            side="left", fill="x", expand=True
        )
        Button(row, theme, "Paste", self._actions.paste, icon_name="paste", width=80).pack(
            side="left", fill="x", expand=True
        )
        IconButton(
            row,
            theme,
            "close",
            "Remove the image",
            lambda: self._actions.use(None),
            kind="plain",
            side=40,
        ).pack(side="left")
        self.button = Button(
            self._query, theme, "Search this part", self._use_part, icon_name="search"
        )

    # -- the image

    def use_file(self, path: Path) -> None:
        """Read an image file, or the first frame of a video, and search for it."""
        self._read(path, path.name, lambda _: self._actions.use(ImageFile(path)))

    def use_pasted(self, content: bytes) -> None:
        """Read an image file's bytes and search for it."""
        self._read(content, "Pasted image", lambda shown: self._actions.use(Image(shown.image_rgb)))

    def follow(self, term: Image | ImageFile | None) -> None:
        """Show the image that is searched for now, with the part that is; None for none."""
        source = _source_of(term)
        if term is None or source is None:
            self._show(None)
        elif self._shown is not None and _is_same(self._shown.source, source):
            self._mark(term.box_xywh)
        elif isinstance(term, Image):
            self._show(_Shown(term.image_rgb, term.image_rgb))
            self._mark(term.box_xywh)
        else:
            self._show(None)
            # why it can't be read is said in the place of hits
            self._read(term.path, "", lambda _: self._mark(term.box_xywh))

    def _read(self, source: Path | bytes, name: str, then: Callable[[_Shown], object]) -> None:
        """Read an image in another thread and show it.

        Args:
            name: what it is called where it can't be read; "" to say nothing then.
        """
        browse = self._session.library.browse
        self._asked += 1
        asked = self._asked

        def read() -> _Shown:
            if isinstance(source, bytes):
                image_rgb = browse.read_image(source, _SIDE)
                return _Shown(image_rgb, image_rgb)
            is_frame = browse.media_kind(source) == "video"
            return _shrunk(source, browse.read_image(source), is_frame)

        def use(shown: _Shown) -> None:
            if asked == self._asked:  # no later image was chosen, and none removed
                self._show(shown)
                then(shown)

        def failed(exc: Exception) -> None:
            if not is_of_a_person(exc):
                raise exc
            if asked == self._asked and name:
                reason = exc.reason if isinstance(exc, MediaReadError) else str(exc)
                self._actions.refuse(f"{name} can't be opened.\n{as_sentence(reason)}")

        self._session.main_thread.run(read, use, failed)

    def _show(self, shown: _Shown | None) -> None:
        self._asked += 1
        if shown is None and self._shown is None:
            return
        self._shown = shown
        if shown is None:
            self._query.pack_forget()
            self._zone.pack(fill="both", expand=True, padx=RING)
            self.query.show(None)
            return
        self._zone.pack_forget()
        self._query.pack(fill="both", expand=True)
        self.query.show(shown.image_rgb)
        self._fit_query()

    # -- a part of it

    def _mark(self, box_xywh: BoxXywh | None) -> None:
        """Mark the part that is searched for, in pixels of the source."""
        if self._shown is None or box_xywh == self._part:
            return
        if box_xywh is None:
            self.query.mark(None)
            return
        x, y, w, h = (value / self._shown.scale for value in box_xywh)
        self.query.mark((x, y, x + w, y + h))

    @property
    def _part(self) -> BoxXywh | None:
        """The marked part in pixels of the source."""
        part = self.query.part
        if part is None or self._shown is None:
            return None
        x, y, w, h = (round(value * self._shown.scale) for value in part)
        return x, y, w, h

    def _use_part(self) -> None:
        if self._shown is not None:
            source, part = self._shown.source, self._part
            if isinstance(source, Path):
                self._actions.use(ImageFile(source, part))
            else:
                self._actions.use(Image(source, part))

    def _use_whole(self) -> None:
        self.query.mark(None)
        self._use_part()

    def _marked(self) -> None:
        part, shown = self._part, self._shown
        if shown is None:
            return
        if part is None:
            height, width = (round(side * shown.scale) for side in shown.image_rgb.shape[:2])
            what = "First frame of the video · " if shown.is_frame else ""
            self._facts.configure(text=f"{what}{width} × {height}")
            self._whole.pack_forget()
            self.button.pack_forget()
            return
        self._facts.configure(text=f"Part {part[2]} × {part[3]}")
        if not self._whole.winfo_manager():
            # before the words, so that it is never the button that does not fit
            self._whole.pack(side="right", before=self._facts)
            self.button.pack(fill="x")

    # -- sizes

    def _resized(self, width: int) -> None:
        self.configure(width=min(WIDTH + 2 * RING, round(width / self.theme.scale * _SHARE)))

    def _fit_query(self) -> None:
        """Make it as high as the image at this width, but leave the buttons on the screen."""
        image = self.query.image_rgb
        if image is not None:
            px = self.theme.px
            width = max(1, self.winfo_width() - px(32 + 2 * RING))
            high = round(image.shape[0] * width / image.shape[1])
            self.query.configure(height=min(high, max(px(96), self.winfo_height() - px(176))))


def _source_of(term: Image | ImageFile | None) -> Path | np.ndarray | None:
    return term.image_rgb if isinstance(term, Image) else None if term is None else term.path


def _is_same(one: Path | np.ndarray, other: Path | np.ndarray) -> bool:
    if isinstance(one, Path) and isinstance(other, Path):
        return one == other
    return one is other


def _shrunk(path: Path, image_rgb: np.ndarray, is_frame: bool) -> _Shown:
    """Make an image small enough to be kept and drawn."""
    height, width = image_rgb.shape[:2]
    if max(height, width) <= _SIDE:
        return _Shown(path, image_rgb, 1.0, is_frame)
    small = np.asarray(contain(image_rgb, (_SIDE, _SIDE)))
    return _Shown(path, small, width / small.shape[1], is_frame)
