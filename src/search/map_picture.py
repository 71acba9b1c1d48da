"""The map as one picture: points drawn with numpy, moved and zoomed, and those inside a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

Rgb = tuple[int, int, int]
_LEAST_SCALE, _MOST_SCALE = 0.5, 4096.0
# The sides of the squares that are drawn, in pixels, by how many points there are to a pixel.
_LEAST_SIDE, _MOST_SIDE = 2, 7


@dataclass(frozen=True)
class MapView:
    """What is seen of a map.

    Attributes:
        size_wh: of the picture, in pixels.
        centre_xy: the point in its middle, as of SegmentMap.
        scale: how often the map's square goes into the shorter side of the picture; 1 shows it
            whole.
    """

    size_wh: tuple[int, int]
    centre_xy: tuple[float, float] = (0.5, 0.5)
    scale: float = 1.0

    @property
    def _pixels(self) -> float:
        """Pixels of the map's square."""
        return min(self.size_wh) * self.scale

    def to_pixels(self, points: np.ndarray) -> np.ndarray:
        """Place points (N, 2) in the picture: (N, 2) float32 pixels, also those outside of it."""
        middle = np.array(self.size_wh, np.float32) / 2
        centre = np.array(self.centre_xy, np.float32)
        return np.asarray((points - centre) * np.float32(self._pixels) + middle, np.float32)

    def to_map(self, pixels: np.ndarray) -> np.ndarray:
        """Find the points of the map that pixels (N, 2) show."""
        middle = np.array(self.size_wh, np.float64) / 2
        return (np.asarray(pixels, np.float64) - middle) / self._pixels + self.centre_xy

    def moved(self, by_xy: tuple[float, float]) -> MapView:
        """Move what is seen, as a hand that drags it by so many pixels."""
        x, y = (c - by / self._pixels for c, by in zip(self.centre_xy, by_xy, strict=True))
        return replace(self, centre_xy=(x, y))

    def zoomed(self, factor: float, at_xy: tuple[float, float]) -> MapView:
        """Enlarge what is seen; the point under a pixel stays where it is."""
        scale = min(max(self.scale * factor, _LEAST_SCALE), _MOST_SCALE)
        before = self.to_map(np.array([at_xy]))[0]
        after = replace(self, scale=scale)
        x, y = np.array(self.centre_xy) + before - after.to_map(np.array([at_xy]))[0]
        return replace(after, centre_xy=(float(x), float(y)))


def draw_map(points: np.ndarray, colours: np.ndarray, view: MapView, ground: Rgb) -> np.ndarray:
    """Draw points as small squares, the later ones over those before.

    Args:
        points: (N, 2) float32, as of SegmentMap.
        colours: (N, 3) uint8 RGB.
        ground: the colour behind them.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    width, height = view.size_wh
    reach = _MOST_SIDE
    # a margin takes what is drawn over the edge, so that nothing is asked of each pixel
    stride = width + 4 * reach
    picture = np.full((height + 4 * reach) * stride, _packed(np.array([ground], np.uint8))[0])
    pixels = view.to_pixels(points) + np.float32(2 * reach)
    x, y = pixels[:, 0], pixels[:, 1]
    is_seen = (x >= reach) & (x < width + 3 * reach) & (y >= reach) & (y < height + 3 * reach)
    seen = np.flatnonzero(is_seen)
    at = y[seen].astype(np.intp) * stride + x[seen].astype(np.intp)
    inks = _packed(colours)[seen]
    side = point_side(len(seen), view.size_wh)
    before = side // 2 * (stride + 1)
    at -= before
    for _ in range(side):
        for _ in range(side):
            picture[at] = inks
            at += 1
        at += stride - side
    framed = picture.reshape(-1, stride)[2 * reach : 2 * reach + height]
    inside = np.ascontiguousarray(framed[:, 2 * reach : 2 * reach + width])
    return np.ascontiguousarray(inside.view(np.uint8).reshape(height, width, 4)[..., :3])


def point_side(seen: int, size_wh: tuple[int, int]) -> int:
    """Return the side of a point's square: the fewer points are seen, the larger it is."""
    share = np.sqrt(size_wh[0] * size_wh[1] / max(1, 40 * seen))
    return int(np.clip(round(share), _LEAST_SIDE, _MOST_SIDE))


def _packed(colours: np.ndarray) -> np.ndarray:
    """Write RGB colours (N, 3) as numbers of four bytes, which are copied at once."""
    four = np.zeros((len(colours), 4), np.uint8)
    four[:, :3] = colours
    return four.view(np.uint32).ravel()


def colours_of_groups(groups: np.ndarray, palette: Sequence[Rgb], other: Rgb) -> np.ndarray:
    """Colour points by a tag or the like.

    Args:
        groups: (N,) int, the place in the palette; below 0 and beyond its end for no group.
    """
    table = np.array([*palette, other], np.uint8)
    known = (groups >= 0) & (groups < len(palette))
    return np.asarray(table[np.where(known, groups, len(palette))])


def colours_of_strength(strengths: np.ndarray, weak: Rgb, strong: Rgb) -> np.ndarray:
    """Colour points by how strong a hit each is, 0 to 1: from one colour to another."""
    share = np.clip(strengths, 0, 1)[:, None]
    mixed = np.array(weak) * (1 - share) + np.array(strong) * share
    return np.asarray(mixed.round().astype(np.uint8))


def enclosed(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Find the points inside a closed line, by the even-odd rule.

    Args:
        points: (N, 2).
        line: (M, 2), the corners; the last is joined with the first.

    Returns:
        (N,) bool.
    """
    inside = np.zeros(len(points), bool)
    if len(line) < 3:
        return inside
    line = np.asarray(line, np.float64)
    near = np.flatnonzero(((points >= line.min(axis=0)) & (points <= line.max(axis=0))).all(axis=1))
    x, y = points[near, 0].astype(np.float64), points[near, 1].astype(np.float64)
    odd = np.zeros(len(near), bool)
    for (x1, y1), (x2, y2) in zip(line, np.roll(line, -1, axis=0), strict=True):
        if y1 == y2:
            continue
        crosses = (y1 > y) != (y2 > y)
        odd[crosses] ^= x[crosses] < (x2 - x1) * (y[crosses] - y1) / (y2 - y1) + x1
    inside[near] = odd
    return inside
