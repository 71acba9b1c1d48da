"""The forms of a mask; the library keeps compressed COCO RLE.

Whatever gives RLE to pycocotools goes through `checked_rle`: pycocotools trusts it, and crashes
or never ends on one that is damaged or made to do harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from pycocotools import mask as coco_mask

from src.errors import DamagedMaskError
from src.records import BoxXywh

OutputMode = Literal["binary_mask", "uncompressed_rle", "coco_rle"]

# From here on two masks are taken for the same thing, as PASCAL VOC and COCO do: of masks that
# don't overlap each other no two can reach it with the same third.
SAME_THING_IOU = 0.5
# A picture of 31,600 x 31,600; its mask takes 1 GB as an array.
MOST_PIXELS = 1_000_000_000
# A mask of 12 megapixels has a few thousand bytes; noise all over such a picture has 6 million.
MOST_BYTES = 1 << 24
# A mask of more bytes is checked each time: those that are remembered take memory.
MOST_REMEMBERED_BYTES = 2048
# Each character holds five bits of a number. Seven hold more than any run needs, and sums of
# as many numbers as there can be stay within int64.
MOST_CHARACTERS = 7


def encode_rle(mask: np.ndarray) -> dict[str, Any]:
    """Write a mask (H, W) bool or 0/1 as compressed COCO RLE, its counts as bytes."""
    # COCO goes column by column; OpenCV turns a large array many times faster than numpy
    import cv2  # a library opens, and reads its masks, without it

    turned = cv2.transpose(np.ascontiguousarray(mask, dtype=np.uint8))
    rle: dict[str, Any] = coco_mask.encode(turned.T)
    return rle


def runs_of(counts: object, size_wh: tuple[int, int]) -> np.ndarray:
    """Read compressed COCO RLE: the lengths of its runs, (N,) int64, zeros and ones in turn.

    Numbers are written five bits a character, the lowest first, with a sixth bit where more
    follow; from the fourth run on only the difference to the run two before is written.

    Args:
        counts: as stored; anything may come.
        size_wh: of the picture.

    Raises:
        DamagedMaskError: it is no mask of a picture of that size.
    """
    width, height = size_wh
    if not (isinstance(width, int) and isinstance(height, int)):
        raise DamagedMaskError("a frame has no size in whole pixels")
    if not (width > 0 and height > 0 and width * height <= MOST_PIXELS):
        raise DamagedMaskError(f"a frame of {width} x {height} pixels has no mask")
    if not isinstance(counts, bytes):
        raise DamagedMaskError("a mask is no bytes")
    if not 0 < len(counts) <= MOST_BYTES:
        raise DamagedMaskError(f"a mask has {len(counts):,} bytes")
    characters = np.frombuffer(counts, np.uint8)
    if characters.min() < 48 or characters.max() > 111:
        raise DamagedMaskError("a mask holds characters that are none of RLE")
    characters = characters - np.uint8(48)
    ends = np.flatnonzero(characters < 32)
    if not len(ends) or ends[-1] != len(characters) - 1:
        raise DamagedMaskError("a mask ends within a number")
    lengths = np.diff(ends, prepend=-1)
    if lengths.max() > MOST_CHARACTERS:
        raise DamagedMaskError("a mask holds a number that is too long")
    starts = ends - lengths + 1
    places = np.arange(len(characters)) - np.repeat(starts, lengths)
    runs = np.add.reduceat((characters & 0x1F).astype(np.int64) << 5 * places, starts)
    negative = characters[ends] & 0x10 != 0
    runs[negative] -= np.int64(1) << 5 * lengths[negative]
    for first in (1, 2):
        runs[first::2] = np.cumsum(runs[first::2])
    # only the first run may be empty: where the mask begins with a one. A sum of runs that are
    # each within the frame stays within int64.
    fits = runs[0] >= 0 and runs[1:].min(initial=1) >= 1 and runs.max() <= width * height
    if not fits or runs.sum() != width * height:
        raise DamagedMaskError(f"the runs of a mask don't fit its frame of {width} x {height}")
    return runs


def compressed(runs: np.ndarray, counts: np.ndarray) -> list[bytes]:
    """Write the runs of many masks as compressed COCO RLE: what `runs_of` reads.

    Args:
        runs: (K,) int64, of all masks one after the other.
        counts: (N,) int64, how many each has.

    Returns:
        N counts.
    """
    nth = np.arange(len(runs)) - np.repeat(np.cumsum(counts) - counts, counts)
    later = np.flatnonzero(nth > 2)
    values = runs.copy()
    values[later] -= runs[later - 2]
    characters = np.zeros((len(runs), MOST_CHARACTERS), np.uint8)
    lengths = np.zeros(len(runs), np.int64)
    going = np.ones(len(runs), bool)
    for place in range(MOST_CHARACTERS):
        lengths += going
        bits = values & 0x1F
        values >>= 5
        # the sign is the highest bit that is written
        going &= values != np.where(bits & 0x10, -1, 0)
        characters[:, place] = 48 + bits + 32 * going
        if not going.any():
            break
    written = characters[np.arange(MOST_CHARACTERS) < lengths[:, None]].tobytes()
    ends = np.concatenate([[0], np.cumsum(lengths)])[np.cumsum(counts)].tolist()
    return [written[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def rectangle_rle(bbox_xywh: BoxXywh, size_wh: tuple[int, int]) -> bytes:
    """Write a rectangle as compressed COCO RLE counts.

    Args:
        bbox_xywh: of at least one pixel, and within the picture.
        size_wh: of the picture.
    """
    (x, y, w, h), (width, height) = bbox_xywh, size_wh
    if h == height:  # its columns make one run
        runs = [x * height, w * height]
    else:
        runs = [x * height + y, *[h, height - h] * (w - 1), h]
    runs.append(width * height - sum(runs))
    if not runs[-1]:
        runs.pop()
    return compressed(np.array(runs, np.int64), np.array([len(runs)]))[0]


def checked_rle(counts: object, size_wh: tuple[int, int]) -> dict[str, Any]:
    """Return RLE in the form that pycocotools takes, once it is known to be sound.

    Raises:
        DamagedMaskError: it is not; see runs_of.
    """
    if isinstance(counts, bytes) and len(counts) <= MOST_REMEMBERED_BYTES:
        _check(counts, size_wh)
    else:
        runs_of(counts, size_wh)
    return {"size": [size_wh[1], size_wh[0]], "counts": counts}


@lru_cache(maxsize=1 << 14)
def _check(counts: bytes, size_wh: tuple[int, int]) -> None:
    """Check a mask once: an export reads the same ones from the library and from the dataset."""
    runs_of(counts, size_wh)


def decode_rle(counts: bytes, size_wh: tuple[int, int]) -> np.ndarray:
    """Read compressed COCO RLE counts: (H, W) bool.

    Raises:
        DamagedMaskError: it is no mask of a picture of that size.
    """
    return mask_of_runs(runs_of(counts, size_wh), size_wh)


def mask_of_runs(runs: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Fill in the runs of a mask, zeros and ones in turn: (H, W) bool."""
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    mask: np.ndarray = flat.reshape(size_wh).T  # column by column, as COCO has it
    return mask


def in_form(mask: np.ndarray, output_mode: OutputMode) -> Any:
    """Decode a mask from what Meta's generator gives, array or RLE dict: (H, W) uint8, 0 or 1."""
    if output_mode == "binary_mask":
        return mask.astype(bool)
    if output_mode == "coco_rle":
        return encode_rle(mask)
    counts: list[int] = []
    flat = mask.T.ravel()  # column by column, as COCO has it
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate(([0], changes, [flat.size]))
    if flat[0]:
        counts.append(0)
    counts.extend(int(run) for run in np.diff(edges))
    return {"size": list(mask.shape), "counts": counts}


def measured(counts: bytes, size_wh: tuple[int, int]) -> tuple[int, BoxXywh]:
    """Measure a mask: its pixels, and its box.

    Raises:
        DamagedMaskError: it is no mask of a picture of that size.
    """
    rle = checked_rle(counts, size_wh)
    x, y, w, h = (int(value) for value in coco_mask.toBbox(rle))
    return int(coco_mask.area(rle)), (x, y, w, h)


def mask_ious(
    masks: Sequence[bytes], others: Sequence[bytes], size_wh: tuple[int, int]
) -> np.ndarray:
    """Measure how far masks are the same: (N, M) float64, intersection over union.

    Args:
        masks, others: N and M compressed COCO RLE counts of pictures of one size.

    Raises:
        DamagedMaskError: one of them is no mask of a picture of that size.
    """
    if not masks or not others:
        return np.zeros((len(masks), len(others)))
    both = [[checked_rle(counts, size_wh) for counts in some] for some in (masks, others)]
    return np.asarray(coco_mask.iou(both[0], both[1], [0] * len(others)), np.float64)
