"""The timeline on the screen: ruler, frames, curve, lanes and playhead."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image, ImageTk

from src.counting import moment
from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.theme import RIGHT, SMALL, Theme
from src.gui.timeline.name_column import NameColumn
from src.gui.timeline.playhead import Playhead
from src.gui.timeline.rows import NAMES, Rows
from src.gui.timeline.time_scale import TimeScale
from src.gui.timeline.timeline_drawing import Picture, Ring, Tile, TimelineDrawing, line_height
from src.gui.timeline.timeline_model import TimelineModel

LABEL_APART = 72  # of the ruler, at least, in pixels of the design
_TICKS = "ticks"
_BAR = "bar"
SNAP = 6  # pixels of the design: so near to a frame the pointer means that
_SCROLLBAR, _LEAST_BAR = 8, 24


@dataclass(frozen=True)
class CanvasActions:
    """What the timeline tells its panel.

    Attributes:
        scaled: hears that another part is seen, or at another size.
    """

    scaled: Callable[[], None]


class TimelineCanvas(tkinter.Canvas):
    """Only what is visible is drawn: a step of the wheel takes no longer in a long video."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        model: TimelineModel,
        actions: CanvasActions,
    ) -> None:
        super().__init__(master, bg=theme.colours.window, highlightthickness=0, bd=0, takefocus=1)
        self.theme, self.model = theme, model
        self._thumbnails, self._actions = thumbnails, actions
        self.scale_of_time = TimeScale.fitting(0, 1)
        self.rows = Rows(1, 0, has_score=False, scale=theme.scale)
        self.query = ""  # what the curve is of
        self.sentence = ""  # said in place of lanes
        self._drawing = TimelineDrawing(theme.colours)
        self._photo: ImageTk.PhotoImage | None = None
        self._picture = self.create_image(theme.px(NAMES), 0, anchor="nw")
        self._names = NameColumn(self, theme)
        self._sentence = self.create_text(
            0, 0, anchor="nw", font=theme.canvas_font(self), fill=theme.colours.text_2
        )
        self._bar = self.create_rectangle(
            0, 0, 0, 0, fill=theme.colours.strong_border, outline="", state="hidden", tags=_BAR
        )
        self.playhead = Playhead(self, theme)
        self._draw_waits = False
        self.bind("<Configure>", lambda event: self._resized(event.width, event.height))

    # -- what is shown

    def show(self, anew: bool = False) -> None:
        """Show what the model holds now; another video as a whole."""
        duration_s = self.model.duration_s
        if anew:
            self.scale_of_time = TimeScale.fitting(duration_s, self.scale_of_time.width_px)
            self.rows = replace(self.rows, scrolled=0)
        else:
            self.scale_of_time = self.scale_of_time.lasting(duration_s)
        has_score = self.model.curve is not None
        self.rows = replace(self.rows, lanes=len(self.model.lanes), has_score=has_score).fitted()
        self._actions.scaled()
        self.refresh()

    def say(self, sentence: str) -> None:
        """Show a sentence in place of the lanes; "" shows none."""
        if sentence != self.sentence:
            self.sentence = sentence
            self.refresh()

    @property
    def left(self) -> int:
        """Where the time begins, in device pixels of the canvas."""
        return self.theme.px(NAMES)

    def _resized(self, width: int, height: int) -> None:
        wide = max(1, width - self.left - self.theme.px(RIGHT))
        self.scale_of_time = self.scale_of_time.resized(wide)
        self.rows = replace(self.rows, height=max(1, height)).fitted()
        self._actions.scaled()
        self.refresh()

    # -- another part, or another size

    def look(self, scale: TimeScale) -> None:
        """Show another part of the time, or at another size."""
        if scale != self.scale_of_time:
            self.scale_of_time = scale
            self._actions.scaled()
            self.refresh()

    def fit(self) -> None:
        """Show the whole video."""
        self.look(TimeScale.fitting(self.model.duration_s, self.scale_of_time.width_px))

    def zoom(self, factor: float, x: float | None = None) -> None:
        """Show it larger or smaller; about the playhead where that is seen, else the middle."""
        self.look(self.scale_of_time.zoomed(factor, self._anchor() if x is None else x))

    def set_zoom(self, zoom: float) -> None:
        """Show it zoomed in from 0 to 1."""
        self.look(self.scale_of_time.with_zoom(zoom, self._anchor()))

    def _anchor(self) -> float:
        x = self.scale_of_time.x_of(self.model.playhead_s)
        wide = self.scale_of_time.width_px
        return x if 0 <= x <= wide else wide / 2

    def scroll_lanes(self, by_px: int) -> None:
        rows = self.rows.scrolled_by(by_px)
        if rows != self.rows:
            self.rows = rows
            self.refresh()

    def show_lane(self, lane: int) -> None:
        self.scroll_lanes(self.rows.showing(lane).scrolled - self.rows.scrolled)

    def follow_playhead(self) -> None:
        """Show the playhead where it is now, and the part of the time in which that is."""
        self.look(self.scale_of_time.showing(self.model.playhead_s))
        self.draw_playhead()

    # -- drawing

    def refresh(self) -> None:
        """Draw it at the next free moment, however often that is asked for until then."""
        if not self._draw_waits:
            self._draw_waits = True
            self.after_idle(self._draw_waiting)

    def _draw_waiting(self) -> None:
        self._draw_waits = False
        self.draw()

    def draw(self) -> None:
        """Draw all that is seen."""
        model, rows, scale = self.model, self.rows, self.scale_of_time
        if rows.height <= 1 or scale.width_px <= 1:
            return
        ticks = scale.ticks(self.theme.px(LABEL_APART)) if model.timeline is not None else []
        picture = Picture(
            scale,
            rows,
            model.lanes,
            ticks,
            self._tiles(),
            model.curve,
            model.range,
            self._rings(),
        )
        image = Image.fromarray(self._drawing.draw(picture))
        if self._photo is None or (self._photo.width(), self._photo.height()) != image.size:
            self._photo = ImageTk.PhotoImage(image)
            self.itemconfigure(self._picture, image=self._photo)
        else:
            self._photo.paste(image)
        self._draw_labels(picture)
        line_y = None if model.curve is None else line_height(model.curve, rows)
        lanes = [model.lanes[number].lane for number in rows.visible_lanes()]
        self._names.show(rows, lanes, self.query, line_y)
        self._draw_sentence()
        self._draw_scrollbar()
        self.playhead.show_range(model.range, scale, rows)
        self.draw_playhead()

    def draw_playhead(self) -> None:
        """Show the playhead where it is now."""
        if self.model.frames:
            self.playhead.show(self.model.playhead_s, self.scale_of_time, self.rows)

    def exact(self, time_s: float) -> float:
        """Return the moment that a place of the pointer means: a frame's own, where it is near."""
        return self.model.frame_near(time_s, self.theme.px(SNAP) / self.scale_of_time.px_per_s)

    def _draw_labels(self, picture: Picture) -> None:
        """Write the times of the ruler."""
        self.delete(_TICKS)
        scale, px = picture.scale, self.theme.px
        step_s = scale.step_s(px(LABEL_APART))
        decimals = 0 if step_s >= 1 else 1 if step_s >= 0.1 else 2
        font = self.theme.canvas_font(self, SMALL)
        for tick in picture.ticks:
            if tick.is_labelled:
                text = moment(tick.time_s, decimals)
                x = round(scale.x_of(tick.time_s))
                half = font.measure(text) // 2
                x = min(max(x, half if tick.time_s == 0 else x), scale.width_px - half + px(16))
                self.create_text(
                    self.left + x,
                    px(8),
                    text=text,
                    font=font,
                    fill=self.theme.colours.text_2,
                    tags=_TICKS,
                )

    def _draw_sentence(self) -> None:
        self.itemconfigure(
            self._sentence, text=self.sentence, width=max(1, self.scale_of_time.width_px)
        )
        self.coords(self._sentence, self.left, self.rows.lanes_top + self.theme.px(12))
        self.tag_raise(self._sentence)

    def _draw_scrollbar(self) -> None:
        """Show how far the lanes are scrolled, in the margin at the right."""
        box = self.scrollbar_box()
        self.itemconfigure(self._bar, state="hidden" if box is None else "normal")
        if box is not None:
            self.coords(self._bar, *box)

    def scrollbar_box(self) -> tuple[int, int, int, int] | None:
        """Return where the bar is that the lanes are scrolled by; None where all are seen."""
        rows, px = self.rows, self.theme.px
        if not rows.most_scrolled or rows.lanes_seen < px(2 * _LEAST_BAR):
            return None
        all_px = rows.lanes * rows.lane
        high = max(px(_LEAST_BAR), rows.lanes_seen * rows.lanes_seen // all_px)
        top = rows.lanes_top + (rows.lanes_seen - high) * rows.scrolled // rows.most_scrolled
        right = self.winfo_width() - px(12)
        return right - px(_SCROLLBAR), top, right, top + high

    def _rings(self) -> list[Ring]:
        """Return the bars that are chosen, of the lanes that are seen."""
        found: list[Ring] = []
        for choice in self.model.chosen:
            number = self.model.lane_of(choice)
            if number is not None and number in self.rows.visible_lanes():
                index = self.model.lanes[number]
                found += [
                    Ring(number, place, *self.model.span_of(choice, bar))
                    for place, bar in enumerate(index.bars)
                    if self.model.is_in(choice, index.lane, bar)
                ]
        return found

    # -- the strip of frames

    def tile_wh(self) -> tuple[int, int]:
        """Return the size of a picture of the strip."""
        media = None if self.model.timeline is None else self.model.timeline.media
        top, bottom = self.rows.frames
        wide, high = (16, 9) if media is None else (media.width or 16, media.height or 9)
        ratio = min(max(wide / high, 0.4), 2.4)
        return max(8, round((bottom - top) * ratio)), bottom - top

    def _tiles(self) -> list[Tile]:
        """Return the pictures of the strip: each of the frame in its middle."""
        model, scale = self.model, self.scale_of_time
        if not model.frames:
            self._thumbnails.want(self, [])
            return []
        size = self.tile_wh()
        wide = size[0]
        begin = scale.begin_s * scale.px_per_s
        first = int(begin // wide)
        last = int((begin + scale.width_px) // wide)
        numbers = np.arange(first, last + 1)
        middles = np.minimum((numbers + 0.5) * wide / scale.px_per_s, model.duration_s)
        sources = [model.frames[place].crop_path for place in model.places_at(middles)]
        self._thumbnails.want(self, [(source, size) for source in sources])
        tiles = []
        for number, source in zip(numbers.tolist(), sources, strict=True):
            image = self._thumbnails.get(source, size)
            rows = None if image is None else np.asarray(image)
            tiles.append(Tile(round(number * wide - begin), wide, rows))
        return tiles
