"""The map on the screen: points in one picture, thumbnails over them, and the line round some."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageTk

from src.gui.core.thumbnails import Thumbnails
from src.gui.map.colours import rgb, with_emphasis
from src.gui.map.map_thumbs import MapThumbs
from src.gui.map.representatives import nearest_point
from src.gui.theme.theme import Theme
from src.gui.widgets.hover_card import HoverCard
from src.gui.widgets.key_bindings import bind_key
from src.records import SearchHit
from src.search.map_picture import MapView, draw_map, enclosed

FARTHEST, CLOSEST = 0.8, 256.0  # scales
_STEP = 1.25  # of the wheel and of + and -
_ARROW = 60  # pixels that an arrow key moves it by
_DRAG = 4  # from so many pixels on it is no click
_REACH = 9  # so near to a point the pointer is at it
# Thumbnails are chosen, and what is under the pointer shown, once the map or it stands still.
_REST_MS, _HOVER_MS = 120, 150


@dataclass(frozen=True)
class MapActions:
    """What the map asks of its panel.

    Attributes:
        open: shows the point at a place.
        selected: hears that other points are selected.
        zoomed: hears the new scale.
        look_up: finds the segments of points, by their places, and calls back.
        enter: what the Enter key does.
    """

    open: Callable[[int], None]
    selected: Callable[[], None]
    zoomed: Callable[[float], None]
    look_up: Callable[[Sequence[int], Callable[[], None]], None]
    enter: Callable[[], None]


class MapCanvas(tkinter.Canvas):
    """Moved by dragging with Space or another button, zoomed by the wheel; a drag selects."""

    def __init__(
        self, master: Any, theme: Theme, thumbnails: Thumbnails, actions: MapActions
    ) -> None:
        c = theme.colours
        super().__init__(
            master,
            bg=c.window,
            highlightthickness=0,
            bd=0,
            takefocus=1,
            cursor="crosshair",
        )
        self.theme, self._actions = theme, actions
        self._ground, self._fill = rgb(c.window), rgb(c.selection)
        self.view = MapView((1, 1))
        self.points = np.empty((0, 2), np.float32)
        self.colours = np.empty((0, 3), np.uint8)
        self._shown = np.empty(0, bool)
        self.selection = np.empty(0, bool)
        self._drawn = self.points, self.colours  # as they are painted, the last on top
        self._photo: ImageTk.PhotoImage | None = None
        self._picture = self.create_image(0, 0, anchor="nw")
        self._lines: list[np.ndarray] = []  # round what is selected, in points of the map
        self._line: list[tuple[int, int]] = []  # that is being drawn, in pixels
        self._adds = self._pans = self._dragged = self._space = False
        self._pressed: tuple[int, int] | None = None
        self.thumbs = MapThumbs(self, thumbnails, actions.look_up)
        self._hovered: int | None = None
        self._card = HoverCard(self, theme, thumbnails)
        self._draw_waits = False
        self._waits: dict[str, str] = {}  # what is done after a rest
        self._bind_all_keys()

    def _bind_all_keys(self) -> None:
        self.bind("<Configure>", lambda e: self._resized(e.width, e.height))
        self.bind("<ButtonPress-1>", self._press)
        self.bind("<B1-Motion>", self._drag)
        self.bind("<ButtonRelease-1>", self._release)
        for button in (2, 3):
            self.bind(f"<ButtonPress-{button}>", partial(self._press, pans=True))
            self.bind(f"<B{button}-Motion>", self._drag)
            self.bind(f"<ButtonRelease-{button}>", self._release)
        self.bind("<Button-4>", lambda e: self.zoom(_STEP, (e.x, e.y)))
        self.bind("<Button-5>", lambda e: self.zoom(1 / _STEP, (e.x, e.y)))
        self.bind("<MouseWheel>", lambda e: self.zoom(_STEP ** np.sign(e.delta), (e.x, e.y)))
        self.bind("<Motion>", lambda e: self._later("hover", _HOVER_MS, self._hover, e.x, e.y))
        self.bind("<Leave>", lambda _: self._unhover())
        for key, by in (
            ("Left", (_ARROW, 0)),
            ("Right", (-_ARROW, 0)),
            ("Up", (0, _ARROW)),
            ("Down", (0, -_ARROW)),
        ):
            bind_key(self.bind, f"<{key}>", lambda _, by=by: self._move(*map(self.theme.px, by)))  # type: ignore[misc]
        for key, factor in (
            ("plus", _STEP),
            ("equal", _STEP),
            ("KP_Add", _STEP),
            ("minus", 1 / _STEP),
            ("KP_Subtract", 1 / _STEP),
        ):
            bind_key(self.bind, f"<{key}>", lambda _, factor=factor: self.zoom(factor))  # type: ignore[misc]
        for key in ("0", "Home"):
            bind_key(self.bind, f"<{key}>", lambda _: self.fit())
        for key in ("Return", "KP_Enter"):
            bind_key(self.bind, f"<{key}>", lambda _: self._actions.enter())
        bind_key(self.bind, "<Control-a>", lambda _: self.select(self._shown.copy()))
        bind_key(self.bind, "<KeyPress-space>", lambda _: self._hold_space())
        # a key that is held is released and pressed again and again
        self.bind("<KeyRelease-space>", lambda _: self._later("space", 80, self._leave_space))

    # -- what is shown

    @property
    def hits(self) -> dict[int, SearchHit]:
        """The segments that have been looked up, by the places of their points."""
        return self.thumbs.hits

    def show(self, points: np.ndarray, selection: np.ndarray, same: bool = False) -> None:
        """Show other points, of which some are selected; `paint` follows.

        Args:
            same: they are of the segments that are shown already.
        """
        self.points, self.selection = points, selection
        self.colours = np.zeros((len(points), 3), np.uint8)
        self._shown = np.ones(len(points), bool)
        self.thumbs.start_again(same)
        if not selection.any():
            self._lines = []
        self._unhover()

    def paint(self, colours: np.ndarray, shown: np.ndarray) -> None:
        """Paint the points.

        Args:
            colours: (N, 3) uint8 RGB.
            shown: (N,) bool; the others are faint.
        """
        self.colours, self._shown = colours, shown
        self._restyle()

    def select(self, selection: np.ndarray, lines: Sequence[np.ndarray] = ()) -> None:
        """Select points, with lines round them."""
        self.selection, self._lines = selection, list(lines)
        self._restyle()
        self._actions.selected()

    def clear(self) -> bool:
        """Select nothing; returns whether anything was."""
        was = bool(self.selection.any() or self._lines or self._line)
        self._line = []
        if was:
            self.select(np.zeros(len(self.points), bool))
        return was

    def refresh_thumbnails(self) -> None:
        """Show thumbnails that have been loaded."""
        self.thumbs.draw()
        if self._hovered is not None:
            self._draw_hover(self._hovered)

    def _restyle(self) -> None:
        colours, order = with_emphasis(self.colours, self._shown, self.selection, self._ground)
        self._drawn = self.points[order], colours[order]
        self._look()

    # -- moving about

    def fit(self) -> None:
        """Show the whole map."""
        self._go(MapView(self.view.size_wh, scale=0.94))

    def zoom(self, factor: float, at: tuple[int, int] | None = None) -> None:
        """Enlarge it about a pixel, or its middle."""
        width, height = self.view.size_wh
        factor = min(max(factor, FARTHEST / self.view.scale), CLOSEST / self.view.scale)
        self._go(self.view.zoomed(factor, at or (width // 2, height // 2)))

    def _move(self, x: float, y: float) -> None:
        self._go(self.view.moved((x, y)))

    def _go(self, view: MapView) -> None:
        zoomed, self.view = view.scale != self.view.scale, view
        self._unhover()
        if zoomed:
            self._actions.zoomed(view.scale)
        self._look()

    def _resized(self, width: int, height: int) -> None:
        first = self.view.size_wh == (1, 1)
        self.view = replace(self.view, size_wh=(max(1, width), max(1, height)))
        if first:
            self.fit()
        self._look()

    # -- drawing

    def _look(self) -> None:
        """Draw at the next free moment, however often it is asked for until then."""
        if not self._draw_waits:
            self._draw_waits = True
            self.after_idle(self._draw)
        self._later("thumbs", _REST_MS, self._choose_thumbs)

    def _draw(self) -> None:
        self._draw_waits = False
        rows = draw_map(*self._drawn, self.view, self._ground, self._area())
        image = Image.fromarray(rows)
        if self._photo is None or (self._photo.width(), self._photo.height()) != image.size:
            self._photo = ImageTk.PhotoImage(image)
            self.itemconfigure(self._picture, image=self._photo)
        else:
            self._photo.paste(image)
        self.delete("line")
        for line in self._lines:
            self._draw_line(self.view.to_pixels(line.astype(np.float32)).tolist(), closed=True)
        self.thumbs.move()

    def _area(self) -> tuple[np.ndarray, tuple[int, int, int]] | None:
        """Return what the lines enclose, with its colour."""
        if not self._lines:
            return None
        mask = Image.new("1", self.view.size_wh)
        for line in self._lines:
            corners = self.view.to_pixels(line.astype(np.float32))
            ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in corners], 1)
        return np.asarray(mask), self._fill

    def _draw_line(self, pixels: Sequence[Sequence[float]], closed: bool) -> None:
        if len(pixels) > 1:
            corners = [*pixels, pixels[0]] if closed else pixels
            self.create_line(
                *(value for corner in corners for value in corner),
                fill=self.theme.colours.accent,
                width=max(1, self.theme.px(2)),
                joinstyle="round",
                tags="line",
            )

    # -- what the pointer is at

    def _choose_thumbs(self) -> None:
        self.thumbs.choose(self._shown & self.selection if self.selection.any() else self._shown)

    def _at(self, x: int, y: int) -> int | None:
        """Return the point, or the thumbnail of one, that the pointer is at."""
        pixels = self.view.to_pixels(self.points)
        thumb = self.thumbs.at(pixels, x, y)
        if thumb is not None:
            return thumb
        return nearest_point(pixels, self._shown, x, y, self.theme.px(_REACH))

    def _hover(self, x: int, y: int) -> None:
        place = self._at(x, y)
        if place == self._hovered:
            return
        self._unhover()
        self._hovered = place
        if place is None:
            return
        self.configure(cursor="hand2")
        if place in self.hits:
            self._draw_hover(place)
        else:
            self._actions.look_up([place], partial(self._looked_up, place))

    def _looked_up(self, place: int) -> None:
        if place == self._hovered:
            self._draw_hover(place)

    def _draw_hover(self, place: int) -> None:
        if place in self.hits:
            x, y = self.view.to_pixels(self.points[[place]])[0]
            hit = self.hits[place]
            tags = ", ".join(tag.name for tag in hit.tags) or "no tags"
            words = hit.segment.media_path.name, tags
            self._card.show(hit.segment.crop_path, words, int(x), int(y))

    def _unhover(self) -> None:
        self._forget("hover")
        if self._hovered is not None:
            self._hovered = None
            self.configure(cursor="fleur" if self._space else "crosshair")
            self._card.hide()

    # -- the pointer's buttons

    def _press(self, event: tkinter.Event[tkinter.Misc], pans: bool = False) -> None:
        self.focus_set()
        self._unhover()
        self._pans = pans or self._space
        self._adds = bool(int(event.state) & 1)  # Shift
        self._pressed, self._dragged = (event.x, event.y), False
        self._line = [(event.x, event.y)]

    def _drag(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if self._pressed is None:
            return
        x, y = self._pressed
        if not self._dragged and max(abs(event.x - x), abs(event.y - y)) < self.theme.px(_DRAG):
            return
        self._dragged = True
        if self._pans:
            self.configure(cursor="fleur")
            self._pressed = event.x, event.y
            self._move(event.x - x, event.y - y)
        elif self._line and (event.x, event.y) != self._line[-1]:
            self._line.append((event.x, event.y))
            self._draw_line(self._line[-2:], closed=False)

    def _release(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if self._pressed is None:
            return
        self._pressed = None
        self.configure(cursor="fleur" if self._space else "crosshair")
        if self._dragged and not self._pans:
            self._enclose()
        elif not self._dragged and not self._pans:
            place = self._at(event.x, event.y)
            if place is not None:
                self._actions.open(place)

    def _enclose(self) -> None:
        """Select what the line that was drawn encloses, with what is selected or in its place."""
        corners, self._line = self._line, []
        if not corners:  # Escape was pressed meanwhile
            return
        line = self.view.to_map(np.array(corners, np.float64))
        found = enclosed(self.points, line) & self._shown
        lines = [line] if found.any() else []
        if self._adds:
            found, lines = found | self.selection, [*self._lines, *lines]
        self.select(found, lines)

    def _hold_space(self) -> str:
        self._forget("space")
        self._space = True
        self.configure(cursor="fleur")
        return "break"

    def _leave_space(self) -> None:
        self._space = False
        self.configure(cursor="crosshair")

    # -- after a rest

    def _later(self, what: str, after_ms: int, call: Callable[..., None], *words: Any) -> None:
        self._forget(what)
        self._waits[what] = self.after(after_ms, partial(self._rested, what, call, *words))

    def _rested(self, what: str, call: Callable[..., None], *words: Any) -> None:
        self._waits.pop(what, None)
        call(*words)

    def _forget(self, what: str) -> None:
        waits = self._waits.pop(what, None)
        if waits is not None:
            self.after_cancel(waits)
