"""Where a library lives, and what a person can set."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha1
from pathlib import Path
from typing import Any, Literal

from src.errors import DatabaseError

APPLICATION_FOLDER = Path(__file__).resolve().parents[1]
STARTER_FOLDER = APPLICATION_FOLDER / "models" / "starter"
# Weights are large, and people who share a machine can share them.
MODELS_FOLDER = Path(os.environ.get("MEDIA_LIBRARY_MODELS") or STARTER_FOLDER.parent).absolute()
# What the settings call the bundled models, and doing without SAM.
STARTER = "starter"
NO_SAM = "none"
Device = Literal["auto", "cpu", "cuda", "mps"]
# For child processes: on Windows none of them may flash a console when the window has none.
NO_CONSOLE: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)


def default_library() -> Path:
    """Say where the library is when nobody says.

    MEDIA_LIBRARY, else the one that was chosen in the window, else the application's folder.
    """
    named = os.environ.get("MEDIA_LIBRARY") or _remembered_library()
    return Path(named or APPLICATION_FOLDER)


def remember_library(folder: Path) -> None:
    """Open this library from now on when nobody says which; a file of the user's keeps it."""
    file = _user_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, json.dumps({"library": str(folder.absolute())}).encode())


def _remembered_library() -> str | None:
    try:
        folder = json.loads(_user_file().read_text(encoding="utf-8"))["library"]
        return folder if Path(folder).is_dir() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _user_file() -> Path:
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "media-segment-library" / "library.json"


@lru_cache(4096)
def _lies_in(folder: Path, other: Path) -> bool:
    """Say whether a folder is another or inside it, whatever `..` and links lead to."""
    return folder.resolve().is_relative_to(other.resolve())


@dataclass(frozen=True)
class LibraryPaths:
    """The files of one library. A library is a folder: copy it, and it works elsewhere."""

    root: Path = field(default_factory=default_library)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root).expanduser().absolute())

    @property
    def metadata_db(self) -> Path:
        return self.root / "metadata.db"

    @property
    def chroma_db(self) -> Path:
        return self.root / "chroma_db"

    @property
    def extracted_segments(self) -> Path:
        return self.root / "extracted_segments"

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def settings(self) -> Path:
        return self.root / "settings.json"

    @property
    def lock(self) -> Path:
        return self.root / "library.lock"

    @property
    def log(self) -> Path:
        return self.root / "library.log"

    @property
    def thumbnails(self) -> Path:
        """Small pictures for the window; deleted, they are made again."""
        return self.extracted_segments / "thumbnails"

    def crop(self, stored: str) -> Path:
        """Say where the crop lies that a row of `segments` names.

        A library that came from someone else can name any file. What is not inside this one
        would be deleted with the segment or copied into a dataset, so it is taken for a crop
        that is missing.
        """
        path = self.root / stored
        if _lies_in(path.parent, self.extracted_segments):
            return path
        return self.extracted_segments / "elsewhere" / f"{sha1(stored.encode()).hexdigest()}.jpg"

    def has_library(self) -> bool:
        return os.path.exists(self.metadata_db)  # Path.exists raises where one may not look

    def is_writable(self) -> bool:
        """Say whether who runs this may change what is here."""
        files = (self.root, self.lock, self.metadata_db)
        return all(os.access(file, os.W_OK) for file in files if os.path.exists(file))

    def create(self, read_only: bool = False) -> None:
        """Make the folders that are missing; none where a library is only to be read.

        Raises:
            DatabaseError: the place can't be written to.
        """
        if read_only and self.has_library():
            return
        try:
            for folder in (self.root, self.extracted_segments, self.datasets):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise DatabaseError(
                f"{self.root}: a library can't be kept here ({exc.strerror}); "
                "choose another folder with --library"
            ) from exc


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


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
        device: where the models run.
        clip_model: the CLIP to use: "starter" for the bundled one, else the file's path in the
            models folder, with slashes; None takes the best that is here.
        sam_model: the SAM, in the same way; "none" does without, so frames are not cut.
        tag_confidence: auto-tags below it are not kept.
        vocabulary: a text file of tags; None takes the default of the models in use.
        appearance: of the window.
        widget_scaling: size of everything in the window; None follows the desktop.
        log_queries: write what is searched for into library.log, which else holds none of it.
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
    device: Device = "auto"
    clip_model: str | None = None
    sam_model: str | None = None
    tag_confidence: float = 0.3
    vocabulary: str | None = None
    appearance: Literal["dark", "light", "system"] = "dark"
    widget_scaling: float | None = None
    log_queries: bool = False

    def __post_init__(self) -> None:
        checks = {
            "frames_per_second": 0 < self.frames_per_second <= 1000,
            "duplicate_distance": -1 <= self.duplicate_distance <= 64,
            "frames_per_video": self.frames_per_video >= 1,
            "min_segment_px": self.min_segment_px >= 1,
            "min_segment_share": 0 <= self.min_segment_share < 1,
            "max_segment_share": 0 < self.max_segment_share <= 1,
            "duplicate_mask_iou": 0 < self.duplicate_mask_iou <= 1,
            "points_per_side": self.points_per_side is None or 1 <= self.points_per_side <= 128,
            "batch_size": 1 <= self.batch_size <= 4096,
            "blur_kernel": self.blur_kernel >= 1 and self.blur_kernel % 2 == 1,
            "pixel_limit": self.pixel_limit >= 1,
            "device": self.device in ("auto", "cpu", "cuda", "mps"),
            "clip_model": self.clip_model is None or _is_name(self.clip_model),
            "sam_model": self.sam_model is None or _is_name(self.sam_model),
            "tag_confidence": 0 <= self.tag_confidence <= 1,
            "appearance": self.appearance in ("dark", "light", "system"),
            "log_queries": isinstance(self.log_queries, bool),
            "widget_scaling": self.widget_scaling is None or 0.75 <= self.widget_scaling <= 3,
        }
        for name, fits in checks.items():
            if not fits:
                raise ValueError(f"{name} can't be {getattr(self, name)!r}")

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Read settings; a missing file gives the defaults, unknown names are left out.

        Raises:
            DatabaseError: the file is not JSON, or a value is out of its range.
        """
        try:
            stored: Any = json.loads(path.read_text(encoding="utf-8"))
            known = {field.name for field in dataclasses.fields(cls)}
            return cls(**{name: value for name, value in stored.items() if name in known})
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError, AttributeError) as exc:
            raise DatabaseError(
                f"{path}: the settings can't be read ({exc}); mend or delete the file"
            ) from exc

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


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file by a temporary one beside it and a rename, so no half file is ever seen."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
