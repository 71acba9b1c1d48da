"""Queries of several terms, with signs and weights; of images and their parts; of no term."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.errors import QueryError
from src.models.clip_encoder import ClipEncoder
from src.records import BoxXywh, SearchHit, Tag
from src.search.filter_text import parse_filter
from src.search.line import Calibration, Level
from src.search.query import ImageFile, Like, Query, Term, Words
from src.search.query_text import parse_query
from src.search.segment_map import SegmentMaps
from src.search.segment_search import SegmentSearch
from tests.conftest import add_frame_of_qualities, add_media_with, unit_vectors

VECTORS = unit_vectors(40)


@pytest.fixture
def search(metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder) -> SegmentSearch:
    add_media_with(metadata, VECTORS, model=clip.name)
    return SegmentSearch(VectorDatabase(paths, clip, metadata), lambda _: np.zeros((0, 0, 3)))


def like(number: int, weight: float = 1.0) -> Like:
    return Like(f"a.jpg-{number:05}", weight=weight)


def test_terms_are_weighed_and_what_is_negative_is_taken_off(search: SegmentSearch) -> None:
    found = search.search(Query((like(3), like(5, 0.5), like(7, -2)), limit=40))
    total = VECTORS[3] + 0.5 * VECTORS[5] - 2 * VECTORS[7]
    sums = VECTORS @ total
    assert [hit.segment.id for hit in found] == [f"a.jpg-{i:05}" for i in np.argsort(-sums)]
    # a score is the cosine to the sum, whatever the length of that
    cosines = np.sort(sums / np.linalg.norm(total))[::-1]
    np.testing.assert_allclose([hit.score for hit in found], cosines, rtol=1e-4, atol=1e-6)
    twice = search.search(Query((like(3, 2), like(5), like(7, -4)), limit=40))
    np.testing.assert_allclose([hit.score for hit in twice], cosines, rtol=1e-4, atol=1e-6)


def test_words_alone_are_scored_as_they_are(search: SegmentSearch, clip: ClipEncoder) -> None:
    found = search.search(Query((Words("red"),), limit=40))
    scores = np.sort(VECTORS @ clip.encode_text(["red"])[0])[::-1]
    np.testing.assert_allclose([hit.score for hit in found], scores, rtol=1e-4, atol=1e-6)
    less = search.search(Query((Words("red", weight=-1.0),), limit=40))
    np.testing.assert_allclose([hit.score for hit in less], -scores[::-1], rtol=1e-4, atol=1e-6)


def test_a_filter_leaves_out(search: SegmentSearch) -> None:
    where = parse_filter("segment:a.jpg-00003,a.jpg-00009 not segment:a.jpg-00003")
    assert [hit.segment.id for hit in search.search(Query((like(3),), where))] == ["a.jpg-00009"]


def test_words_that_are_not_known_are_named(search: SegmentSearch) -> None:
    found = search.search(Query((Words("lorry"), like(3))))
    assert found.unknown_words == ("lorry",) and found[0].segment.id == "a.jpg-00003"


@pytest.mark.parametrize("terms", [(), (like(3), like(3, -1)), (Like("gone"),)])
def test_a_query_that_means_nothing_is_refused(
    search: SegmentSearch, terms: tuple[Term, ...]
) -> None:
    with pytest.raises(QueryError):
        search.search(Query(terms))


@pytest.mark.parametrize("weight", [0, math.nan, math.inf])
def test_a_weight_is_a_number(weight: float) -> None:
    with pytest.raises(QueryError, match="weight"):
        Words("red", weight=weight)


RED, GREEN, BLUE = (200, 20, 20), (20, 160, 20), (20, 20, 200)


def plain(*colours: tuple[int, int, int]) -> np.ndarray:
    """Draw a strip of each colour beside the others: (96, 96 N, 3) uint8 RGB."""
    return np.hstack([np.full((96, 96, 3), colour, np.uint8) for colour in colours])


@pytest.fixture
def coloured(
    metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder, tmp_path: Path
) -> SegmentSearch:
    """Segments 0, 1, 2 that are red, green and blue, embedded with the bundled CLIP."""
    images = [plain(RED), plain(GREEN), plain(BLUE)]
    add_media_with(metadata, clip.encode_image(images), model=clip.name)
    Image.fromarray(plain(RED, BLUE)).save(tmp_path / "red and blue.png")
    return SegmentSearch(
        VectorDatabase(paths, clip, metadata), lambda path: np.asarray(Image.open(path))
    )


def order(found: Sequence[SearchHit]) -> list[int]:
    return [int(hit.segment.id[-1]) for hit in found]


@pytest.mark.parametrize(
    ("box", "best"), [((0, 0, 96, 96), 0), ((96, 0, 96, 96), 2), ((150, -9, 999, 50), 2)]
)
def test_a_part_of_an_image_finds_what_is_like_that_part(
    coloured: SegmentSearch, tmp_path: Path, box: BoxXywh, best: int
) -> None:
    found = coloured.search(Query((ImageFile(tmp_path / "red and blue.png", box),)))
    assert order(found)[0] == best and found[0].score == pytest.approx(1, abs=0.01)


def test_a_part_outside_the_image_is_refused(coloured: SegmentSearch, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="outside the image"):
        coloured.search(Query((ImageFile(tmp_path / "red and blue.png", (192, 0, 5, 5)),)))


def test_words_images_and_segments_add_up(
    coloured: SegmentSearch, clip: ClipEncoder, tmp_path: Path
) -> None:
    image = tmp_path / "red and blue.png"
    query = parse_query(f'"green"^0.5 like:"{image}" -like:segment:a.jpg-00002^0.7')
    found = coloured.search(query)
    crops = clip.encode_image([plain(RED), plain(GREEN), plain(BLUE)])
    (both,) = clip.encode_image([plain(RED, BLUE)])
    total = 0.5 * clip.encode_text(["green"])[0] + both - 0.7 * crops[2]
    cosines = crops @ total / np.linalg.norm(total)
    assert order(found) == [*np.argsort(-cosines)] and order(found)[-1] == 2
    np.testing.assert_allclose(
        [hit.score for hit in found], np.sort(cosines)[::-1], rtol=1e-3, atol=1e-4
    )


def test_what_is_taken_off_comes_last(coloured: SegmentSearch) -> None:
    assert order(coloured.search(parse_query("red")))[0] == 0
    assert order(coloured.search(parse_query('-"red"')))[-1] == 0
    assert order(coloured.search(parse_query('"red"^1 "blue"^0.9 -"red"^2')))[-1] == 0


def test_letters_of_a_signed_term_are_those_of_words_alone(coloured: SegmentSearch) -> None:
    wide, plain_ = (coloured.search(parse_query(f'-"{red}"')) for red in ("ＲＥＤ  ", "RED"))
    assert wide.known_words == plain_.known_words == ("red",)
    assert [hit.score for hit in wide] == [hit.score for hit in plain_]


def test_a_filter_alone_scores_nothing_and_counts_what_it_leaves(search: SegmentSearch) -> None:
    found = search.search(Query((), parse_filter("not segment:a.jpg-00003"), limit=4))
    assert [hit.score for hit in found] == [None] * 4 and found.left_by_filter == 39
    again = search.search(Query((), parse_filter("not segment:a.jpg-00003"), limit=99))
    assert again.hits[:4] == found.hits and len(again) == len(set(again)) == 39
    uncounted = search.search(Query((), parse_filter("not segment:a.jpg-00003"), limit=4), False)
    assert uncounted.hits == found.hits and uncounted.left_by_filter is None and uncounted.has_more
    whole = search.search(Query((), parse_filter("not segment:a.jpg-00003"), limit=39), False)
    assert whole.left_by_filter == 39 and not whole.has_more
    none = search.search(Query((), parse_filter("tag:dog")))
    assert (none.hits, none.left_by_filter) == ((), 0)
    with pytest.raises(QueryError, match="ask for 1 or more"):
        search.search(Query((), parse_filter("tag:dog"), limit=0))


def test_a_filter_alone_gives_newest_files_first_and_frames_in_order(
    metadata: MetadataDatabase, search: SegmentSearch
) -> None:
    add_frame_of_qualities(metadata, [0.9, None, 0.5], "b.jpg")
    with metadata.connection.write() as db:
        db.execute("UPDATE media_files SET added_at = id")
    found = search.search(Query((), parse_filter("kind:object,frame"), limit=99))
    names = [hit.segment.id for hit in found]
    assert names[0] == "b.jpg-00001" and set(names[:3]) == {f"b.jpg-0000{i}" for i in range(3)}
    frames = [hit.segment.frame_index for hit in found[3:]]
    assert frames == sorted(frames)


def test_points_of_a_map_have_the_strength_of_hits(
    metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder
) -> None:
    add_media_with(metadata, VECTORS, model=clip.name)
    vectors = VectorDatabase(paths, clip, metadata)
    level = Level(0.05, 0.05)
    calibration = Calibration(level, level, np.zeros(512, np.float32), 40)
    search = SegmentSearch(vectors, lambda _: np.zeros((0, 0, 3)), calibration)
    maps = SegmentMaps(vectors.embeddings)
    made = maps.make()
    for terms in ((Words("red"),), (like(3), like(5, 0.5))):
        strengths = search.strengths(Query(terms), maps, made)
        hits = {hit.segment.id: hit.strength for hit in search.search(Query(terms, limit=40))}
        assert dict(zip(made.segment_ids, strengths, strict=True)) == pytest.approx(hits, abs=0.03)
    assert not search.strengths(Query((Words("lorry"),)), maps, made).any()
    metadata.add_tags("a.jpg-00007", [Tag("lorry", 1.0, "human")], added_by="human")
    strengths = search.strengths(Query((Words("lorry"),)), maps, made)
    assert strengths.sum() == strengths[made.segment_ids.index("a.jpg-00007")] == 1
    with pytest.raises(QueryError, match="cancel"):
        search.strengths(Query((like(3), like(3, -1))), maps, made)
