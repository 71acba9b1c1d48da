"""What is black and what is white among the values of an image that does not say so by its type.

Eight bits are what they are. Sixteen may hold ten or twelve; a float may hold a share, a
temperature or a height, with a few values far off or one that stands for "no data".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

# So many values of an image are looked at, evenly taken.
SAMPLED = 1_000_000
# What holds them all is unlike what holds nearly all: then it is a few that lie far off.
FAR_OFF = 3.0
# Values of fewer kinds are drawn, not measured: none of them stands for "no data".
FEW_KINDS = 16
# The least and the largest float stand for "no data" as well.
NO_NUMBER = 1e30
DEPTHS = (8, 10, 12, 14, 16)


@dataclass(frozen=True)
class Declared:
    """What a file declares about its values.

    Attributes:
        bits: how many bits count, where fewer than the values' type has.
        black: the value that is black, or None.
        white: the value that is white, or None.
        no_data: a value that stands for none, or None.
        full_scale: the whole range of the type counts, however little of it is used: there is a
            colour profile, which is about that range.
    """

    bits: int | None = None
    black: float | None = None
    white: float | None = None
    no_data: float | None = None
    full_scale: bool = False


def range_of(
    blocks: Iterable[np.ndarray], pixels: int, declared: Declared, colour: bool
) -> tuple[float, float]:
    """Find what is black and what is white.

    Args:
        blocks: all values of the image, some at a time, of one dtype; without those of alpha.
        pixels: how many values there are, about.
        colour: they are of several channels, whose black is 0.

    Returns:
        The value of black and that of white, of which the second is larger.
    """
    values, kind = _sampled(blocks, pixels)
    if declared.no_data is not None:
        values = values[values != declared.no_data]
    if not len(values):
        return 0.0, 1.0
    if kind.kind == "b":
        return 0.0, 1.0
    if kind.kind in "ui" and kind.itemsize == 1 and values[0] >= 0:
        bits = declared.bits or 8 * kind.itemsize - (kind.kind == "i")
        return 0.0, float(2**bits - 1)
    if _plausible(declared, values):
        assert declared.black is not None and declared.white is not None
        return declared.black, declared.white
    if kind.kind in "ui" and values[0] >= 0 and (kind.itemsize <= 2 or values[-1] <= 65535):
        return 0.0, _white_of_integers(values, min(2, kind.itemsize) * 8, kind, declared)
    low, high = _bulk(values)
    if kind.kind == "f" and low >= 0 and 1 / FEW_KINDS <= high <= 1:
        return 0.0, 1.0
    if colour:
        low = min(0.0, low)
    return (low, high) if high > low else (low, low + 1.0)


def scaled(values: np.ndarray, black: float, white: float) -> np.ndarray:
    """Bring values to float32 from 0 to 1; what is not a number is black."""
    shares: Any = values.astype(np.float32 if values.dtype.itemsize <= 2 else np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        shares -= black
        shares *= 1 / (white - black)
    np.nan_to_num(shares, copy=False, nan=0.0, posinf=1.0, neginf=0.0)
    np.clip(shares, 0, 1, out=shares)
    found: np.ndarray = shares.astype(np.float32, copy=False)
    return found


def rounder(
    kind: np.dtype, black: float, white: float, most: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Make what brings values of a dtype to integers from 0 (black) to most (white).

    Of sixteen bits and fewer all are worked out once, and then looked up.
    """
    found = np.uint8 if most < 256 else np.uint16

    def rounded(values: np.ndarray) -> np.ndarray:
        integers: np.ndarray = np.rint(scaled(values, black, white) * most).astype(found)
        return integers

    if kind.kind != "u" or kind.itemsize > 2:
        return rounded
    table = rounded(np.arange(np.iinfo(kind).max + 1, dtype=kind.newbyteorder("=")))
    return lambda values: table[values]


def _sampled(blocks: Iterable[np.ndarray], pixels: int) -> tuple[np.ndarray, np.dtype]:
    """Return every n-th value that is a number, sorted."""
    step = max(1, pixels // SAMPLED) | 1  # odd: not the same column of each row
    taken, kind = list[np.ndarray](), np.dtype(np.uint8)
    for block in blocks:
        kind = block.dtype
        some = block.reshape(-1)[::step]
        some = some.astype(np.float64)
        taken.append(some[np.abs(some) < NO_NUMBER])  # and those that are not numbers
    values = np.concatenate(taken) if taken else np.empty(0)
    values.sort()
    return values, kind


def _white_of_integers(values: np.ndarray, bits: int, kind: np.dtype, declared: Declared) -> float:
    if kind.kind == "i" and kind.itemsize == 2:
        bits = 15
    full = float(2**bits - 1)
    most = values[-1]
    if declared.white is not None and most <= declared.white <= full:
        return declared.white
    if declared.bits is not None and most <= 2**declared.bits - 1:
        return float(2**declared.bits - 1)
    if declared.full_scale:
        return full
    most = _without_lone_ends(values)[-1]
    return next((float(2**depth - 1) for depth in DEPTHS if most < 2**depth <= full), full)


def _plausible(declared: Declared, values: np.ndarray) -> bool:
    """Return whether black and white as the file says them fit what is in it."""
    if declared.black is None or declared.white is None:
        return False
    low, high = _bulk(values)
    wide = declared.white - declared.black
    return (
        np.isfinite(wide)
        and declared.black < declared.white
        and declared.black <= high
        and declared.white >= low
        and (high == low or wide <= 100 * (high - low))
    )


def _bulk(values: np.ndarray) -> tuple[float, float]:
    """Return the least and the largest value, leaving out a few that lie far off."""
    values = _without_lone_ends(values)
    low, high = float(values[0]), float(values[-1])
    most_low, most_high = (float(value) for value in np.percentile(values, (0.5, 99.5)))
    if high - low > FAR_OFF * (most_high - most_low) > 0:
        return most_low, most_high
    return low, high


def _without_lone_ends(values: np.ndarray) -> np.ndarray:
    """Leave out an end value that is farther from the others than they are from each other."""
    for _ in range(4):
        kinds = np.unique(values)
        if len(kinds) < FEW_KINDS:
            break
        if kinds[1] - kinds[0] > kinds[-1] - kinds[1]:
            values = values[values > kinds[0]]
        elif kinds[-1] - kinds[-2] > kinds[-2] - kinds[0]:
            values = values[values < kinds[-1]]
        else:
            break
    return values
