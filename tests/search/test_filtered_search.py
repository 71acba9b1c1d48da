"""A search with a filter is what numpy finds in the rows that it leaves: all, 10, 1 and 0.1 %."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database import embedding_store, filtered_rows
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.models.clip_encoder import ClipEncoder
from src.records import Tag
from src.search.query_text import parse_query
from src.search.segment_search import SegmentSearch
from tests.conftest import new_segments, unit_vectors

FILES, EACH = 20, 200
ROWS = FILES * EACH
VECTORS = unit_vectors(ROWS)
LEFT: dict[str, Callable[[int], bool]] = {
    "": lambda row: True,
    "kind:object": lambda row: True,
    "in:tenth": lambda row: row < ROWS / 10,
    "in:/photos/tenth after:2024 before:2025 tag:some": lambda row: (
        row < ROWS / 10 and row % 10 == 0
    ),
    "tag:rare size:>1px -kind:video": lambda row: row % 1000 == 7,
}
QUERIES = ['+"red"', "like:segment:00007", '+"red" -0.5:like:segment:00011 2:like:segment:01007']


@pytest.fixture(scope="module")
def library(
    tmp_path_factory: pytest.TempPathFactory, clip: ClipEncoder
) -> tuple[LibraryPaths, MetadataDatabase]:
    paths = LibraryPaths(tmp_path_factory.mktemp("library"))
    metadata = MetadataDatabase(paths)
    segments = new_segments(VECTORS, prefix="")
    with metadata.connection.write():
        for number in range(FILES):
            folder = "tenth" if number < FILES / 10 else "others"
            media = metadata.add_media(Path(f"/photos/{folder}/{number}.jpg"), "image", 1, 1)
            metadata.update_media(media, captured_at=f"{2024 + number // 4}-05-01T10:00:00")
            of_it = segments[EACH * number : EACH * (number + 1)]
            metadata.store_frame(media, 0, None, (100, 100), of_it, clip.name)
        for row in range(ROWS):
            for word, wanted in (("some", row % 10 == 0), ("rare", row % 1000 == 7)):
                if wanted:
                    metadata.add_tags(segments[row].id, [Tag(word, 0.9, "auto")], "vocabulary")
    return paths, metadata


@pytest.mark.parametrize("is_narrow", [False, True])
@pytest.mark.parametrize("where", LEFT)
def test_hits_are_those_of_numpy(
    library: tuple[LibraryPaths, MetadataDatabase],
    clip: ClipEncoder,
    where: str,
    is_narrow: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if is_narrow:  # so that what is many in a large library is many here
        monkeypatch.setattr(filtered_rows, "MOST_GATHERED", 20)
        monkeypatch.setattr(embedding_store, "MOST_GATHERED", 20)
        monkeypatch.setattr(embedding_store, "DEEPEST", 1000)
    paths, metadata = library
    search = SegmentSearch(VectorDatabase(paths, clip, metadata), lambda _: np.zeros((0, 0, 3)))
    rows = [row for row in range(ROWS) if LEFT[where](row)]
    assert len(rows) in (ROWS, ROWS / 10, ROWS / 100, ROWS / 1000)
    (red,) = clip.encode_text(["red"])
    sums = [red, VECTORS[7], red - 0.5 * VECTORS[11] + 2 * VECTORS[1007]]
    for text, total in zip(QUERIES, sums, strict=True):
        scores = VECTORS[rows] @ (total / np.linalg.norm(total))
        order = np.argsort(-scores, kind="stable")
        for limit in (10, 100):
            hits = search.search(parse_query(f"{text} {where}", limit)).hits
            best = order[:limit]
            assert [int(hit.segment.id) for hit in hits] == [rows[i] for i in best]
            np.testing.assert_allclose([hit.score for hit in hits], scores[best], atol=1e-5)
