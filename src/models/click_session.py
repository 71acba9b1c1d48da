"""One mask, cut out of an image by clicks and boxes that can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

import cv2
import numpy as np
import torch

from src.models.mask_sizes import Sizes
from src.models.segmenter import ImageEmbedding, MaskPredictions, Promptable, Prompts

# One mask's logits (h, w) to a mask of the image: (H, W), not 0 inside.
ToMask = Callable[[np.ndarray, Sizes], np.ndarray]
BoxXyxy = tuple[float, float, float, float]

# What a mask that was not decoded is given as to go on from: a sure inside and outside.
SURE = 8.0
# What a box brings has to fit it so well, by the IoU of its own box; else the model was not taught
# boxes, and clicks in this pattern are asked in its place.
FITS_BOX = 0.7
_SHARES = (0.25, 0.5, 0.75)
_CLICKS_IN_BOX = np.array([(x, y) for y in _SHARES for x in _SHARES])
# So far beyond the box a mask may reach, as a share of its longer side.
BEYOND_BOX = 0.02


def _enlarged(logits: np.ndarray, sizes: Sizes) -> np.ndarray:
    return sizes.at_image(logits)


@dataclass(frozen=True)
class ClickState:
    """What was asked so far, and what the model saw of it.

    Attributes:
        points: x, y in pixels of the image, and whether inside.
        box_xyxy: in pixels of the image.
        logits: (1, h, w) float32 of the mask; None before there is one.
        predicted_iou: how well the model believes the mask to fit; 0 before there is one.
    """

    points: tuple[tuple[float, float, bool], ...] = ()
    box_xyxy: BoxXyxy | None = None
    logits: torch.Tensor | None = None
    predicted_iou: float = 0.0


class ClickSession:
    """Keeps an image's embedding while a person clicks; close it to free the memory.

    As SAM was trained (Kirillov et al. 2023, appendix A): of the three guesses at the first click
    the one is taken that the model rates best; each further click gives one mask, from all clicks
    so far and the logits of the mask before.
    """

    def __init__(
        self, model: Promptable, image_rgb: np.ndarray, to_mask: ToMask = _enlarged
    ) -> None:
        """Embed an image.

        Args:
            model: what cuts.
            image_rgb: (H, W, 3) uint8 RGB.
            to_mask: brings logits to the image; they are enlarged by default.

        Raises:
            ValueError: the image is too thin for the model to see anything.
        """
        self._model = model
        self._embedding: ImageEmbedding | None = model.embed(image_rgb)
        self._to_mask: ToMask | None = to_mask
        self._states: list[ClickState] = [ClickState()]
        self._shape: tuple[int, int] | None = None  # of logits with their padding

    # -- asking

    def add_point(self, x: float, y: float, positive: bool = True) -> None:
        """Click.

        Args:
            x, y: in pixels of the image.
            positive: inside the mask that is wanted; else outside.

        Raises:
            ValueError: the place is outside the image, or the session is closed.
        """
        embedding, now = self._open_embedding(), self._states[-1]
        self._check(x, y)
        points = (*now.points, (x, y, positive))
        self._states.append(replace(now, points=points))
        if not any(inside for _, _, inside in points) and now.logits is None:
            return  # what is not wanted is no mask yet
        found = self._model.decode(
            embedding,
            Prompts(
                points_xy=np.array([[[x, y] for x, y, _ in points]], np.float64),
                labels=np.array([[inside for _, _, inside in points]], np.int64),
                boxes_xyxy=None if now.box_xyxy is None else np.array([now.box_xyxy], np.float64),
                logits=now.logits,
            ),
            multimask=now.logits is None,
        )
        self._take(found, int(found.predicted_iou.argmax()))

    def add_box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Point out the thing that fills a box; points and boxes before no longer count.

        A model that was taught boxes (SAM 1 is, the starter SAM is not) gives the mask. Of any
        other, clicks spread over the box are asked, and the guess is taken that fills it best.

        Args:
            x0, y0, x1, y1: two corners, in pixels of the image; beyond the image is cut off.

        Raises:
            ValueError: the box holds no pixel of the image, or the session is closed.
        """
        embedding = self._open_embedding()
        width, height = embedding.sizes.image_wh
        left, right = sorted((min(max(x0, 0), width), min(max(x1, 0), width)))
        top, bottom = sorted((min(max(y0, 0), height), min(max(y1, 0), height)))
        if not (right - left >= 1 and bottom - top >= 1):
            raise ValueError(f"a box of {(x0, y0, x1, y1)} holds nothing of the image")
        box = left, top, right, bottom
        found = self._model.decode(
            embedding, Prompts(boxes_xyxy=np.array([box], np.float64)), multimask=False
        )
        best, fit = _best_in_box(found, box)
        if fit < FITS_BOX:
            corner, size = np.array([left, top]), np.array([right - left, bottom - top])
            clicked = self._model.decode(
                embedding, Prompts.clicks(corner + _CLICKS_IN_BOX * (size - 1))
            )
            best_clicked, fit_clicked = _best_in_box(clicked, box)
            if fit_clicked > fit:
                found, best = clicked, best_clicked
        self._states.append(ClickState(box_xyxy=box))
        self._take(found, best, box)

    def go_on_from(
        self, mask: np.ndarray, points: Sequence[tuple[float, float, bool]] = ()
    ) -> None:
        """Begin anew with a mask of the image, which further clicks correct.

        Args:
            mask: (H, W) bool; with nothing inside, it is a session without a mask.
            points: clicks that have led to it.

        Raises:
            ValueError: the session is closed.
        """
        self._open_embedding()
        logits = self._logits_of(mask) if mask.any() else None
        self._states = [ClickState(tuple(points), logits=logits)]

    def guesses(self, x: float, y: float) -> list[tuple[np.ndarray, float]]:
        """Return what the model takes for the thing at a place, whatever was clicked so far.

        Returns:
            (H, W) bool masks, each with how well the model believes it to fit, best first.

        Raises:
            ValueError: the place is outside the image, or the session is closed.
        """
        embedding = self._open_embedding()
        self._check(x, y)
        found = self._model.decode(embedding, Prompts.clicks(np.array([[x, y]], np.float64)))
        order = found.predicted_iou.argsort(descending=True).tolist()
        return [(self._at_image(found.logits[i]), float(found.predicted_iou[i])) for i in order]

    # -- what was asked

    def undo(self) -> bool:
        """Remove the last click or box; return whether there was one."""
        self._open_embedding()
        if len(self._states) == 1:
            return False
        self._states.pop()
        return True

    @property
    def state(self) -> ClickState:
        """What was asked so far; see restore."""
        return self._states[-1]

    def restore(self, state: ClickState) -> None:
        """Go on from where a session of the same image was; nothing is taken back beyond that."""
        self._open_embedding()
        self._states = [state]

    @property
    def points(self) -> list[tuple[float, float, bool]]:
        """The clicks so far: x, y in pixels of the image, and whether inside."""
        return list(self._states[-1].points)

    @property
    def predicted_iou(self) -> float:
        """How well the model believes the mask to fit, about 0 to 1; 0 before there is one."""
        return self._states[-1].predicted_iou

    def mask(self) -> np.ndarray:
        """Return the best mask for the clicks so far: (H, W) bool; empty before a click inside."""
        sizes = self._open_embedding().sizes
        logits = self._states[-1].logits
        if logits is None:
            return np.zeros(sizes.image_wh[::-1], bool)
        return self._at_image(logits[0])

    def close(self) -> None:
        """Free what the session keeps; closing twice is no error."""
        self._embedding = self._to_mask = None
        self._states = [ClickState()]

    def __enter__(self) -> ClickSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_embedding(self) -> ImageEmbedding:
        if self._embedding is None:
            raise ValueError("the session is closed")
        return self._embedding

    def _check(self, x: float, y: float) -> None:
        width, height = self._open_embedding().sizes.image_wh
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(f"({x}, {y}) is outside an image of {width} x {height}")

    def _take(self, found: MaskPredictions, best: int, box: BoxXyxy | None = None) -> None:
        """Put what was decoded into the last state."""
        logits = found.logits[best : best + 1]
        if box is not None:
            logits = _within(logits, box, found.sizes)
        rated = float(found.predicted_iou[best])
        self._states[-1] = replace(self._states[-1], logits=logits, predicted_iou=rated)

    def _at_image(self, logits: torch.Tensor) -> np.ndarray:
        assert self._to_mask is not None
        sizes = self._open_embedding().sizes
        mask: np.ndarray = self._to_mask(logits.float().cpu().numpy(), sizes) > 0
        return mask

    def _logits_of(self, mask: np.ndarray) -> torch.Tensor:
        """Bring a mask to the resolution of the decoder: (1, h, w) float32, as it was never sure.

        How large its logits are with their padding is seen at what it gives for a click.
        """
        embedding = self._open_embedding()
        if self._shape is None:
            middle = np.array([embedding.sizes.image_wh], np.float64) / 2
            found = self._model.decode(embedding, Prompts.clicks(middle), multimask=False)
            self._shape = found.logits.shape[-2], found.logits.shape[-1]
        height, width = self._shape
        shown_w, shown_h = (
            min(size, most)
            for size, most in zip(embedding.sizes.logits_wh, (width, height), strict=True)
        )
        shares = np.zeros((height, width), np.float32)
        small = cv2.resize(
            np.ascontiguousarray(mask).view(np.uint8) * np.uint8(255),
            (shown_w, shown_h),
            interpolation=cv2.INTER_AREA,
        )
        shares[:shown_h, :shown_w] = small / np.float32(255)
        return torch.from_numpy((2 * shares - 1) * np.float32(SURE))[None]


def _best_in_box(found: MaskPredictions, box: BoxXyxy) -> tuple[int, float]:
    """Return which mask's own box is most like a box, and their IoU."""
    corners = np.array(box) * np.repeat([found.sizes.in_logits_wh], 2, 0).ravel()
    corners /= np.repeat([found.sizes.image_wh], 2, 0).ravel()
    fits = []
    for logits in found.logits.float().cpu().numpy():
        x, y, w, h = cv2.boundingRect((logits > 0).view(np.uint8))
        shared_w = min(x + w, corners[2]) - max(x, corners[0])
        shared_h = min(y + h, corners[3]) - max(y, corners[1])
        shared = max(0.0, shared_w) * max(0.0, shared_h)
        area = (corners[2] - corners[0]) * (corners[3] - corners[1])
        fits.append(shared / max(w * h + area - shared, 1e-9))
    best = int(np.argmax(fits))
    return best, float(fits[best])


def _within(logits: torch.Tensor, box: BoxXyxy, sizes: Sizes) -> torch.Tensor:
    """Leave nothing inside that lies beyond a box, but for a small margin."""
    x0, y0, x1, y1 = box
    margin = BEYOND_BOX * max(x1 - x0, y1 - y0)
    scale = np.array(sizes.in_logits_wh) / sizes.image_wh
    left, top = np.floor((np.array([x0, y0]) - margin) * scale).clip(0).astype(int).tolist()
    right, bottom = np.ceil((np.array([x1, y1]) + margin) * scale).astype(int).tolist()
    beyond = torch.ones_like(logits, dtype=torch.bool)
    beyond[..., top:bottom, left:right] = False
    return torch.where(beyond, -logits.abs(), logits)
