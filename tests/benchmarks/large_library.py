"""Libraries of any size, made up quickly: rows of SQLite as the program stores them, no files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import numpy as np

from src.config import LibraryPaths
from src.database.checksums import checked_columns, count_rows, row_checksum
from src.database.metadata_db import MetadataDatabase
from src.records import EMBEDDING_DIM
from tests.conftest import small_mask

PER_FILE = 20
TAGS = ("rare", "half", "opposed")
AT_ONCE = 20_000


class Space:
    """Where vectors like CLIP's lie: pictures in a narrow cone, texts in another.

    Few directions hold most of what tells pictures apart, and pictures lie in groups of a
    hundred. The best picture for a text has a cosine of about 0.27 to it.
    """

    def __init__(self, n: int, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._spectrum = (1 + np.arange(EMBEDDING_DIM)) ** -0.6
        self._spectrum *= 0.8 / np.linalg.norm(self._spectrum)
        self._of_images, self._of_texts = np.linalg.qr(self._rng.normal(size=(EMBEDDING_DIM, 2)))[
            0
        ].T
        centres = self._rng.normal(size=(max(1, n // 100), EMBEDDING_DIM))
        self._centres = (centres * self._spectrum).astype(np.float32)

    def images(self, n: int) -> np.ndarray:
        """Draw embeddings of pictures: (n, 512) float32."""
        found = np.empty((n, EMBEDDING_DIM), np.float32)
        for start in range(0, n, AT_ONCE):
            some = found[start : start + AT_ONCE]
            some[:] = self._rng.standard_normal(some.shape, np.float32)
            some *= (0.7 * self._spectrum).astype(np.float32)
            some += self._centres[self._rng.integers(0, len(self._centres), len(some))]
            some += (0.6 * self._of_images).astype(np.float32)
            some /= np.linalg.norm(some, axis=1, keepdims=True)
        return found

    def image_queries(self, images: np.ndarray, n: int) -> np.ndarray:
        """Draw embeddings of pictures that are nearly some of the library's."""
        some = images[self._rng.integers(0, len(images), n)]
        return _normalised(some + 0.02 * self._rng.normal(size=some.shape))

    def text_queries(self, images: np.ndarray, n: int) -> np.ndarray:
        """Draw embeddings of texts: what some group of pictures shows, seen from afar."""
        groups = self._centres[self._rng.integers(0, len(self._centres), n)]
        about = groups + 0.5 * self._spectrum * self._rng.normal(size=groups.shape)
        about = _normalised(about)
        best = np.median((images[: 4 * AT_ONCE] @ about.T).max(axis=0))
        share = 0.27 / float(best)
        return _normalised(share * about + np.sqrt(1 - share**2) * self._of_texts)


def _normalised(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def fill(
    paths: LibraryPaths, vectors: np.ndarray | int, model: str, opposed: np.ndarray | None = None
) -> None:
    """Store vectors as segments, 20 a file; 1 in 100 is tagged rare, each second one half.

    The checksums are those that the program's triggers would compute.

    Args:
        vectors: (N, 512) float32; or how many segments, which then have none.
        opposed: (N,) bool, which of them get a third tag.
    """
    MetadataDatabase(paths).close()
    with closing(sqlite3.connect(paths.metadata_db, isolation_level=None)) as db:
        if isinstance(vectors, int):  # a large one, that nothing else has open
            db.execute("PRAGMA journal_mode = OFF")  # a log would be as large as the file
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -1000000")  # ids come in no order
        db.execute("BEGIN")
        n = vectors if isinstance(vectors, int) else len(vectors)
        files = -(-n // PER_FILE)
        _insert(db, "models", ["id", "name"], iter([(1, model)]))
        _insert(db, "roots", ["id", "path"], iter([(1, "/photos")]))
        _insert(
            db,
            "media_files",
            ["id", "path", "content_hash", "kind", "width", "height", "file_size",
             "modified_at_ns", "status", "added_at", "root_id", "relative_path",
             "captured_at"],
            (
                (i + 1, f"/photos/{i:07}.jpg", f"{i:032x}", "image", 100, 100, 1000 + i,
                 10**18 + i, "done", 1.7e9 + i, 1, f"{i:07}.jpg",
                 f"20{i % 25:02}-0{1 + i % 9}-{1 + i % 28:02}T10:00:00")
                for i in range(files)
            ),
        )  # fmt: skip
        _insert(
            db,
            "frames",
            ["id", "media_file_id", "frame_index", "width", "height", "sam", "dhash", "sharpness"],
            ((i + 1, i + 1, 0, 100, 100, "sam", f"{i:016x}", 1.0) for i in range(files)),
        )
        mask = small_mask(0)
        _insert(
            db,
            "segments",
            ["id", "frame_id", "kind", "x", "y", "w", "h", "area", "predicted_iou",
             "stability_score", "mask", "crop_path", "crop_hash", "fingerprint", "origin"],
            (
                (name_of(i), i // PER_FILE + 1, "object" if i % PER_FILE else "frame", 0, 0, 9, 9,
                 16 + i % 60, 0.5 + i % 50 / 100 if i % PER_FILE else None, 0.9,
                 mask if i % PER_FILE else None, f"extracted_segments/aa/{i:08}.jpg",
                 f"{i:016x}", name_of(i), "sam")
                for i in range(n)
            ),
        )  # fmt: skip
        if not isinstance(vectors, int):
            _insert(
                db,
                "embeddings",
                ["id", "segment_id", "model_id", "vector"],
                ((i + 1, name_of(i), 1, vectors[i].tobytes()) for i in range(n)),
            )
        _insert(
            db,
            "tags",
            ["id", "name", "added_by"],
            ((i, name, "vocabulary") for i, name in enumerate(TAGS, 1)),
        )
        some = [] if opposed is None else np.flatnonzero(opposed).tolist()
        tagged = {1: range(0, n, 100), 2: range(1, n, 2), 3: some}
        for tag, rows in tagged.items():
            _insert(
                db,
                "segment_tags",
                ["segment_id", "tag_id", "confidence", "source"],
                ((name_of(i), tag, 0.9, "auto") for i in rows),
            )
        count_rows(db)
        db.execute("COMMIT")
        if isinstance(vectors, int):
            db.execute("PRAGMA journal_mode = WAL")


def name_of(number: int) -> str:
    """Name a segment, as the program does with 24 hex digits in no order."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}{number:08x}"


def number_of(segment_id: str) -> int:
    return int(segment_id[16:], 16)


def _insert(
    db: sqlite3.Connection, table: str, columns: list[str], rows: Iterator[tuple[object, ...]]
) -> None:
    every = checked_columns(db, table)
    places = [columns.index(name) if name in columns else None for name in every]

    def with_checksum() -> Iterator[tuple[object, ...]]:
        for row in rows:
            whole = [None if place is None else row[place] for place in places]
            yield (*whole, row_checksum(*whole))  # type: ignore[arg-type]

    names = ", ".join([*every, "checksum"])
    marks = ", ".join("?" * (len(every) + 1))
    db.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", with_checksum())
