"""A frame -> segments: SAM's masks cleaned, and each cut out over a blurred background."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from pycocotools import mask as coco_mask

from src.crop_shape import CROP_SIDE
from src.models.clip_encoder import ClipEncoder
from src.models.mask_rle import decode_rle, encode_rle
from src.models.segmenter import Segmenter
from src.processing.crop import CropCutter, fitted
from src.processing.image_loader import load_image
from src.records import Frame, Segment, SegmentMask
from src.settings import Settings
from src.stopping import ask_wanted, wanted


class GeneratesMasks(Protocol):
    """What our segmenters and Meta's SamAutomaticMaskGenerator have in common."""

    def generate(self, image: np.ndarray, /) -> list[dict[str, Any]]: ...


class SegmentExtractor:
    """Cuts frames into segments."""

    def __init__(self, blur_kernel: int = 21, settings: Settings | None = None) -> None:
        """Set the cut.

        Args:
            blur_kernel: side of the Gaussian that blurs the background, odd, in pixels.
            settings: limits on size and overlap of masks.
        """
        if blur_kernel < 1 or blur_kernel % 2 == 0:
            raise ValueError(f"blur_kernel must be odd and positive, not {blur_kernel}")
        self.blur_kernel = blur_kernel
        self.settings = settings or Settings()

    def process_image(
        self,
        image_path: Path | str,
        mask_generator: GeneratesMasks | None,
        clip_model: ClipEncoder,
    ) -> tuple[list[Segment], np.ndarray]:
        """Cut an image file into segments and embed each.

        Args:
            image_path: any image the application reads.
            mask_generator: a Segmenter, or Meta's SamAutomaticMaskGenerator; None gives the
                frame only.
            clip_model: from ModelManager().load_clip().

        Returns:
            The segments, the whole frame first, and their embeddings: (N, 512) float32, each
            row L2-normalised.

        Raises:
            MediaReadError: the image can't be read.
        """
        loaded = load_image(Path(image_path), self.settings.pixel_limit)
        segments = list(self.segments(loaded.frame, mask_generator))
        return segments, clip_model.encode_image([segment.crop_rgb for segment in segments])

    def segments(self, frame: Frame, generator: GeneratesMasks | None) -> Iterator[Segment]:
        """Cut a frame into the frame itself and, with SAM, one segment a mask."""
        width, height = frame.size_wh
        whole = fitted(frame.image_rgb, CROP_SIDE, quickly=generator is None)
        yield Segment("frame", (0, 0, width, height), width * height, None, None, None, whole)
        if generator is not None:
            yield from self._distinct(self._cut(frame, generator), frame.size_wh)

    def cut_again(self, frame: Frame, masks: Sequence[SegmentMask]) -> Iterator[Segment]:
        """Cut out of a frame the masks that it is known to have, each of its size."""
        if not masks:
            return
        cutter = CropCutter(frame.image_rgb, self.blur_kernel)
        for known in masks:
            ask_wanted()
            assert known.mask_rle is not None
            crop = cutter.cut(decode_rle(known.mask_rle, frame.size_wh), known.bbox_xywh)
            yield Segment(
                known.kind,
                known.bbox_xywh,
                known.area,
                known.predicted_iou,
                known.stability_score,
                known.mask_rle,
                crop,
            )

    def _cut(self, frame: Frame, generator: GeneratesMasks) -> Iterator[Segment]:
        """Cut out each mask of a frame that is neither too small nor the whole image."""
        pixels = frame.size_wh[0] * frame.size_wh[1]
        least = max(self.settings.min_segment_px, self.settings.min_segment_share * pixels)
        most = self.settings.max_segment_share * pixels
        cutter = CropCutter(frame.image_rgb, self.blur_kernel)
        for record in _records(generator, frame.image_rgb):
            ask_wanted()
            mask, rle = _in_both_forms(record, frame.size_wh)
            area = int(coco_mask.area(rle))
            if least <= area <= most:
                x, y, w, h = (int(value) for value in coco_mask.toBbox(rle))
                yield Segment(
                    "object",
                    (x, y, w, h),
                    area,
                    float(record["predicted_iou"]),
                    float(record["stability_score"]),
                    rle["counts"],
                    cutter.cut(mask, (x, y, w, h)),
                )

    def _distinct(self, segments: Iterable[Segment], size_wh: tuple[int, int]) -> list[Segment]:
        """Leave out what is another mask once more; the best comes first."""
        best_first = sorted(segments, key=_badness)
        rles = [{"size": [size_wh[1], size_wh[0]], "counts": s.mask_rle} for s in best_first]
        overlap = coco_mask.iou(rles, rles, [0] * len(rles)) if rles else np.empty((0, 0))
        kept: list[int] = []
        for i in range(len(rles)):
            if all(overlap[i][j] <= self.settings.duplicate_mask_iou for j in kept):
                kept.append(i)
        return [best_first[i] for i in kept]


def _badness(segment: Segment) -> float:
    assert segment.predicted_iou is not None and segment.stability_score is not None
    return -segment.predicted_iou * segment.stability_score


def _records(generator: GeneratesMasks, image_rgb: np.ndarray) -> Iterable[dict[str, Any]]:
    if isinstance(generator, Segmenter):  # one mask at a time, so that one array is in memory
        return generator.masks(image_rgb, wanted())
    return generator.generate(image_rgb)


def _in_both_forms(
    record: dict[str, Any], size_wh: tuple[int, int]
) -> tuple[np.ndarray, dict[str, Any]]:
    """Give a mask as an array (H, W) bool, to cut with, and as compressed RLE, to keep."""
    segmentation = record["segmentation"]
    if isinstance(segmentation, np.ndarray):
        known: dict[str, Any] | None = record.get("rle")
        return segmentation.astype(bool, copy=False), known or encode_rle(segmentation)
    rle: dict[str, Any] = dict(segmentation)
    if isinstance(rle["counts"], list):
        rle = coco_mask.frPyObjects(rle, *rle["size"])
    elif isinstance(rle["counts"], str):
        rle["counts"] = rle["counts"].encode()
    return decode_rle(rle["counts"], size_wh), rle
