"""What a segmentation model makes of clicks and boxes on the mask that is edited."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from src.errors import ModelNotLoadedError, QueryError
from src.labels.click_refinement import clicked
from src.labels.edit_history import Situation
from src.labels.edited_mask import EditedMask
from src.models.click_session import ClickSession
from src.models.segmenter import Segmenter

NO_SAM = (
    "there is no segmentation model (SAM) to click with; choose or download one, or use a brush"
)


class ModelClicks:
    """Asks a model about one frame, which it looks at once, at the first question.

    Attributes:
        asking: held while the model is asked, which takes long.
    """

    def __init__(self, image_rgb: np.ndarray, segmenter: Callable[[], Segmenter | None]) -> None:
        """Ask nothing yet.

        Args:
            image_rgb: the frame, (H, W, 3) uint8.
            segmenter: gives the one in use; asked at the first click.
        """
        self._image_rgb, self._segmenter = image_rgb, segmenter
        self._session: ClickSession | None = None
        self.asking = threading.RLock()

    def prepare(self) -> ClickSession:
        """Have the model look at the frame, where it has not yet.

        Raises:
            ModelNotLoadedError: there is none.
            QueryError: it can't take a frame of this shape.
        """
        with self.asking:
            if self._session is None:
                segmenter = self._segmenter()
                if segmenter is None:
                    raise ModelNotLoadedError(NO_SAM)
                try:
                    self._session = segmenter.session(self._image_rgb)
                except ValueError as exc:
                    raise QueryError(
                        "this frame is too narrow for the segmentation model; use a brush"
                    ) from exc
            return self._session

    def close(self) -> None:
        """Free what the model keeps of the frame."""
        with self.asking:
            if self._session is not None:
                self._session.close()
            self._session = None

    def click(
        self, edit: EditedMask, x: float, y: float, inside: bool, is_preview: bool = False
    ) -> tuple[np.ndarray, Situation]:
        """Find what a click makes of a mask; see clicked.

        Args:
            x, y: in pixels of the frame.

        Returns:
            (H, W) bool, and what the edit is then; the edit itself stays as it is.

        Raises:
            QueryError: the place is outside the frame; or see prepare.
            ModelNotLoadedError: see prepare.
        """
        session = self.prepare()
        height, width = self._image_rgb.shape[:2]
        if not (0 <= x < width and 0 <= y < height):
            raise QueryError(f"({x}, {y}) is outside the frame of {width} x {height}")
        now = edit.now
        if now.clicks is not None:
            session.restore(now.clicks)
        else:
            session.go_on_from(edit.mask)
        is_of_clicks = now.clicks is not None and now.predicted_iou is not None
        mask, is_models = clicked(session, edit.mask, (x, y, inside), is_of_clicks, is_preview)
        after = replace(
            edit.by_hand(),
            clicks=session.state,
            points=(*now.points, (x, y, inside)),
            predicted_iou=session.predicted_iou if is_models and mask.any() else None,
        )
        return mask, after

    def box(
        self, edit: EditedMask, x0: float, y0: float, x1: float, y1: float
    ) -> tuple[np.ndarray, Situation]:
        """Find the thing that fills a box, by two of its corners; see click."""
        session = self.prepare()
        try:
            session.add_box(x0, y0, x1, y1)
        except ValueError as exc:
            raise QueryError("a box needs at least one pixel of the frame") from exc
        rated = session.predicted_iou
        after = replace(edit.by_hand(), clicks=session.state, predicted_iou=rated)
        return session.mask(), after
