"""A frame -> segments: SAM's masks cleaned, and each cut out over a blurred background."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from pycocotools import mask as coco_mask

from src.config import Settings
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import decode_rle, encode_rle
from src.processing.crop import CROP_SIDE, CropCutter, fitted
from src.processing.image_loader import load_image
from src.records import Frame, Segment


class GeneratesMasks(Protocol):
    """What SAM's automatic mask generators have in common, ours and Meta's."""

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
            mask_generator: ours or Meta's SamAutomaticMaskGenerator; None gives the frame only.
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
        whole = fitted(frame.image_rgb, CROP_SIDE)
        yield Segment("frame", (0, 0, width, height), width * height, None, None, None, whole)
        if generator is None:
            return
        records = self._cleaned(_in_rle(generator, frame.image_rgb))
        cutter = CropCutter(frame.image_rgb, self.blur_kernel)
        for record in records:
            counts = record["segmentation"]["counts"]
            x, y, w, h = (int(value) for value in coco_mask.toBbox(record["segmentation"]))
            crop = cutter.cut(decode_rle(counts, frame.size_wh), (x, y, w, h))
            yield Segment(
                "object",
                (x, y, w, h),
                int(coco_mask.area(record["segmentation"])),
                float(record["predicted_iou"]),
                float(record["stability_score"]),
                counts,
                crop,
            )

    def _cleaned(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Drop masks that are too small, the whole image, or another mask once more."""
        if not records:
            return []
        height, width = records[0]["segmentation"]["size"]
        least = max(self.settings.min_segment_px, self.settings.min_segment_share * width * height)
        most = self.settings.max_segment_share * width * height
        records = [
            record
            for record in records
            if least <= int(coco_mask.area(record["segmentation"])) <= most
        ]
        records.sort(key=lambda record: -record["predicted_iou"] * record["stability_score"])
        masks = [record["segmentation"] for record in records]
        overlap = coco_mask.iou(masks, masks, [0] * len(masks)) if masks else np.empty((0, 0))
        kept: list[int] = []
        for i in range(len(records)):
            if all(overlap[i][j] <= self.settings.duplicate_mask_iou for j in kept):
                kept.append(i)
        return [records[i] for i in kept]


def _in_rle(generator: GeneratesMasks, image_rgb: np.ndarray) -> list[dict[str, Any]]:
    """Run a generator; masks as compressed RLE, which costs a thousandth of the memory."""
    if isinstance(generator, MaskGenerator):
        return generator.generate(image_rgb, output_mode="coco_rle")
    records = generator.generate(image_rgb)
    return [{**record, "segmentation": _compressed(record["segmentation"])} for record in records]


def _compressed(mask: Any) -> dict[str, Any]:
    if isinstance(mask, np.ndarray):
        return encode_rle(mask)
    if isinstance(mask["counts"], list):
        rle: dict[str, Any] = coco_mask.frPyObjects(mask, *mask["size"])
        return rle
    if isinstance(mask["counts"], str):
        return {**mask, "counts": mask["counts"].encode()}
    return dict(mask)
