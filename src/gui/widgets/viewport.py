"""Which part of a frame is seen, and how large; numbers only."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

LARGEST = 8.0  # device pixels for one of the frame

Size = tuple[int, int]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Viewport:
    """A window onto a frame.

    Attributes:
        frame_wh: of the frame, in its own pixels.
        window_wh: of the window, in device pixels.
        scale: device pixels for one of the frame.
        left, top: what lies at the window's corner, in pixels of the frame; below 0 where the
            frame is smaller than the window, which it is then in the middle of, at the top.
    """

    frame_wh: Size
    window_wh: Size
    scale: float
    left: float
    top: float

    @classmethod
    def fitting(cls, frame_wh: Size, window_wh: Size) -> Viewport:
        """Show the whole frame as large as it goes."""
        return cls(frame_wh, window_wh, _fit(frame_wh, window_wh), 0.0, 0.0)._inside()

    @property
    def is_fitting(self) -> bool:
        return math.isclose(self.scale, _fit(self.frame_wh, self.window_wh))

    def resized(self, window_wh: Size) -> Viewport:
        """Return it for a window of another size: fitting stays fitting, else the middle stays."""
        if self.is_fitting:
            return Viewport.fitting(self.frame_wh, window_wh)
        x, y = self.to_frame(self.window_wh[0] / 2, self.window_wh[1] / 2)
        new = replace(
            self,
            window_wh=window_wh,
            left=x - window_wh[0] / 2 / self.scale,
            top=y - window_wh[1] / 2 / self.scale,
        )
        return new._inside()

    def zoomed(self, scale: float, at: tuple[float, float] | None = None) -> Viewport:
        """Show it at another scale: the whole of it, or its own pixels, or up to LARGEST.

        Args:
            at: the place of the window that stays where it is; its middle when None.
        """
        fit = _fit(self.frame_wh, self.window_wh)
        scale = min(max(scale, min(fit, 1.0)), max(LARGEST, fit))
        at = (self.window_wh[0] / 2, self.window_wh[1] / 2) if at is None else at
        x, y = self.to_frame(*at)
        return replace(self, scale=scale, left=x - at[0] / scale, top=y - at[1] / scale)._inside()

    def moved(self, dx: float, dy: float) -> Viewport:
        """Move the frame in the window by device pixels."""
        left, top = self.left - dx / self.scale, self.top - dy / self.scale
        return replace(self, left=left, top=top)._inside()

    def to_frame(self, x: float, y: float) -> tuple[float, float]:
        """Return what lies at a place of the window, in pixels of the frame."""
        return self.left + x / self.scale, self.top + y / self.scale

    def to_window(self, x: float, y: float) -> tuple[float, float]:
        """Return where a pixel of the frame lies in the window."""
        return (x - self.left) * self.scale, (y - self.top) * self.scale

    @property
    def box(self) -> Box:
        """Where the frame is seen in the window: left, top, width, height."""
        left, top = self.to_window(0, 0)
        right, bottom = self.to_window(*self.frame_wh)
        x0, y0 = max(0, round(left)), max(0, round(top))
        x1, y1 = min(self.window_wh[0], round(right)), min(self.window_wh[1], round(bottom))
        return x0, y0, max(1, x1 - x0), max(1, y1 - y0)

    @property
    def part(self) -> tuple[float, float, float, float]:
        """The part of the frame that is seen, in its pixels: left, top, right, bottom."""
        x, y, width, height = self.box
        left, top = self.to_frame(x, y)
        right, bottom = self.to_frame(x + width, y + height)
        wide, high = self.frame_wh
        return max(0.0, left), max(0.0, top), min(float(wide), right), min(float(high), bottom)

    def _inside(self) -> Viewport:
        """Let no edge of the frame come further in than it must."""
        wide, high = self.window_wh[0] / self.scale, self.window_wh[1] / self.scale
        frame_w, frame_h = self.frame_wh
        left = (frame_w - wide) / 2 if frame_w <= wide else min(max(0.0, self.left), frame_w - wide)
        top = 0.0 if frame_h <= high else min(max(0.0, self.top), frame_h - high)
        return replace(self, left=left, top=top)


def _fit(frame_wh: Size, window_wh: Size) -> float:
    return min(window_wh[0] / frame_wh[0], window_wh[1] / frame_wh[1])
