"""How a picture of a video became the next: the camera's motion, dense flow, or a cut."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# Longest side of the pictures that motion is measured on, and of the grid that masks are laid on.
GRID_SIDE = 256
# Grey levels by which a picture may miss the one before, once it is moved onto it, before the two
# are taken for different shots; a shot that is lit otherwise is not told from that.
_CUT_ERROR = 26.0
_CUT_HISTOGRAM = 0.72
# A difference beyond this says no more than that the two differ.
_MOST_ERROR = 40.0
_IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def grid_size(size_wh: tuple[int, int]) -> tuple[int, int]:
    """Return the size of the grid for pictures of a size: (width, height)."""
    scale = GRID_SIDE / max(size_wh)
    return max(8, round(size_wh[0] * scale)), max(8, round(size_wh[1] * scale))


@dataclass(frozen=True)
class Motion:
    """How one picture became the next, on the grid.

    Attributes:
        camera: (2, 3) float64, where the camera's motion took a point of the earlier picture.
        before_xy: two (H, W) float32, where what is at a place now was in the earlier picture.
        is_cut: whether they are different shots; all else is then as if nothing had moved.
    """

    camera: np.ndarray
    before_xy: tuple[np.ndarray, np.ndarray]
    is_cut: bool

    def carry(self, mask: np.ndarray) -> np.ndarray:
        """Move a mask (H, W) float32 of the earlier picture along with what it covers."""
        moved: np.ndarray = cv2.remap(mask, *self.before_xy, cv2.INTER_LINEAR)
        return moved

    def carry_points(self, points_xy: np.ndarray) -> np.ndarray:
        """Move points (N, 2) with the camera."""
        moved: np.ndarray = points_xy @ self.camera[:, :2].T + self.camera[:, 2]
        return moved

    def origins(self, mask: np.ndarray) -> np.ndarray:
        """Return where the middle of what a mask (H, W) bool covers now was before: (2,)."""
        x, y = self.before_xy
        return np.array([np.median(x[mask]), np.median(y[mask])])


class MotionMeter:
    """Measures the motion between pictures, each with the one before it; keeps one picture."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._grey: np.ndarray | None = None
        self._histogram: np.ndarray | None = None

    def see(self, picture_rgb: np.ndarray, grid_wh: tuple[int, int]) -> Motion | None:
        """Measure the motion from the picture before; None for the first.

        Args:
            picture_rgb: (H, W, 3) uint8 RGB.
            grid_wh: of the grid that this picture and the one before are laid on.
        """
        small = cv2.resize(picture_rgb, grid_wh, interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        histogram = cv2.calcHist([small], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).ravel()
        histogram = np.sqrt(histogram / histogram.sum())
        before, self._grey = self._grey, grey
        likeness = 0.0 if self._histogram is None else float(self._histogram @ histogram)
        self._histogram = histogram
        if before is None:
            return None
        if before.shape != grey.shape:
            return self._cut(grid_wh)
        camera = _camera(before, grey)
        moved = cv2.warpAffine(before, camera, grid_wh, borderMode=cv2.BORDER_REPLICATE)
        flow = self._dis.calc(grey, moved, None)  # type: ignore[call-overload]
        ys, xs = np.mgrid[: grid_wh[1], : grid_wh[0]].astype(np.float32)
        onto = xs + flow[..., 0], ys + flow[..., 1]
        matched = cv2.remap(moved, *onto, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        error = float(np.minimum(cv2.absdiff(grey, matched), _MOST_ERROR).mean())
        if error > _CUT_ERROR or likeness < _CUT_HISTOGRAM:
            return self._cut(grid_wh)
        back = cv2.invertAffineTransform(camera)
        old_x = back[0, 0] * onto[0] + back[0, 1] * onto[1] + back[0, 2]
        old_y = back[1, 0] * onto[0] + back[1, 1] * onto[1] + back[1, 2]
        return Motion(camera, (old_x.astype(np.float32), old_y.astype(np.float32)), False)

    @staticmethod
    def _cut(grid_wh: tuple[int, int]) -> Motion:
        ys, xs = np.mgrid[: grid_wh[1], : grid_wh[0]].astype(np.float32)
        return Motion(_IDENTITY.copy(), (xs, ys), True)


def _camera(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Find the motion that most of a picture has in common: (2, 3), from `before` to `now`.

    Of what sparse features and the pictures' spectra say, and of no motion at all, that holds
    which leaves the least difference.
    """
    guesses = [_IDENTITY]
    window = cv2.createHanningWindow(now.shape[::-1], cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(before.astype(np.float32), now.astype(np.float32), window)
    limit = 0.4 * min(now.shape)
    if abs(right) < limit and abs(down) < limit:
        guesses.append(np.array([[1.0, 0.0, right], [0.0, 1.0, down]]))
    corners = cv2.goodFeaturesToTrack(before, 200, 0.01, 5)
    if corners is not None and len(corners) >= 8:
        for guess in tuple(guesses):
            start = corners + guess[:, 2].astype(np.float32)
            found, ok, _ = cv2.calcOpticalFlowPyrLK(
                before, now, corners, start, flags=cv2.OPTFLOW_USE_INITIAL_FLOW
            )
            ok = ok.ravel() == 1
            if ok.sum() < 8:
                continue
            matrix, _ = cv2.estimateAffinePartial2D(
                corners[ok], found[ok], method=cv2.RANSAC, ransacReprojThreshold=1.5
            )
            if matrix is not None and 0.6 < np.hypot(matrix[0, 0], matrix[0, 1]) < 1.7:
                guesses.append(matrix)
    errors = [_error(before, now, guess) for guess in guesses]
    errors[0] *= 0.97  # where it is all the same, nothing has moved
    return guesses[int(np.argmin(errors))]


def _error(before: np.ndarray, now: np.ndarray, camera: np.ndarray) -> float:
    size_wh = now.shape[::-1]
    moved = cv2.warpAffine(before, camera, size_wh, borderMode=cv2.BORDER_REPLICATE)
    return float(np.minimum(cv2.absdiff(now, moved), _MOST_ERROR).mean())
