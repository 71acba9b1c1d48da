from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from segment_anything import SamAutomaticMaskGenerator

from src.errors import MediaReadError
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import decode_rle, encode_rle
from src.processing.crop import CROP_SIDE, blur, crop_box, cut_crop, fitted
from src.processing.segment_extractor import SegmentExtractor
from src.records import Frame
from src.settings import Settings
from src.starter.scenes import draw_scene


def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, (100, 120, 3), np.uint8)


class Masks:
    """A generator that gives masks made beforehand, as Meta's generator writes them."""

    def __init__(self, *masks: tuple[np.ndarray, float], rle: bool = False) -> None:
        self.masks = masks
        self.rle = rle

    def generate(self, image: np.ndarray) -> list[dict[str, Any]]:
        return [
            {
                "segmentation": encode_rle(mask) if self.rle else mask,
                "predicted_iou": iou,
                "stability_score": 1.0,
            }
            for mask, iou in self.masks
        ]


def box_mask(x: int, y: int, w: int, h: int) -> np.ndarray:
    mask = np.zeros((100, 120), bool)
    mask[y : y + h, x : x + w] = True
    return mask


def test_the_background_is_blurred_and_the_segment_is_not() -> None:
    image, mask = picture(), box_mask(40, 30, 20, 25)
    crop = cut_crop(image, blur(image), mask, (40, 30, 20, 25))
    x, y, w, h = crop_box((40, 30, 20, 25), (120, 100))
    assert crop.shape == (h, w, 3)
    inside = mask[y : y + h, x : x + w]
    np.testing.assert_array_equal(crop[inside], image[y : y + h, x : x + w][inside])
    blurred = cv2.GaussianBlur(image, (21, 21), 0)[y : y + h, x : x + w]
    np.testing.assert_array_equal(crop[~inside], blurred[~inside])


def test_a_crop_stays_inside_its_frame() -> None:
    assert crop_box((0, 0, 120, 100), (120, 100)) == (0, 0, 120, 100)
    x, y, w, h = crop_box((110, 90, 10, 10), (120, 100))
    assert x < 110 and y < 90 and (x + w, y + h) == (120, 100)


def test_masks_become_segments_in_the_frames_pixels() -> None:
    extractor = SegmentExtractor()
    generator = Masks((box_mask(40, 30, 20, 25), 0.9), (box_mask(5, 5, 30, 20), 0.8), rle=True)
    whole, first, second = extractor.segments(Frame(picture()), generator)
    assert (whole.kind, whole.bbox_xywh, whole.mask_rle) == ("frame", (0, 0, 120, 100), None)
    assert (first.kind, first.bbox_xywh, first.area) == ("object", (40, 30, 20, 25), 500)
    assert first.mask_rle is not None
    np.testing.assert_array_equal(decode_rle(first.mask_rle, (120, 100)), box_mask(40, 30, 20, 25))
    assert second.predicted_iou == 0.8


def test_duplicates_specks_and_the_whole_image_are_dropped() -> None:
    generator = Masks(
        (box_mask(40, 30, 20, 25), 0.7),
        (box_mask(40, 30, 20, 24), 0.9),  # the same once more, and better
        (box_mask(0, 0, 7, 7), 0.9),
        (box_mask(0, 0, 120, 99), 0.9),
        (box_mask(40, 30, 10, 25), 0.6),  # a part of it is something of its own
    )
    found = list(SegmentExtractor().segments(Frame(picture()), generator))[1:]
    assert [segment.bbox_xywh for segment in found] == [(40, 30, 20, 24), (40, 30, 10, 25)]
    keep_all = Settings(min_segment_px=1, min_segment_share=0, max_segment_share=1)
    found = list(SegmentExtractor(settings=keep_all).segments(Frame(picture()), generator))[1:]
    assert len(found) == 4


def test_without_sam_there_is_the_frame() -> None:
    assert [s.kind for s in SegmentExtractor().segments(Frame(picture()), None)] == ["frame"]


def test_large_crops_are_stored_smaller() -> None:
    wide = np.zeros((500, 3000, 3), np.uint8)
    (segment,) = SegmentExtractor().segments(Frame(wide), None)
    assert segment.crop_rgb.shape == (171, 1024, 3)
    assert segment.bbox_xywh == (0, 0, 3000, 500)


@pytest.mark.parametrize("kernel", [0, 4, -1])
def test_a_kernel_that_can_not_be_is_refused(kernel: int) -> None:
    with pytest.raises(ValueError, match="odd"):
        SegmentExtractor(blur_kernel=kernel)


def test_process_image_with_our_generator_and_with_metas(
    scene_files: list[Path], mask_generator: MaskGenerator, clip: ClipEncoder
) -> None:
    extractor = SegmentExtractor(blur_kernel=21)
    segments, embeddings = extractor.process_image(scene_files[0], mask_generator, clip)
    assert len(segments) > 2
    assert embeddings.shape == (len(segments), 512) and embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-4)

    metas = SamAutomaticMaskGenerator(
        mask_generator.sam,
        points_per_side=5,  # Meta's takes a tenth of a second for each click
        pred_iou_thresh=mask_generator.pred_iou_thresh,
        stability_score_thresh=mask_generator.stability_score_thresh,
        stability_score_offset=mask_generator.stability_score_offset,
    )
    theirs, _ = extractor.process_image(str(scene_files[0]), metas, clip)
    assert len(theirs) > 2


def test_process_image_says_what_is_wrong_with_a_file(tmp_path: Path, clip: ClipEncoder) -> None:
    with pytest.raises(MediaReadError, match="no such file"):
        SegmentExtractor().process_image(tmp_path / "none.jpg", None, clip)


def test_one_pixel_is_an_image_too(
    tmp_path: Path, mask_generator: MaskGenerator, clip: ClipEncoder
) -> None:
    path = tmp_path / "dot.png"
    Image.new("RGB", (1, 1), "red").save(path)
    segments, embeddings = SegmentExtractor().process_image(path, mask_generator, clip)
    assert len(segments) == len(embeddings) >= 1


@pytest.mark.parametrize("size_wh", [(1152, 864), (1600, 1200), (2000, 1500), (2048, 1536)])
def test_a_crop_that_is_made_quickly_is_nearly_the_mean_of_areas(size_wh: tuple[int, int]) -> None:
    scene = draw_scene(np.random.default_rng(1), (384, 288), count=6).image_rgb
    image = cv2.resize(scene, size_wh, interpolation=cv2.INTER_CUBIC)
    exact = fitted(image, CROP_SIDE).astype(int)
    quick = fitted(image, CROP_SIDE, quickly=True)
    assert quick.shape == exact.shape and np.abs(quick - exact).mean() < 0.5  # of 255
    if max(size_wh) == 2 * CROP_SIDE:
        np.testing.assert_array_equal(quick, exact)
