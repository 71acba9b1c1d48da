"""Masks as they are stored: read exactly when they are sound, refused when they are not."""

from __future__ import annotations

import time

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from src.errors import DamagedMaskError
from src.models.mask_hierarchy import containers
from src.models.mask_rle import (
    MOST_BYTES,
    checked_rle,
    decode_rle,
    encode_rle,
    mask_ious,
    runs_of,
)


def masks() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    found = [np.zeros((7, 5), bool), np.ones((7, 5), bool), np.eye(40, dtype=bool)]
    found += [
        rng.random((h, w)) < share for h, w, share in ((1, 1, 1), (1, 300, 0.5), (300, 1, 0.1))
    ]
    found += [rng.random((90, 70)) < share for share in (0.01, 0.5, 0.99)]
    corner = np.zeros((3000, 4000), bool)  # runs of more than five bits, and differences below 0
    corner[10:20, 5:2000], corner[2990:, 3999] = True, True
    return [*found, corner]


@pytest.mark.parametrize("mask", masks(), ids=lambda mask: str(mask.shape))
def test_what_pycocotools_wrote_is_read(mask: np.ndarray) -> None:
    counts, size_wh = encode_rle(mask)["counts"], (mask.shape[1], mask.shape[0])
    decoded = decode_rle(counts, size_wh)
    assert decoded.dtype == bool
    np.testing.assert_array_equal(decoded, mask)
    assert runs_of(counts, size_wh)[1::2].sum() == mask.sum()


SOUND = encode_rle(np.eye(40, dtype=np.uint8))["counts"]
HOSTILE: dict[str, tuple[object, tuple[object, object]]] = {
    "a frame of no pixels": (SOUND, (0, 40)),
    "a negative frame": (SOUND, (-40, -40)),
    "200,000 x 200,000": (SOUND, (200_000, 200_000)),
    "2^33 wide": (SOUND, (2**33, 1)),
    "a size that is text": (SOUND, ("40", 40)),
    "no size": (SOUND, (None, 40)),
    "another size": (SOUND, (41, 40)),
    "longer than its frame": (encode_rle(np.ones((80, 80), np.uint8))["counts"], (40, 40)),
    "shorter than its frame": (encode_rle(np.ones((8, 8), np.uint8))["counts"], (40, 40)),
    "nothing": (b"", (40, 40)),
    "text": ("abc", (40, 40)),
    "a number": (7, (40, 40)),
    "random bytes": (np.random.default_rng(0).bytes(200), (40, 40)),
    "ends within a number": (SOUND + b"P", (40, 40)),
    "a number without end": (b"o" * 5000, (40, 40)),
    "a negative run": (b"0O0T22", (40, 40)),
    "a run of 2^34": (b"0ooooo?", (40, 40)),
    "runs that add up by overflow": (b"ooooon7" * 100_000, (40, 40)),
    "empty runs": (SOUND + b"00", (40, 40)),
    "NUL": (b"\0" + SOUND, (40, 40)),
    "too many bytes": (b"1" * (MOST_BYTES + 1), (40, 40)),
}


@pytest.mark.parametrize("counts, size_wh", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_pycocotools_crashes_on_never_reaches_it(
    counts: bytes, size_wh: tuple[int, int]
) -> None:
    start = time.monotonic()
    with pytest.raises(DamagedMaskError):
        decode_rle(counts, size_wh)
    with pytest.raises(DamagedMaskError):
        mask_ious([counts], [counts], size_wh)
    with pytest.raises(DamagedMaskError):
        checked_rle(counts, size_wh)
    with pytest.raises(DamagedMaskError):
        containers([counts, counts], [5, 9], [(0, 0, 3, 3), (0, 0, 4, 4)], size_wh)
    assert time.monotonic() - start < 5


def test_every_flipped_bit_is_refused_or_read_to_its_end() -> None:
    refused = 0
    for bit in range(8 * len(SOUND)):
        content = bytearray(SOUND)
        content[bit // 8] ^= 1 << bit % 8
        try:
            decoded = decode_rle(bytes(content), (40, 40))
        except DamagedMaskError:
            refused += 1
        else:
            theirs = coco_mask.decode({"size": [40, 40], "counts": bytes(content)})
            np.testing.assert_array_equal(decoded, theirs.astype(bool))
    assert refused > 4 * len(SOUND)


def test_the_check_costs_little_beside_decoding() -> None:
    mask = np.zeros((3000, 4000), np.uint8)
    rows, columns = np.ogrid[:3000, :4000]
    mask[(rows - 1500) ** 2 + (columns - 2000) ** 2 < 900**2] = 1
    counts = encode_rle(mask)["counts"]

    def best(act: object) -> float:
        assert callable(act)
        times = []
        for _ in range(5):
            start = time.perf_counter()
            act()
            times.append(time.perf_counter() - start)
        return min(times)

    checking = best(lambda: runs_of(counts, (4000, 3000)))
    decoding = best(lambda: coco_mask.decode({"size": [3000, 4000], "counts": counts}))
    assert checking < 0.2 * decoding
