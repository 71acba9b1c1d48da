"""Colour words on real photos: python -m tests.benchmarks.photo_colours FOLDER

Takes the photos of a folder into a library of its own, searches each colour by its name, and
holds the first five segments against bands in CIELAB that were written down before: a segment
is of a colour when the median of its own pixels lies in the colour's band.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from src.config import LibraryPaths
from src.library import MediaLibrary
from src.models.mask_rle import decode_rle
from src.processing.image_loader import load_image
from src.records import StoredSegment
from src.search.leaves import segment_filter
from src.settings import Settings

FIRST = 5
SEGMENTS = segment_filter(kinds=("object",))


@dataclass(frozen=True)
class Band:
    """A part of CIELAB: lightness 0 to 100, chroma from 0, hue in degrees from red by yellow."""

    lightness: tuple[float, float]
    chroma: tuple[float, float]
    hue: tuple[float, float] = (-180.0, 540.0)

    def holds(self, lab: np.ndarray) -> bool:
        chroma = float(np.hypot(lab[1], lab[2]))
        hue = float(np.degrees(np.arctan2(lab[2], lab[1]))) % 360
        low, high = self.hue
        return (
            self.lightness[0] <= lab[0] <= self.lightness[1]
            and self.chroma[0] <= chroma <= self.chroma[1]
            and any(low <= hue + turn <= high for turn in (-360, 0, 360))
        )


# Colourless below a chroma of 12. Red turns to orange at about 45 degrees; brown is dark or dull
# orange and yellow; green and blue end where people begin to say yellow, turquoise and purple.
BANDS = {
    "red": Band((15, 75), (25, 200), (-20, 45)),
    "green": Band((15, 90), (12, 200), (100, 190)),
    "blue": Band((10, 85), (12, 200), (220, 310)),
    "white": Band((80, 100), (0, 12)),
    "black": Band((0, 28), (0, 12)),
    "brown": Band((12, 62), (10, 45), (30, 85)),
    "gray": Band((28, 80), (0, 12)),
}


def median_lab(segment: StoredSegment, image_rgb: np.ndarray) -> np.ndarray:
    """The median of a segment's own pixels in CIELAB: (3,) float32."""
    assert segment.mask_rle is not None
    mask = decode_rle(segment.mask_rle, segment.frame_wh)
    pixels = image_rgb[mask].astype(np.float32)[None] / 255
    lab: np.ndarray = np.median(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0], axis=0)
    return lab


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="colours-") as name,
        MediaLibrary(LibraryPaths(Path(name)), settings=Settings()) as library,
    ):
        for _ in library.add([chosen.folder]):
            pass
        segments = library.metadata.segments_where(SEGMENTS)
        images: dict[Path, np.ndarray] = {}
        for segment in segments:
            if segment.media_path not in images:
                loaded = load_image(segment.media_path, library.settings.pixel_limit)
                images[segment.media_path] = loaded.frame.image_rgb
        colours = {s.id: median_lab(s, images[s.media_path]) for s in segments}
        print(f"{len(segments)} segments of {len(images)} photos")
        for word, band in BANDS.items():
            there = sum(band.holds(lab) for lab in colours.values())
            hits = library.search(word, n_results=FIRST, where=SEGMENTS).hits
            right = sum(band.holds(colours[hit.segment.id]) for hit in hits)
            print(f"{word:6} {right} of the first {len(hits)}; {there} segments are {word}")
            for hit in hits:
                lab = colours[hit.segment.id]
                print(
                    f"    {'+' if band.holds(lab) else '-'} {hit.score:.2f} "
                    f"L {lab[0]:3.0f} a {lab[1]:+4.0f} b {lab[2]:+4.0f}  "
                    f"{hit.segment.media_path.name} {hit.segment.bbox_xywh}"
                )


if __name__ == "__main__":
    main()
