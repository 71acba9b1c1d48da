"""What is put into a dataset, noted on the way and compared with what is read back."""

from __future__ import annotations

import hashlib
import io
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, TextIO

from src.datasets.annotations import PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.errors import MediaReadError
from src.records import ImageForm

# Files that wait to be written, each in memory.
_MOST_WAITING = 8
_THREADS = 2


class ImageRenderer(Protocol):
    """Makes the images of datasets."""

    def expect(self, image: PlannedImage) -> None:
        """Begin with what takes long of an image that will be rendered soon, beside other work."""
        ...

    def render(self, image: PlannedImage, form: ImageForm) -> tuple[bytes, str] | None:
        """Make an image file.

        Returns:
            Its content and the ending of its name (".jpg"); None where its segment has been
            removed meanwhile.

        Raises:
            MediaReadError: the media file can't be read, or is another one now.
            ExportError: the library's own crop can't be read.
        """
        ...

    def close(self) -> None:
        """Let go of the media that are open."""
        ...


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

    def __init__(self, dataset: DatasetFolder, images: ImageRenderer, form: ImageForm) -> None:
        self._dataset, self._images, self._form = dataset, images, form
        self._writing = deque[Future[None]]()
        self._threads = ThreadPoolExecutor(_THREADS, "dataset writer")
        self.manifest = Manifest()

    def add_image(self, image: PlannedImage, folder: str) -> str | None:
        """Write an image file into a folder of the dataset ("images/train"; "" for its top).

        Returns:
            The file's name relative to the dataset, as `read_back` has to give it; None where the
            media file can't be read, which is noted, or has been removed: the image is left out.

        Raises:
            OSError: it can't be written, or is there.
        """
        try:
            made = self._images.render(image, self._form)
        except MediaReadError as exc:
            self.manifest.unread.setdefault(exc.path, exc.reason)
            return None
        if made is None:
            return None
        content, suffix = made
        file = f"{folder}/{image.stem}{suffix}" if folder else f"{image.stem}{suffix}"
        self.add_file(file, content)
        self.manifest.images[file] = image
        return file

    def add_file(self, file: str, content: bytes) -> None:
        """Write a file that is no image of the dataset: a mask, or a text at once.

        It is written beside what comes next; `finish` waits for the last.

        Raises:
            OSError: it, or one before it, can't be written, or is there.
        """
        while len(self._writing) >= _MOST_WAITING:
            self._writing.popleft().result()
        self._writing.append(self._threads.submit(self._create, file, content))

    def _create(self, file: str, content: bytes) -> None:
        self._dataset.create(file, content)
        self.manifest.hashes[file] = hashlib.sha256(content).digest()

    def finish(self) -> None:
        """Wait until all files are written.

        Raises:
            OSError: one can't be written, or is there.
        """
        while self._writing:
            self._writing.popleft().result()

    def close(self) -> None:
        """Write nothing more; what is being written is written to its end."""
        self._threads.shutdown(cancel_futures=True)

    def make_folder(self, folder: str) -> None:
        """Make a folder that may stay empty.

        Raises:
            OSError: it can't be made.
        """
        self._dataset.make_folder(folder)

    @contextmanager
    def open_text(self, file: str) -> Iterator[TextIO]:
        """Open a new UTF-8 text file to write to, with line ends as they are written.

        Raises:
            OSError: it can't be written, or is there.
        """
        with (
            self.open_binary(file) as stream,
            io.TextIOWrapper(stream, encoding="utf-8", newline="") as text,
        ):
            yield text

    @contextmanager
    def open_binary(self, file: str) -> Iterator[IO[bytes]]:
        """Open a new file to write to.

        Raises:
            OSError: it can't be written, or is there.
        """
        hashed = _HashedStream(self._dataset.open_new(file))
        with io.BufferedWriter(hashed) as stream:
            yield stream
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
