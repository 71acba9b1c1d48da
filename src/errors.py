"""The exceptions of the application.

    MediaLibraryError
    ├── MediaReadError(path, reason)      a photo or video that can't be read
    ├── ModelNotLoadedError               work that needs a model, and none is here
    ├── CheckpointError(path, reason)     weights that can't be used
    ├── DownloadError                     a model that can't be fetched
    ├── DatabaseError                     the library's own files
    │   ├── LibraryLockedError            another process has the library open
    │   ├── DamagedRowError(table, key)   a row that can't be what was stored
    │   └── DamagedMaskError              a mask that fits no picture of its frame's size
    ├── ClusterError                      a cluster that can't do the work, or is gone
    ├── EmbeddingError                    a vector that nothing can be near to
    ├── ExportError                       a dataset that can't be written
    ├── DatasetReadError(path, reason)    a dataset that can't be read
    ├── OptionError                       an option that is not there, or a value it can't have
    └── QueryError                        a search that can't be asked
        └── SameMaskError(segment_id)     an edit whose mask another segment has

A message says what failed, where, and what the person can do.
Cancelling a job is not an error.
"""

from __future__ import annotations

from pathlib import Path


class MediaLibraryError(Exception):
    """Anything the application can explain to a person."""


def is_of_a_person(exc: BaseException) -> bool:
    """Return whether something failed for what a person gave, and there is nothing to look into."""
    return isinstance(exc, QueryError | MediaReadError)


class GivenUp(Exception):  # noqa: N818 no error: it is caught where nobody waits any more
    """Something was given up, since its answer is not wanted any more."""


class MediaReadError(MediaLibraryError):
    """A media file can't be read; it costs that file and not the job."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[MediaReadError], tuple[Path, str]]:
        """Let it be pickled: a worker of a cluster may raise it."""
        return MediaReadError, (self.path, self.reason)


class ModelNotLoadedError(MediaLibraryError):
    """A model is needed and none is loaded."""


class CheckpointError(MediaLibraryError):
    """A file of weights is damaged, or of another model."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason


class DownloadError(MediaLibraryError):
    """A model can't be fetched; the models folder is as it was."""


class DatabaseError(MediaLibraryError):
    """The library's own files can't be read or written."""


class LibraryLockedError(DatabaseError):
    """Another process has the library open."""


class DamagedRowError(DatabaseError):
    """A row of the library holds what can't have been stored in it.

    Attributes:
        table: of the row.
        key: what identifies it in its table.
        reason: what is wrong with it.
    """

    def __init__(self, table: str, key: object, reason: str) -> None:
        super().__init__(f"row {key} of {table}: {reason}")
        self.table = table
        self.key = key
        self.reason = reason


class DamagedMaskError(DatabaseError):
    """A mask is no mask of a picture of its frame's size."""


class ClusterError(MediaLibraryError):
    """A cluster can't do the work; what was stored is whole, and the next run goes on."""


class EmbeddingError(MediaLibraryError):
    """A model gave a vector that can't be stored: not finite, of no length, or of another one."""


class ExportError(MediaLibraryError):
    """A dataset can't be written."""


class DatasetReadError(MediaLibraryError):
    """A dataset can't be read; nothing of it was taken in."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason


class OptionError(MediaLibraryError):
    """An option is not there, or can't have the value that was given."""


class QueryError(MediaLibraryError):
    """A search can't be asked as it stands.

    Attributes:
        span: where in the text that was typed the fault is, from its first character to behind its
            last one; None where it is in no single place.
        short: what is wrong, in a few words to be shown under that place.
    """

    def __init__(
        self, message: str, span: tuple[int, int] | None = None, short: str | None = None
    ) -> None:
        super().__init__(message)
        self.span = span
        self.short = message if short is None else short


class SameMaskError(QueryError):
    """An edit can't be kept: its mask is the very mask of another segment of the frame.

    Attributes:
        segment_id: of the other one, which the edited one can be merged with.
    """

    def __init__(self, message: str, segment_id: str) -> None:
        super().__init__(message)
        self.segment_id = segment_id


# As torch, the loader of libraries, and the system say it.
_NO_MEMORY = ("allocate memory", "out of memory", "failed to map segment")


def is_out_of_memory(exc: BaseException) -> bool:
    """Return whether something failed because the system gave no more memory."""
    return isinstance(exc, MemoryError) or any(words in str(exc) for words in _NO_MEMORY)
