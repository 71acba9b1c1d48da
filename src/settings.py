"""What a person can set, and what is kept of that in a library's folder."""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from src.chroma_address import is_chroma_address
from src.cluster_address import are_roots, is_cluster
from src.errors import DatabaseError
from src.library_files import SafeFolder, write_atomically

# What the settings call the bundled models, and doing without SAM.
STARTER = "starter"
NO_SAM = "none"
Device = Literal["auto", "cpu", "cuda", "mps"]
# Folders that a walk leaves out, by name or by "folder above/name", whatever the case; "*" stands
# for any letters, and what begins with "!" is walked all the same.
THUMBNAIL_FOLDERS = (
    "@eaDir",
    ".@__thumb",
    ".thumbnails",
    "*.lrdata",
    "CaptureOne/Cache",
    *(f"*.{kind}/*" for kind in ("photoslibrary", "photolibrary", "aplibrary")),
    "!*library/originals",
    "!*library/Masters",
)
BIN_FOLDERS = (
    "#recycle",
    "@Recycle",
    "$RECYCLE.BIN",
    "RECYCLER",
    ".Trash",
    ".Trash-*",
    ".Trashes",
    ".dtrash",
)
OTHER_FOLDERS = (
    "__MACOSX",
    "lost+found",
    "node_modules",
    "System Volume Information",
    "#snapshot",
    "@tmp",
)
LARGEST_SETTINGS = 1 << 20  # bytes
RECENT_SEARCHES, LONGEST_SEARCH = 6, 200  # how many are kept, and how many characters of one

log = logging.getLogger(__name__)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _is_whole(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _is_number(value: object, least: float, most: float) -> bool:
    return type(value) in (int, float) and least <= cast(float, value) <= most


def _are_names(value: object) -> bool:
    return isinstance(value, list | tuple) and all(_is_name(name) for name in value)


def _optional(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


def _one_of(*values: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


def _are_searches(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) <= RECENT_SEARCHES
        and all(_is_name(each) and len(each) <= LONGEST_SEARCH for each in value)
    )


# What each setting may be; no NaN is in any range.
_FITS: dict[str, Callable[[Any], bool]] = {
    "frames_per_second": lambda value: _is_number(value, 1e-6, 1000),
    "duplicate_distance": lambda value: _is_whole(value, -1, 64),
    "frames_per_video": lambda value: _is_whole(value, 1, sys.maxsize),
    "min_segment_px": lambda value: _is_whole(value, 1, sys.maxsize),
    "min_segment_share": lambda value: _is_number(value, 0, 1) and value < 1,
    "max_segment_share": lambda value: _is_number(value, 0, 1) and value > 0,
    "duplicate_mask_iou": lambda value: _is_number(value, 0, 1) and value > 0,
    "points_per_side": _optional(lambda value: _is_whole(value, 1, 128)),
    "batch_size": lambda value: _is_whole(value, 1, 4096),
    "blur_kernel": lambda value: _is_whole(value, 1, 999) and value % 2 == 1,
    "pixel_limit": lambda value: _is_whole(value, 1, sys.maxsize),
    "pixels_at_once": lambda value: _is_whole(value, 1, sys.maxsize),
    "all_pages": lambda value: isinstance(value, bool),
    "passed_over_folders": _are_names,
    "device": _one_of("auto", "cpu", "cuda", "mps"),
    "clip_model": _optional(_is_name),
    "sam_model": _optional(_is_name),
    "tag_confidence": lambda value: _is_number(value, 0, 1),
    "vocabulary": _optional(_is_name),
    "appearance": _one_of("dark", "light", "system"),
    "widget_scaling": _optional(lambda value: _is_number(value, 0.75, 3)),
    "log_queries": lambda value: isinstance(value, bool),
    "offer_models": lambda value: isinstance(value, bool),
    "media_order": _one_of("added", "captured", "name", "segments"),
    "thumbnail_width": lambda value: _is_whole(value, 120, 320),
    "recent_searches": _are_searches,
    "last_folder": _optional(_is_name),
    "chroma_server": _optional(is_chroma_address),
    "cluster": _optional(is_cluster),
    "cluster_roots": are_roots,
}


def _are_of_another(stored: dict[str, Any]) -> bool:
    """Return whether settings are another program's, which may have a `device` or two as well.

    Ours are written whole; what a person wrote by hand holds nothing that we don't know.
    """
    ours = _FITS.keys() & stored.keys()
    return bool(stored.keys() - ours) and len(ours) < len(_FITS) // 2


@dataclass(frozen=True)
class Settings:
    """What a person can set, with the defaults.

    Attributes:
        frames_per_second: how often a video is sampled.
        duplicate_distance: a sampled frame whose 64-bit dHash differs from the last kept
            frame's in at most so many bits is skipped; -1 keeps every frame.
        frames_per_video: no more are taken from one video, whatever its header says.
        min_segment_px: masks of fewer pixels are dropped.
        min_segment_share: masks under this share of the frame are dropped.
        max_segment_share: masks over this share are the whole image, and dropped.
        duplicate_mask_iou: of two masks that overlap this much, the better one stays.
        points_per_side: SAM's grid of clicks; None takes what suits the model.
        batch_size: crops that CLIP embeds at once.
        blur_kernel: Gaussian behind a segment, odd, in pixels.
        pixel_limit: images of more pixels are refused unread.
        pixels_at_once: of the pictures that are read at the same time, which bounds the memory
            for them; a larger one is read alone.
        all_pages: take each page of a TIFF as a frame; without it the one that is the picture.
        passed_over_folders: folders that are not read when one above them is added; see
            THUMBNAIL_FOLDERS for how they are written.
        device: where the models run.
        clip_model: the CLIP to use: "starter" for the bundled one, else the file's path in the
            models folder, with slashes; None takes the best that is here.
        sam_model: the SAM, in the same way; "none" does without, so frames are not cut.
        tag_confidence: auto-tags below it are not kept.
        vocabulary: a text file of tags; None takes the default of the models in use.
        appearance: of the window.
        widget_scaling: size of everything in the window; None follows the desktop.
        offer_models: have the window offer larger models while there are only the bundled ones.
        log_queries: write what is searched for into library.log, which else holds none of it.
        media_order: of the cards in the window.
        thumbnail_width: wished for, in pixels of the design.
        recent_searches: the words of the last ones, the latest first.
        last_folder: where the window's file chooser was used last.
        chroma_server: "http://HOST:PORT" of a Chroma server that keeps the search index for other
            programs; None keeps it in the library's folder.
        cluster: "ray://HOST:10001", "auto" or "local": a Ray cluster that does the work on frames
            while media is added; None does it here.
        cluster_roots: where folders of media are on the workers, as "HERE=THERE".
    """

    frames_per_second: float = 1.0
    duplicate_distance: int = 2
    frames_per_video: int = 100_000
    min_segment_px: int = 64
    min_segment_share: float = 0.0005
    max_segment_share: float = 0.95
    duplicate_mask_iou: float = 0.85
    points_per_side: int | None = None
    batch_size: int = 32
    blur_kernel: int = 21
    pixel_limit: int = 250_000_000
    pixels_at_once: int = 32_000_000
    all_pages: bool = False
    passed_over_folders: tuple[str, ...] = THUMBNAIL_FOLDERS + BIN_FOLDERS + OTHER_FOLDERS
    device: Device = "auto"
    clip_model: str | None = None
    sam_model: str | None = None
    tag_confidence: float = 0.3
    vocabulary: str | None = None
    appearance: Literal["dark", "light", "system"] = "dark"
    widget_scaling: float | None = None
    log_queries: bool = False
    offer_models: bool = True
    media_order: Literal["added", "captured", "name", "segments"] = "added"
    thumbnail_width: int = 184
    recent_searches: tuple[str, ...] = ()
    last_folder: str | None = None
    chroma_server: str | None = None
    cluster: str | None = None
    cluster_roots: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, fits in _FITS.items():
            if not fits(getattr(self, name)):
                raise ValueError(f"{name} can't be {getattr(self, name)!r}")
        # JSON knows lists alone
        for name in ("passed_over_folders", "recent_searches", "cluster_roots"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @classmethod
    def load(cls, path: Path, on_problem: Callable[[str], None] = log.warning) -> Settings:
        """Read settings; a missing file gives the defaults, unknown names are left out.

        Args:
            on_problem: called with each value that can't be used; its default is used instead.

        Raises:
            DatabaseError: the file can't be read, is not JSON, or is another program's.
        """
        try:
            content = SafeFolder(path.parent).read(path.name, LARGEST_SETTINGS)
            stored: Any = json.loads(content)
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, RecursionError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else exc
            raise DatabaseError(
                f"{path}: the settings can't be read ({reason}); fix or delete the file"
            ) from exc
        if not isinstance(stored, dict) or _are_of_another(stored):
            raise DatabaseError(
                f"{path}: these are not the settings of this program; move the file elsewhere, or "
                "choose another folder with --library"
            )
        known = {name: value for name, value in stored.items() if name in _FITS}
        for name, value in list(known.items()):
            if not _FITS[name](value):
                del known[name]
                default = getattr(cls, name)
                used = "the default" if default is None else f"the default, {default},"
                on_problem(f"{path}: {name} can't be {str(value)[:40]!r}; {used} is used")
        return cls(**known)

    def save(self, path: Path) -> None:
        """Write the settings, whole or not at all.

        Raises:
            DatabaseError: they can't be written; the old ones stay.
        """
        try:
            write_atomically(path, json.dumps(dataclasses.asdict(self), indent=2).encode())
        except OSError as exc:
            raise DatabaseError(
                f"{path}: the settings can't be saved ({exc.strerror or exc}); see that the disk "
                "has room and can be written to"
            ) from exc
