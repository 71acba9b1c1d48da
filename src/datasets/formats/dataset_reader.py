"""What all readers of datasets need: files by their names, sizes of images, and what is wrong.

A dataset may come from anybody: no name leads out of its folder, no link in it is followed, and
nothing is read without a limit.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from src.datasets.annotations import AnnotatedImage
from src.datasets.atomic_output import DatasetFolder
from src.datasets.protocols import Skipped
from src.errors import DamagedMaskError
from src.library_files import SafeFolder
from src.models.mask_rle import MOST_PIXELS as MOST_OF_A_MASK
from src.records import Split
from src.regular_files import read_up_to

IMAGE_SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .bmp .webp .tif .tiff .gif .heic .heif .avif .jxl .jp2".split()
)
# Folders in which the annotations of the folder above lie.
_BESIDE_IMAGES = frozenset({"annotations", "labels"})
_SPLITS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
# A folder of other things may have any number of files of a kind.
_MOST_HEADS = 200
# What a dataset may say of an image, and what of a mask is decoded at once.
MOST_PIXELS = 1 << 28
_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)
# No file system has longer names of files with their folders.
LONGEST_NAME = 4096


class DatasetReader:
    """The files of a dataset that is read.

    Attributes:
        chosen: the one file of annotations that a person named; None for all of the folder.
    """

    def __init__(
        self, dataset: DatasetFolder, skipped: Skipped | None = None, chosen: str | None = None
    ) -> None:
        """List a dataset's files.

        Args:
            skipped: told of each part that is wrong; None raises a ValueError instead.

        Raises:
            OSError: it can't be listed.
        """
        self._dataset, self._skipped, self.chosen = dataset, skipped, chosen
        above = f"{dataset.name}/" if dataset.name else ""
        # some file systems list accents in another form than they were given
        self._names = {
            unicodedata.normalize("NFC", name): name
            for entry in dataset.files.walk(dataset.name)
            if entry.is_file
            for name in (entry.name.removeprefix(above),)
        }
        self._by_last_name: dict[str, list[str]] = defaultdict(list)
        for name in self._names:
            self._by_last_name[PurePosixPath(name).name].append(name)

    @classmethod
    def of(cls, path: Path, skipped: Skipped) -> DatasetReader:
        """Read the dataset of a folder, or of one file of annotations in it."""
        if path.is_dir():
            return cls(DatasetFolder(SafeFolder(path)), skipped)
        root = path.parent
        if root.name.lower() in _BESIDE_IMAGES:
            root = root.parent
        return cls(DatasetFolder(SafeFolder(root)), skipped, path.relative_to(root).as_posix())

    @property
    def root(self) -> Path:
        return self._dataset.files.root / self._dataset.name

    # -- files

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def names(self, suffix: str = "", folder: str = "") -> list[str]:
        """List files by the end of their name, in whichever case, and the folder they are below."""
        if self.chosen is not None and suffix and self.chosen.lower().endswith(suffix):
            return [self.chosen]
        below = f"{folder}/" if folder else ""
        return sorted(
            name for name in self._names if name.startswith(below) and name.lower().endswith(suffix)
        )

    def images(self, folder: str = "") -> list[str]:
        """List the images below a folder."""
        return [name for name in self.names(folder=folder) if is_image(name)]

    def open(self, name: str) -> IO[bytes]:
        """Open a file.

        Raises:
            OSError: it is not there, or can't be read.
        """
        return self._dataset.open(self._names.get(name, name))

    def read(self, name: str, limit: int) -> bytes:
        """Read a file.

        Raises:
            OSError: it is not there, is larger, or can't be read.
        """
        with self.open(name) as stream:
            return read_up_to(stream, limit, Path(name))

    def text(self, name: str, limit: int) -> str:
        """Read a text in UTF-8.

        Raises:
            OSError: it is not there, is larger, or can't be read.
            ValueError: it is no such text.
        """
        return self.read(name, limit).decode("utf-8-sig")

    def find(self, said: str, folders: Sequence[str] = ("",)) -> str | None:
        """Find the file that a dataset means: in one of the folders, or the only one of its name.

        Names with backslashes, and the paths of another machine, lead to what is here.
        """
        if len(said) > LONGEST_NAME:
            return None
        said = unicodedata.normalize("NFC", said.replace("\\", "/"))
        parts = [part for part in said.split("/") if part not in ("", ".")]
        for folder in folders:
            name = _resolved([*folder.split("/"), *parts])
            if name in self._names:
                return name
        parts = [part for part in parts if part != ".."]
        for begin in range(len(parts)):
            name = "/".join(parts[begin:])
            if name in self._names:
                return name
        alike = self._by_last_name.get(parts[-1], []) if parts else []
        return alike[0] if len(alike) == 1 else None

    def image(
        self, said: object, folders: Sequence[str] = ("",), size_wh: object = None
    ) -> tuple[str, tuple[int, int]]:
        """Find an image, and the size that its annotations are for: (width, height).

        Args:
            size_wh: as the dataset has it; None where it says nothing of it, and the image's own is
                meant, upright.

        Raises:
            OSError: it can't be read.
            ValueError: it is not there, is no image, or has no such size. In a dataset of ours that
                of the image has to be the same; elsewhere who takes it in has to look.
        """
        if not isinstance(said, str) or not said:
            raise ValueError("an image has no name")
        name = self.find(said, folders)
        if name is None:
            raise ValueError(f"the image {said[:LONGEST_NAME]!r} is not there")
        size = self.size_of(name)
        if size_wh is None or size_wh == size:
            return name, size
        if self._skipped is None:
            raise ValueError(f"the image {said!r} has another size than its annotations say")
        return name, _size(size_wh)

    def size_of(self, image: str) -> tuple[int, int]:
        """Measure an image as it is seen, upright: (width, height).

        Raises:
            OSError: it can't be read.
            ValueError: it is no image.
        """
        with self.open(image) as stream:
            return image_size(stream)

    # -- what is wrong

    @contextmanager
    def part(self, file: str) -> Iterator[None]:
        """Let what is wrong in the block cost that part of a file, or all, where nobody is told.

        Raises:
            ValueError: something is wrong.
        """
        try:
            yield
        except (ValueError, DamagedMaskError, OSError) as exc:
            reason = exc.strerror or str(exc) if isinstance(exc, OSError) else str(exc)
            if self._skipped is None:
                raise ValueError(f"{file}: {reason}") from exc
            self._skipped(self.root / file.lstrip("/"), reason)

    def skip(self, file: str, reason: str) -> None:
        """Leave something of a file out.

        Raises:
            ValueError: nobody is told.
        """
        with self.part(file):
            raise ValueError(reason)


def read_strictly(
    dataset: DatasetFolder, images: Callable[[DatasetReader], Iterator[AnnotatedImage]]
) -> Iterator[AnnotatedImage]:
    """Read a dataset of ours, in which nothing is wrong; see `ExportFormat.read_back`."""
    yield from images(DatasetReader(dataset))


def read_leniently(
    path: Path,
    skipped: Skipped,
    images: Callable[[DatasetReader], Iterator[AnnotatedImage]],
) -> Iterator[AnnotatedImage]:
    """Read what people labelled in a dataset of anybody; see `Importer.read`."""
    reader = DatasetReader.of(path, skipped)
    for image in images(reader):
        kept = tuple(each for each in image.annotations if each.source != "auto")
        if len(kept) < len(image.annotations):
            skipped(reader.root / image.image, "a model's label is left out")
        if kept or not image.annotations:
            yield replace(image, image=reader.root / image.image, annotations=kept)


def heads(path: Path, suffix: str, deepest: int = 2, most: int = 1 << 16) -> Iterator[str]:
    """Give the beginnings of a file, or of some of a folder's files of a kind, to look at.

    Args:
        deepest: how many folders below this one are looked into.
        most: bytes of each.

    Raises:
        OSError: it can't be looked at.
    """
    if not path.is_dir():
        if path.name.lower().endswith(suffix):
            yield _head(SafeFolder(path.parent), path.name, most)
        return
    files, folders, looked_at = SafeFolder(path), [("", 0)], 0
    for folder, depth in folders:
        for entry in files.entries(folder):
            if entry.is_folder and depth < deepest:
                folders.append((entry.name, depth + 1))
            elif entry.is_file and entry.name.lower().endswith(suffix):
                yield _head(files, entry.name, most)
                looked_at += 1
                if looked_at == _MOST_HEADS:
                    return


def _head(files: SafeFolder, name: str, most: int) -> str:
    with files.open(name) as stream:
        return stream.read(most).decode("utf-8", "replace")


def is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def folder_of(name: str) -> str:
    """Return the folder that a file is in; empty for the dataset's own."""
    return name.rpartition("/")[0]


def split_named(name: str) -> Split | None:
    """Return the split that a file or folder is named after: that of "instances_val2017.json"."""
    words = re.findall("[a-z]+", name.lower())
    return next((_SPLITS[word] for word in reversed(words) if word in _SPLITS), None)


def split_of_path(name: str) -> Split | None:
    """Return the split of an image by the folders that it is in, the innermost first."""
    folders = reversed(PurePosixPath(name).parent.parts)
    return next((split for each in folders if (split := split_named(each))), None)


def image_size(stream: IO[bytes]) -> tuple[int, int]:
    """Measure an image as it is seen, upright: (width, height).

    Raises:
        ValueError: it is no image, or larger than any that has masks here.
    """
    head = stream.read(2)
    stream.seek(0)
    # as `Image.open` does, but for its limit: only the head is read
    opened: Callable[[Any], Image.Image] = {b"\xff\xd8": JpegImageFile, b"\x89P": PngImageFile}.get(
        head, Image.open
    )
    try:
        with warnings.catch_warnings(action="ignore"), opened(stream) as image:
            width, height = image.size
            # that of PNG would decode all pixels to look for EXIF behind them
            is_turned = Image.Image.getexif(image).get(_ORIENTATION, 1) in _TURNED
            is_turned &= image.format != "TIFF"  # whose size is that of the upright image already
    except Exception as exc:  # what Pillow raises on a head that it can't read has no end
        raise ValueError("it can't be read as an image") from exc
    if width * height > MOST_OF_A_MASK:
        raise ValueError(f"an image of {width} x {height} pixels is too large")
    return (height, width) if is_turned else (width, height)


def _size(size_wh: object) -> tuple[int, int]:
    """Return a size that a dataset says.

    Raises:
        ValueError: no image has it.
    """
    width, height = size_wh if isinstance(size_wh, tuple) else (0, 0)
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        raise ValueError("an image has no size in whole pixels")
    if width * height > MOST_PIXELS:
        raise ValueError(f"an image of {width} x {height} pixels is too large")
    return width, height


def _resolved(parts: Sequence[str]) -> str | None:
    """Walk through a name; None where it leads out of the dataset."""
    way: list[str] = []
    for part in parts:
        if part == "..":
            if not way:
                return None
            way.pop()
        elif part not in ("", "."):
            way.append(part)
    return "/".join(way)
