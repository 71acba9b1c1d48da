"""The map: points by PCA, drawn into a picture, moved, zoomed, and enclosed by a line."""

from __future__ import annotations

import numpy as np
import pytest

from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.search.filter_text import parse_filter
from src.search.map_picture import (
    MapView,
    colours_of_groups,
    colours_of_strength,
    draw_map,
    enclosed,
    point_side,
)
from src.search.segment_map import Projection, SegmentMaps, fitted_to_square
from tests.conftest import MODEL, add_media_with, unit_vectors

GROUND, RED, BLUE = (22, 22, 24), (240, 104, 108), (91, 150, 238)


def in_clusters(count: int, clusters: int = 3) -> np.ndarray:
    """Draw unit vectors close to a few directions, one cluster after the other."""
    middles = np.repeat(unit_vectors(clusters, seed=8), count // clusters, axis=0)
    vectors = middles + 0.02 * unit_vectors(len(middles), seed=9)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_projection_is_that_of_a_singular_value_decomposition() -> None:
    matrix = in_clusters(90)
    projection = Projection.fit(matrix)
    _, _, rows = np.linalg.svd(matrix - matrix.mean(axis=0), full_matrices=False)
    assert np.abs(projection.axes.T @ rows[:2].T) == pytest.approx(np.eye(2), abs=1e-3)
    points = projection.points(matrix)
    assert points.mean(axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert (Projection.fit(matrix).points(matrix) == points).all()


def test_points_fill_the_square_and_keep_their_proportions() -> None:
    points = np.array([[0, 0], [4, 0], [4, 2], [0, 2]], np.float32)
    fitted = fitted_to_square(points)
    assert fitted == pytest.approx(np.array([[0, 0.25], [1, 0.25], [1, 0.75], [0, 0.75]]), abs=5e-3)
    assert len(fitted_to_square(np.empty((0, 2), np.float32))) == 0


def test_a_map_of_a_library_has_what_the_filter_leaves_and_alike_segments_close(
    metadata: MetadataDatabase,
) -> None:
    add_media_with(metadata, in_clusters(60))
    ids = metadata.segment_ids()
    maps = SegmentMaps(EmbeddingStore(metadata.connection, MODEL))
    made = maps.make()
    assert set(made.segment_ids) == set(ids) and maps.make() is made
    place = {segment_id: number for number, segment_id in enumerate(made.segment_ids)}
    points = made.points[[place[segment_id] for segment_id in ids]].reshape(3, 20, 2)
    spread = points.std(axis=1).max()
    middles = points.mean(axis=1)
    apart = min(np.linalg.norm(middles[a] - middles[b]) for a, b in [(0, 1), (0, 2), (1, 2)])
    assert apart > 5 * spread
    some = maps.make(parse_filter(f"segment:{ids[0]},{ids[7]}"))
    assert set(some.segment_ids) == {ids[0], ids[7]}
    assert maps.make(parse_filter("segment:none")).segment_ids == ()


def test_a_view_is_moved_and_zoomed_about_the_pointer() -> None:
    view = MapView((800, 600)).zoomed(4, (100, 200)).moved((30, -20))
    pixels = np.array([[130.0, 180.0], [0, 0]])
    assert view.to_pixels(view.to_map(pixels)) == pytest.approx(pixels, abs=1e-2)
    under = MapView((800, 600)).to_map(np.array([[100, 200]]))
    assert view.to_map(pixels[:1]) == pytest.approx(under)


def test_points_are_drawn_in_their_colours_the_later_on_top() -> None:
    points = np.array([[0.5, 0.5], [0.5, 0.5], [0.25, 0.5], [1.5, 0.5]], np.float32)
    colours = colours_of_groups(np.array([-1, 0, 1, 1]), [RED, BLUE], GROUND)
    picture = draw_map(points, colours, MapView((200, 100)), GROUND)
    assert picture.shape == (100, 200, 3)
    assert tuple(picture[50, 100]) == RED and tuple(picture[50, 75]) == BLUE
    side = point_side(3, (200, 100))
    # what lies over the edge is on no other side
    assert (picture != GROUND).any(axis=2).sum() == 2 * side * side + side * (side // 2)


def test_strength_mixes_two_colours() -> None:
    mixed = colours_of_strength(np.array([0, 0.5, 1, 7]), (0, 0, 0), (200, 100, 50))
    assert mixed.tolist() == [[0, 0, 0], [100, 50, 25], [200, 100, 50], [200, 100, 50]]


def test_a_line_encloses_by_the_even_odd_rule() -> None:
    points = np.random.default_rng(3).random((2000, 2)).astype(np.float32)
    square = np.array([[0.2, 0.2], [0.7, 0.2], [0.7, 0.6], [0.2, 0.6]])
    found = enclosed(points, square)
    expected = ((points > [0.2, 0.2]) & (points < [0.7, 0.6])).all(axis=1)
    assert (found == expected).all()
    bow = np.array([[0, 0], [1, 1], [1, 0], [0, 1]])
    beside, above = np.abs(points - 0.5).T
    assert (enclosed(points, bow) == (beside > above)).all()
    assert not enclosed(points, square[:2]).any()
