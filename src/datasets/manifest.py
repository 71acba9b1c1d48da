"""What is put into a dataset, written down on the way and compared with what is read back."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TextIO

from src.datasets.annotations import PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.errors import MediaReadError

# Gives the content of an image file and the ending of its name (".jpg"), or raises MediaReadError.
Render = Callable[[PlannedImage], tuple[bytes, str]]


@dataclass
class Manifest:
    """The files of a dataset, and what is in them.

    Attributes:
        hashes: the SHA-256 of each file by its name, relative to the dataset.
        images: what was to be written of each image, by the name of its file.
        unread: media that can't be read, and why; their images are left out.
    """

    hashes: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, PlannedImage] = field(default_factory=dict)
    unread: dict[Path, str] = field(default_factory=dict)


class DatasetWriter:
    """Writes the files of a dataset, and keeps its manifest."""

    def __init__(self, dataset: DatasetFolder, render: Render) -> None:
        self._dataset = dataset
        self._render = render
        self.manifest = Manifest()

    def add_image(self, image: PlannedImage, folder: str) -> str | None:
        """Write an image file into a folder of the dataset ("images/train"; "" for its top).

        Returns:
            The file's name relative to the dataset, as `read_back` has to give it; None where the
            media file can't be read: the image is left out, and noted.

        Raises:
            OSError: it can't be written, or is there.
        """
        try:
            content, suffix = self._render(image)
        except MediaReadError as exc:
            self.manifest.unread.setdefault(exc.path, exc.reason)
            return None
        file = f"{folder}/{image.stem}{suffix}" if folder else f"{image.stem}{suffix}"
        self.add_file(file, content)
        self.manifest.images[file] = image
        return file

    def add_file(self, file: str, content: bytes) -> None:
        """Write a file that is no image of the dataset: a mask, or a text at once.

        Raises:
            OSError: it can't be written, or is there.
        """
        self._dataset.create(file, content)
        self.manifest.hashes[file] = hashlib.sha256(content).digest()

    @contextmanager
    def open_text(self, file: str) -> Iterator[TextIO]:
        """Open a new UTF-8 text file to write to, with line ends as they are written.

        Raises:
            OSError: it can't be written, or is there.
        """
        hashed = _HashedStream(self._dataset.open_new(file))
        with io.TextIOWrapper(io.BufferedWriter(hashed), encoding="utf-8", newline="") as text:
            yield text
        self.manifest.hashes[file] = hashed.digest.digest()


class _HashedStream(io.RawIOBase):
    """A binary stream that hashes what is written to it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self._stream.write(content)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._stream.close()


def sha256_of(stream: IO[bytes]) -> bytes:
    """Hash what is left of a stream."""
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.digest()
