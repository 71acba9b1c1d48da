"""Where a library, the models and the application itself lie."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha1
from pathlib import Path, PurePosixPath
from typing import Any

from src import ownership
from src.errors import DatabaseError
from src.library_files import SafeFolder, write_atomically
from src.regular_files import read_small

APPLICATION_FOLDER = Path(__file__).resolve().parents[1]
# A copy that pip has installed keeps nothing of a person's beside its code.
IS_CHECKOUT = (APPLICATION_FOLDER / "run.sh").is_file()


def _data_folder() -> Path:
    """Return where an installed copy keeps its library and models."""
    home = Path(os.path.expanduser("~"))  # without a home default_library says so first
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        folder = home / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return folder / "media-segment-library"


STARTER_FOLDER = (
    APPLICATION_FOLDER / "models" if IS_CHECKOUT else Path(__file__).parent / "bundled"
) / "starter"
# Weights are large, and people who share a machine can share them.
MODELS_FOLDER = Path(
    os.environ.get("MEDIA_LIBRARY_MODELS")
    or (STARTER_FOLDER.parent if IS_CHECKOUT else _data_folder() / "models")
).absolute()
# For child processes: on Windows none of them may flash a console when the window has none.
NO_CONSOLE: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_LARGEST_USER_FILE = 1 << 20  # bytes


def models_folder_problem() -> str | None:
    """Return what is wrong with the folder that MEDIA_LIBRARY_MODELS names; None if nothing is."""
    if not os.environ.get("MEDIA_LIBRARY_MODELS") or os.path.isdir(MODELS_FOLDER):
        return None
    return (
        f"{MODELS_FOLDER}: there is no such folder, though MEDIA_LIBRARY_MODELS names it; only the "
        "bundled models are used. Correct the name, or make the folder"
    )


def default_library() -> Path:
    """Return where the library is when no folder is given.

    MEDIA_LIBRARY, else the one that was chosen in the window, else the application's folder; for
    an installed copy one among the user's data.

    Raises:
        DatabaseError: an installed copy has nowhere to keep one, since there is no home folder.
    """
    named = os.environ.get("MEDIA_LIBRARY") or _remembered_library()
    if named:
        return Path(named)
    if IS_CHECKOUT:
        return APPLICATION_FOLDER
    home_folder()
    return _data_folder() / "library"


def remember_library(folder: Path) -> None:
    """Open this library from now on when none is named; a file of the user's keeps it.

    Raises:
        DatabaseError: that file can't be written.
    """
    _change_user_file("library", str(folder.absolute()))


def _remembered_library() -> str | None:
    folder = _in_user_file().get("library")
    try:
        return folder if isinstance(folder, str) and Path(folder).is_dir() else None
    except ValueError:
        return None


def trust_server(address: str) -> None:
    """Let libraries that this user opens send what is in them to a server.

    A library may come from a stranger, with the stranger's server in its settings.

    Raises:
        DatabaseError: it can't be kept.
    """
    trusted = _trusted_servers()
    if address not in trusted:
        _change_user_file("servers", [*trusted, address])


def is_trusted_server(address: str) -> bool:
    """Return whether this user has named a server; see trust_server."""
    return address in _trusted_servers()


def _trusted_servers() -> list[str]:
    named = _in_user_file().get("servers")
    return [each for each in named if isinstance(each, str)] if isinstance(named, list) else []


def _in_user_file() -> dict[str, Any]:
    try:
        kept = json.loads(read_small(_user_file(), _LARGEST_USER_FILE))
    except (OSError, ValueError, RecursionError, DatabaseError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _change_user_file(key: str, value: Any) -> None:
    file = _user_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(_in_user_file() | {key: value}).encode())
    except OSError as exc:
        raise DatabaseError(
            f"{file}: which {key} this user has chosen can't be kept ({exc.strerror or exc})"
        ) from exc


def home_folder() -> Path:
    """Return the user's own folder.

    Raises:
        DatabaseError: there is none, as for a user id that the system does not know.
    """
    try:
        return Path.home()
    except RuntimeError as exc:
        raise DatabaseError(
            "there is no home folder: HOME is not set, and this user is not known to the system; "
            "set HOME to a folder of your own"
        ) from exc


def _user_file() -> Path:
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA") or home_folder() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        folder = home_folder() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or home_folder() / ".config")
    return folder / "media-segment-library" / "library.json"


@lru_cache(4096)
def _is_reached_without_links(folder: Path, root: Path) -> bool:
    """Return whether no link leads from a library's folder to one inside it."""
    return folder.resolve() == root.resolve() / folder.relative_to(root)


@dataclass(frozen=True)
class LibraryPaths:
    """The files of one library. A library is a folder: copy it, and it works elsewhere."""

    root: Path = field(default_factory=default_library)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(os.path.expanduser(self.root)).absolute())

    @property
    def files(self) -> SafeFolder:
        """What writes, renames and removes here; nothing else does."""
        return SafeFolder(self.root)

    @property
    def metadata_db(self) -> Path:
        return self.root / ownership.METADATA_DB

    @property
    def chroma_db(self) -> Path:
        return self.root / ownership.INDEXES

    @property
    def extracted_segments(self) -> Path:
        return self.root / ownership.SEGMENTS

    @property
    def datasets(self) -> Path:
        return self.root / ownership.DATASETS

    @property
    def settings(self) -> Path:
        return self.root / ownership.SETTINGS

    @property
    def lock(self) -> Path:
        return self.root / ownership.LOCK

    @property
    def log(self) -> Path:
        return self.root / ownership.LOG

    @property
    def thumbnails(self) -> Path:
        """Small pictures for the window; deleted, they are made again."""
        return self.extracted_segments / "thumbnails"

    def crop(self, stored: str) -> Path:
        """Return where the crop lies that a row of `segments` names.

        A library that came from someone else can name any file. What is not inside this one
        would be deleted with the segment or copied into a dataset, so it counts as a crop that
        is missing.
        """
        parts = PurePosixPath(stored).parts
        if len(parts) > 1 and parts[0] == ownership.SEGMENTS and not {"..", "\0"} & set(parts):
            path = self.root.joinpath(*parts)
            if path.suffix == ".jpg" and _is_reached_without_links(path.parent, self.root):
                return path
        name = sha1(stored.encode("utf-8", "surrogateescape")).hexdigest()
        return self.extracted_segments / "elsewhere" / f"{name}.jpg"

    def name(self, path: Path) -> str:
        """Return a path inside the library relative to it, with slashes, as rows and `files` do."""
        return path.relative_to(self.root).as_posix()

    def has_library(self) -> bool:
        return os.path.exists(self.metadata_db)  # Path.exists raises where access is denied

    def is_writable(self) -> bool:
        """Return whether who runs this may change what is here."""
        files = (self.root, self.lock, self.metadata_db)
        return all(os.access(file, os.W_OK) for file in files if os.path.exists(file))

    def check_ownership(self) -> None:
        """Check that nothing in the folder under the library's names is somebody else's.

        Raises:
            DatabaseError: something is, with the names.
        """
        if os.path.isdir(self.root):
            ownership.check_ownership(self.root)

    def create(self, read_only: bool = False) -> None:
        """Make the folders that are missing; none where a library is only to be read.

        Raises:
            DatabaseError: the place can't be written to, or something under the library's names
                there is somebody else's; see `ownership`.
        """
        if read_only and self.has_library():
            ownership.check_ownership(self.root)
            return
        try:
            ownership.claim(self.root)
        except OSError as exc:
            raise DatabaseError(
                f"{self.root}: a library can't be kept here ({exc.strerror or exc}); "
                "choose another folder with --library"
            ) from exc
