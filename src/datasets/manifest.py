"""What is put into a dataset, written down on the way and compared with what is read back."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TextIO

from src.datasets.atomic_output import DatasetFolder


@dataclass
class Manifest:
    """The files of a dataset and the labels in it.

    Attributes:
        hashes: the SHA-256 of each file by its name, relative to the dataset.
        labels: how many images or parts of images bear each label, as it stands in the dataset.
    """

    hashes: dict[str, bytes] = field(default_factory=dict)
    labels: Counter[str] = field(default_factory=Counter)


class DatasetWriter:
    """Writes the files of a dataset, and keeps its manifest."""

    def __init__(self, dataset: DatasetFolder) -> None:
        self._dataset = dataset
        self.manifest = Manifest()

    def add_image(self, file: str, content: bytes, labels: Iterable[str]) -> None:
        """Write an image file.

        Args:
            labels: of it and its parts, as `read_back` will find them.

        Raises:
            OSError: it can't be written, or is there.
        """
        self._dataset.create(file, content)
        self.manifest.hashes[file] = hashlib.sha256(content).digest()
        self.manifest.labels.update(labels)

    @contextmanager
    def open_text(self, file: str) -> Iterator[TextIO]:
        """Open a new UTF-8 text file to write to, with line ends as they are written.

        Raises:
            OSError: it can't be written, or is there.
        """
        hashed = _HashedStream(self._dataset.open_new(file))
        with io.TextIOWrapper(hashed, encoding="utf-8", newline="") as text:
            yield text
        self.manifest.hashes[file] = hashed.digest.digest()


class _HashedStream(io.BufferedIOBase):
    """A binary stream that hashes what is written to it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        self.digest.update(content)
        return self._stream.write(content)

    def flush(self) -> None:
        if not self.closed:
            self._stream.flush()

    def close(self) -> None:
        if not self.closed:
            try:
                super().close()
            finally:
                self._stream.close()
