"""Draws the timeline's ground, frames, curve and bars as one picture; numpy only.

Tk draws no soft edges, and is slow with thousands of items: so all that moves with the time is one
picture, of which only what is seen is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import ImageColor

from src.gui.theme.theme import RADIUS_SMALL, Palette
from src.gui.timeline.lane_index import LaneIndex
from src.gui.timeline.rows import LANE, Rows
from src.gui.timeline.time_scale import Tick, TimeScale
from src.track_records import ScoreCurve

TICK, HALF_TICK = 6, 4
_SHARE = 0.66  # of a label's colour in its bar; the rest is the window's
_CURVE_WIDTH = 2.0
_HEADROOM = 0.12  # of the curve's height, above its highest point and below its lowest
_DASH, _DASH_GAP = 4, 4
_RING, _RING_GAP = 2, 2
_LEAST_SPREAD = 0.04  # of scores, that small differences do not look large

Colour = np.ndarray  # (3,) float32


def colour(name: str) -> Colour:
    return np.array(ImageColor.getrgb(name)[:3], np.float32)


def mixed(first: str, second: str, share: float) -> Colour:
    """Return a colour with so much of the first in it."""
    return colour(first) * share + colour(second) * (1 - share)


@dataclass(frozen=True)
class Tile:
    """A picture of the strip of frames.

    Attributes:
        left: where it begins, in device pixels; it may reach beyond the edges.
        rows: (h, w, 3) uint8 RGB; None while it is being loaded.
    """

    left: int
    width: int
    rows: np.ndarray | None


@dataclass(frozen=True)
class Ring:
    """A bar that is chosen, or a part of it.

    Attributes:
        place: of the bar in its lane.
    """

    lane: int
    place: int
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Picture:
    """What the picture shows.

    Attributes:
        ticks: of the ruler.
        tiles: of the frames that are seen.
        range_s: what is marked.
        rings: round what a line is drawn.
    """

    scale: TimeScale
    rows: Rows
    lanes: Sequence[LaneIndex]
    ticks: Sequence[Tick]
    tiles: Sequence[Tile] = ()
    curve: ScoreCurve | None = None
    range_s: tuple[float, float] | None = None
    rings: Sequence[Ring] = ()


class TimelineDrawing:
    """Draws into the same rows again and again."""

    def __init__(self, colours: Palette) -> None:
        self._colours = colours
        self._window, self._border = colour(colours.window), colour(colours.border)
        self._bars: dict[str, Colour] = {}
        self._rows = self._ground = np.empty((0, 0, 3), np.uint8)

    def draw(self, what: Picture) -> np.ndarray:
        """Return the picture: (height, width, 3) uint8 RGB, until the next one is drawn."""
        shape = what.rows.height, what.scale.width_px, 3
        if self._rows.shape != shape:
            self._rows = np.empty(shape, np.uint8)
            self._ground = np.broadcast_to(self._window.astype(np.uint8), shape).copy()
        np.copyto(self._rows, self._ground)
        self._draw_range(what)
        self._draw_lanes(what)
        if what.rows.has_score:
            self._draw_curve(what)
        self._draw_ruler(what)
        self._draw_tiles(what)
        return self._rows

    # -- the ground

    def _draw_range(self, what: Picture) -> None:
        if what.range_s is not None:
            left, right = (round(what.scale.x_of(each)) for each in what.range_s)
            ground = mixed(self._colours.selection, self._colours.window, 0.45)
            part = self._rows[what.rows.ruler[1] :, max(0, left) : max(0, right)]
            part[:] = ground.astype(np.uint8)

    def _draw_ruler(self, what: Picture) -> None:
        rows, line = what.rows, max(1, what.rows.px(1))
        bottom = rows.ruler[1]
        ink = colour(self._colours.strong_border)
        self._rows[bottom - line : bottom] = ink
        for tick in what.ticks:
            x = min(round(what.scale.x_of(tick.time_s)), what.scale.width_px - line)
            high = rows.px(TICK if tick.is_labelled else HALF_TICK)
            self._rows[bottom - high : bottom, max(0, x) : x + line] = ink

    def _draw_tiles(self, what: Picture) -> None:
        top, bottom = what.rows.frames
        width = what.scale.width_px
        empty = colour(self._colours.card)
        end = round(what.scale.x_of(what.scale.duration_s))
        for tile in what.tiles:
            left, right = max(0, tile.left), min(width, tile.left + tile.width, end)
            if left >= right:
                continue
            if tile.rows is None:
                self._rows[top:bottom, left:right] = empty
            else:
                part = tile.rows[: bottom - top, left - tile.left : right - tile.left]
                self._rows[top : top + len(part), left:right] = part

    # -- the curve

    def _draw_curve(self, what: Picture) -> None:
        """Draw how well each moment answers, what lies below it, and the line."""
        curve, (top, bottom) = what.curve, what.rows.score
        if curve is None or curve.is_empty:
            return
        high, width = bottom - top, what.scale.width_px
        low, most = _spread(curve)
        times = what.scale.begin_s + (np.arange(width) + 0.5) / what.scale.px_per_s
        scores = _highest(curve, times, what.scale)
        # no curve where nothing was scored, and none of the line that tells its strong moments
        inside = (times <= what.scale.duration_s) & np.isfinite(scores)
        heights = _height(np.where(inside, scores, np.nan), low, most, high)
        slope = np.nan_to_num(np.gradient(heights)) if width > 1 else np.zeros(width)
        heights = np.nan_to_num(heights)
        below = np.clip(np.arange(high, dtype=np.float32)[:, None] - heights + 0.5, 0, 1) * inside
        part = self._rows[top:bottom].astype(np.float32)
        part += below[..., None] * (colour(self._colours.selection) - part)
        if curve.line is not None:
            line_at = float(_height(np.array(curve.line), low, most, high))
            self._draw_line(part, line_at, inside, what)
        away = np.abs(np.arange(high, dtype=np.float32)[:, None] + 0.5 - heights)
        away /= np.sqrt(1 + slope * slope)
        half = _CURVE_WIDTH * what.rows.scale / 2
        line = np.clip(half - away + 0.5, 0, 1) * inside
        part += line[..., None] * (colour(self._colours.accent) - part)
        self._rows[top:bottom] = part

    def _draw_line(
        self, part: np.ndarray, height: float, inside: np.ndarray, what: Picture
    ) -> None:
        px = what.rows.px
        dashes = (np.arange(part.shape[1]) % px(_DASH + _DASH_GAP) < px(_DASH)) & inside
        line = max(1, px(1))
        at = min(max(0, round(height)), part.shape[0] - line)
        part[at : at + line, dashes] = colour(self._colours.text_2)

    # -- the lanes

    def _draw_lanes(self, what: Picture) -> None:
        rows = what.rows
        line = max(1, rows.px(1))
        for number in rows.visible_lanes():
            under = rows.top_of(number) + rows.lane - line
            if under >= rows.lanes_top:
                self._rows[under : under + line] = (self._border + self._window) / 2
            self._draw_bars(what, number)
        for ring in what.rings:
            if ring.lane in rows.visible_lanes():
                self._draw_ring(what, ring)

    def _bar_colour(self, name: str) -> Colour:
        if name not in self._bars:
            self._bars[name] = mixed(name, self._colours.window, _SHARE)
        return self._bars[name]

    def _draw_bars(self, what: Picture, number: int) -> None:
        lane = what.lanes[number]
        for level in range(lane.levels):
            top, bottom = what.rows.bar(number, level, lane.levels)
            hidden = max(0, what.rows.lanes_top - top)
            if bottom <= what.rows.lanes_top or top >= what.rows.height:
                continue
            lefts, rights = lane.spans(what.scale, level)
            radius = min(RADIUS_SMALL * what.rows.scale, (bottom - top) / 2)
            alpha = _bars(lefts, rights, bottom - top, what.scale.width_px, radius)
            part = self._rows[max(top, what.rows.lanes_top) : bottom]
            alpha = alpha[hidden : hidden + len(part), :, None]
            ink = self._bar_colour(lane.lane.colour)
            part[:] = part + alpha * (ink - part.astype(np.float32))

    def _draw_ring(self, what: Picture, of: Ring) -> None:
        """Draw a line round a bar that is chosen."""
        lane, px = what.lanes[of.lane], what.rows.px
        top, bottom = what.rows.bar(of.lane, lane.level(of.place), lane.levels)
        gap, line = px(_RING_GAP), px(_RING)
        around, width = gap + line, what.scale.width_px
        left, right = round(what.scale.x_of(of.begin_s)), round(what.scale.x_of(of.end_s))
        # at the very edge there is no space for the line outside the bar
        left = max(left, around) if left >= 0 else left
        right = min(right, width - around) if right <= width else right
        y0 = max(what.rows.lanes_top - px(LANE) // 4, top - around, 0)
        y1 = min(what.rows.height, bottom + around)
        x0, x1 = max(0, left - around), min(width, max(right, left + 1) + around)
        if x0 >= x1 or y0 >= y1:
            return
        box = left - around, top - around, max(right, left + 1) + around, bottom + around
        radius = RADIUS_SMALL * what.rows.scale + around
        outer = _rounded((y0, y1), (x0, x1), box, radius)
        inner_box = box[0] + line, box[1] + line, box[2] - line, box[3] - line
        inner = _rounded((y0, y1), (x0, x1), inner_box, radius - line)
        part = self._rows[y0:y1, x0:x1]
        ring = np.clip(outer - inner, 0, 1)[..., None]
        part[:] = part + ring * (colour(self._colours.accent) - part.astype(np.float32))


def line_height(curve: ScoreCurve, rows: Rows) -> int | None:
    """Return where the line of a curve is drawn, in device pixels from the timeline's top."""
    if curve.line is None or curve.is_empty:
        return None
    top, bottom = rows.score
    return top + round(float(_height(np.array(curve.line), *_spread(curve), bottom - top)))


def _spread(curve: ScoreCurve) -> tuple[float, float]:
    """Return the scores at the curve's lower and upper edge; the line lies between."""
    low, most = float(np.nanmin(curve.scores)), float(np.nanmax(curve.scores))
    if curve.line is not None:
        low, most = min(low, curve.line), max(most, curve.line)
    missing = max(0.0, _LEAST_SPREAD - (most - low)) / 2
    return low - missing, most + missing


def _height(scores: np.ndarray, low: float, most: float, high: int) -> np.ndarray:
    """Return where scores lie below the upper edge, in device pixels: float32."""
    share = ((scores - low) / (most - low)).astype(np.float32)
    return high * (1 - _HEADROOM - share * (1 - 2 * _HEADROOM - 0.15))


def _highest(curve: ScoreCurve, times: np.ndarray, scale: TimeScale) -> np.ndarray:
    """Return the score at each pixel; where many frames lie on one, the highest of them."""
    scores = curve.at(times)
    half = 0.5 / scale.px_per_s
    first = np.searchsorted(curve.times_s, times[0] - half)
    last = np.searchsorted(curve.times_s, times[-1] + half)
    if last - first > len(times):
        at = ((curve.times_s[first:last] - scale.begin_s) * scale.px_per_s).astype(np.int64)
        at = np.clip(at, 0, len(times) - 1)
        highest = np.full(len(times), np.nan)
        np.fmax.at(highest, at, curve.scores[first:last])
        scores = np.where(np.isfinite(highest), highest, scores)
    return np.asarray(scores)


def _bars(
    lefts: np.ndarray, rights: np.ndarray, high: int, width: int, radius: float
) -> np.ndarray:
    """Return how much of each pixel bars cover, with round corners: (high, width) float32."""
    ends = np.zeros(width + 1, np.int32)
    np.add.at(ends, np.clip(lefts, 0, width), 1)
    np.add.at(ends, np.clip(rights, 0, width), -1)
    alpha = np.repeat((np.cumsum(ends[:-1]) > 0).astype(np.float32)[None], high, axis=0)
    reach = int(np.ceil(radius))
    round_ones = rights - lefts >= 2 * reach
    if not round_ones.any():
        return alpha
    corner = _rounded((0, high), (0, reach), (0, 0, 4 * reach + high, high), radius)
    for column in range(reach):
        for at in (lefts[round_ones] + column, rights[round_ones] - 1 - column):
            seen = at[(at >= 0) & (at < width)]
            alpha[:, seen] = np.minimum(alpha[:, seen], corner[:, column, None])
    return alpha


def _rounded(
    ys: tuple[int, int], xs: tuple[int, int], box: tuple[float, float, float, float], radius: float
) -> np.ndarray:
    """Return how much of each pixel a box with round corners covers: (rows, columns) float32.

    Args:
        ys, xs: the pixels.
        box: left, top, right and bottom.
    """
    left, top, right, bottom = box
    x = np.arange(*xs, dtype=np.float32)[None, :] + 0.5
    y = np.arange(*ys, dtype=np.float32)[:, None] + 0.5
    # the distance to a box that is smaller by the radius all around
    beside = np.maximum(np.maximum(left + radius - x, x - right + radius), 0)
    above = np.maximum(np.maximum(top + radius - y, y - bottom + radius), 0)
    covered: np.ndarray = np.clip(radius - np.hypot(beside, above) + 0.5, 0, 1)
    return covered
