"""The frame under edit with its other segments: what is outlined, and what the pointer is at."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from src.gui.masks import frame_segments
from src.gui.masks.editor import Look
from src.gui.masks.mask_canvas import MaskCanvas, Scene
from src.gui.masks.mask_marks import MaskMarks
from src.gui.masks.view_row import ViewRow
from src.records import FrameView


class FrameStage:
    """Shows the stored picture of a frame until it has been read in its own pixels."""

    def __init__(self, canvas: MaskCanvas, marks: MaskMarks, row: ViewRow) -> None:
        self._canvas, self._marks, self._row = canvas, marks, row
        self._view: FrameView | None = None
        self._segment_id: str | None = None
        self._image: Image.Image | None = None
        self._look: Look | None = None
        self._ids: Sequence[str] = ()

    def begin(self, view: FrameView, segment_id: str | None) -> None:
        """Show another frame, or another segment of it."""
        self._view, self._segment_id = view, segment_id
        self._image, self._look = Image.fromarray(view.image_rgb), None
        self._ids = [segment.id for segment in view.segments]
        self.restage()

    def opened(self, image: Image.Image, look: Look) -> None:
        """Show the frame in its own pixels."""
        self._image, self._look, self._ids = image, look, look.segment_ids
        self.restage()

    def changed(self, look: Look) -> None:
        """Show another mask; segments that went into it are outlined no more."""
        self._look = look
        if list(look.segment_ids) != list(self._ids):
            self._ids = look.segment_ids
            self.restage()
        self._canvas.show_mask(look.mask)
        self._marks.show_clicks(look.state.points)

    def restage(self) -> None:
        """Show the frame again, with other segments outlined or not, dimmed or not."""
        view, image = self._view, self._image
        if view is None or image is None:
            return
        others = frame_segments.numbers_of(view, self._ids, but=self._segment_id)
        lines = frame_segments.lines_of(view, others) if self._row.others else []
        look = self._look
        mask = frame_segments.mask_of(view, self._segment_id) if look is None else look.mask
        self._canvas.show(Scene(image, view.segments[0].frame_wh, lines, self._row.dim), mask)

    def other_at(self, at: tuple[float, float]) -> str | None:
        """Return the id of the smallest other segment at a place of the frame."""
        number = self._number_at(at)
        return None if self._view is None or number is None else self._view.segments[number].id

    def hover(self, at: tuple[float, float] | None) -> None:
        """Outline the other segment at a place of the frame; none where that is None."""
        number = None if at is None else self._number_at(at)
        if self._view is None or number is None:
            self._marks.show_hover([])
        else:
            self._marks.show_hover(frame_segments.lines_of(self._view, [number]))

    def _number_at(self, at: tuple[float, float]) -> int | None:
        view = self._view
        if view is None:
            return None
        left = [segment for segment in self._ids if segment != self._segment_id]
        return frame_segments.smallest_at(view, left, *at)
