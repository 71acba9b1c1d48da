"""Thumbnails over the points of the map that stand for their part of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageTk

from src.gui.core.thumbnails import Thumbnails
from src.gui.map.representatives import representatives
from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import RADIUS
from src.gui.widgets.hover_card import TAG
from src.records import SearchHit

if TYPE_CHECKING:
    from src.gui.map.map_canvas import MapCanvas

_THUMB, _CELL = 44, 72


class MapThumbs:
    """Chosen anew once the map stands still; moved with it until then."""

    def __init__(
        self,
        canvas: MapCanvas,
        thumbnails: Thumbnails,
        look_up: Callable[[Sequence[int], Callable[[], None]], None],
    ) -> None:
        """Show none.

        Args:
            look_up: finds the segments of points, by their places, and calls back.
        """
        self._canvas, self._thumbnails, self._look_up = canvas, thumbnails, look_up
        self._px = canvas.theme.px
        self.hits: dict[int, SearchHit] = {}  # the segments looked up so far, by place
        self._chosen: list[int] = []
        self._items: dict[int, int] = {}  # what is drawn of them
        self._stale: set[int] = set()  # hits whose tags may be others by now
        self._photos: list[ImageTk.PhotoImage] = []

    def start_again(self, same: bool) -> None:
        """Forget what was known of points that are replaced.

        Args:
            same: the new ones are of the same segments.
        """
        self._chosen = self._chosen if same else []
        self.hits = {place: self.hits[place] for place in self._chosen if place in self.hits}
        self._stale = set(self.hits)

    def choose(self, shown: np.ndarray) -> None:
        """Choose which points have one.

        Args:
            shown: (N,) bool, which of them may stand for others.
        """
        canvas, px = self._canvas, self._px
        self._chosen = representatives(
            canvas.points, shown, canvas.view, px(_CELL), px(_THUMB + RADIUS)
        )
        unknown = [p for p in self._chosen if p not in self.hits or p in self._stale]
        self._stale = set()
        if unknown:
            self._look_up(unknown, self.draw)
        self.draw()

    def draw(self) -> None:
        """Draw those whose pictures are here, and ask for the others."""
        canvas, side = self._canvas, self._px(_THUMB)
        canvas.delete("thumb")
        self._photos.clear()
        self._items.clear()
        known = [place for place in self._chosen if place in self.hits]
        self._thumbnails.want(
            canvas, [(self.hits[p].segment.crop_path, (side, side)) for p in known]
        )
        for place in known:
            picture = self._thumbnails.get(self.hits[place].segment.crop_path, (side, side))
            if picture is not None:
                photo = ImageTk.PhotoImage(self._rounded(picture, canvas.colours[place]))
                self._photos.append(photo)
                self._items[place] = canvas.create_image(0, 0, image=photo, tags="thumb")
        self.move()

    def move(self) -> None:
        """Put them where their points are now."""
        canvas, places = self._canvas, list(self._items)
        pixels = canvas.view.to_pixels(canvas.points[places])
        for place, (x, y) in zip(places, pixels, strict=True):
            canvas.coords(self._items[place], int(x), int(y))
        canvas.tag_raise("thumb")
        canvas.tag_raise(TAG)

    def at(self, pixels: np.ndarray, x: int, y: int) -> int | None:
        """Return the point whose thumbnail is at a place of the canvas.

        Args:
            pixels: (N, 2), where the points are on it.
        """
        half = self._px(_THUMB) / 2
        for place in reversed(self._chosen):
            if place in self.hits and (np.abs(pixels[place] - (x, y)) <= half).all():
                return place
        return None

    def _rounded(self, picture: Image.Image, colour: np.ndarray) -> Image.Image:
        """Round a thumbnail, with a ring in the colour of its point."""
        radius, size = self._px(RADIUS), picture.size
        image = picture.copy()
        ring = "#{:02x}{:02x}{:02x}".format(*colour)
        image.paste(ring, (0, 0), ring_mask(size, radius, 2 * self._canvas.theme.scale))
        image.putalpha(rounded_mask(size, radius))
        return image
