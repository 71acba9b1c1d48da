"""Which of several copies of a picture to keep: by resolution, sharpness and format."""

from __future__ import annotations

from collections.abc import Iterable

from src.records import DuplicateFile

# As a camera's sensor saw it, then as it was without loss; all else was compressed with loss.
RAW = frozenset(
    ".dng .nef .nrw .cr2 .cr3 .crw .arw .sr2 .srf .raf .orf .rw2 .rwl .pef .srw .x3f .mrw .3fr"
    " .fff .iiq .erf .mef .mos .kdc .dcr .gpr".split()
)
LOSSLESS = frozenset(
    ".png .apng .bmp .dib .tif .tiff .ppm .pgm .pbm .pnm .pfm .tga .sgi .rgb .rgba .qoi .psd"
    " .pcx .dds".split()
)
# Of the sharpest of a group: below it a copy has been blurred. Brightness and contrast change
# sharpness as well, by less.
_SHARP_ENOUGH = 0.4


def best_first(files: Iterable[DuplicateFile]) -> tuple[DuplicateFile, ...]:
    """Order copies, the one to keep first.

    One that is much less sharp than another comes behind it. Then more pixels are better, raw and
    lossless files before others, and of those more bytes for each pixel; last the sharper one, and
    the one that came first.
    """
    files = list(files)
    sharpest = max((file.sharpness or 0.0 for file in files), default=0.0)

    def worth(file: DuplicateFile) -> tuple[bool, int, int, int, float, int]:
        media, sharpness = file.media, file.sharpness or 0.0
        return (
            file.sharpness is None or sharpness >= _SHARP_ENOUGH * sharpest,
            (media.width or 0) * (media.height or 0),
            _format_rank(media.path.suffix.lower()),
            media.file_size,
            sharpness,
            -media.id,
        )

    return tuple(sorted(files, key=worth, reverse=True))


def _format_rank(suffix: str) -> int:
    return 2 if suffix in RAW else 1 if suffix in LOSSLESS else 0
