"""Candidates by dHash and embedding, groups, and the look at two small pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from src.processing.frame_looks import look_of
from src.search.near_copies import MOST_PARTNERS, Groups, candidates, mirrored
from src.search.picture_match import match, small_picture
from src.starter.scenes import draw_scene
from tests.benchmarks.duplicates import make_copies
from tests.conftest import unit_vectors
from tests.datasets.files_alike import Looks


def scene(seed: int) -> np.ndarray:
    return draw_scene(np.random.default_rng(seed), (320, 240), count=6).image_rgb


def hash_of(image_rgb: np.ndarray) -> int:
    return int(look_of(image_rgb).dhash, 16)


def test_the_hash_of_a_mirror_image_follows_from_that_of_the_picture() -> None:
    grey = np.random.default_rng(3).permutation(8 * 9).reshape(8, 9, 1) * 3
    image = np.repeat(grey, 3, axis=2).astype(np.uint8)
    of_both = np.array([hash_of(image), hash_of(image[:, ::-1])], np.uint64)
    # a rise is a fall in the mirror image, and nothing is level here
    assert mirrored(of_both[:1])[0] == ~of_both[1]


def test_candidates_agree_in_hash_and_embedding() -> None:
    rng = np.random.default_rng(4)
    hashes = rng.integers(0, 2**64, 5000, dtype=np.uint64)
    vectors = unit_vectors(5000)
    hashes[4900] = hashes[17] ^ np.uint64(0b1011)
    vectors[4900] = vectors[17]
    hashes[4901] = ~mirrored(hashes[18:19])[0]
    vectors[4901] = vectors[18]
    hashes[4902] = hashes[19]  # and another embedding: no candidate
    found = [pair for _, some in candidates(hashes, vectors) for pair in some]
    pairs = {(pair.first, pair.second, pair.is_mirrored) for pair in found}
    assert {(17, 4900, False), (18, 4901, True)} <= pairs
    assert len(found) < 10  # of 12 million pairs


def test_of_many_pictures_that_are_all_alike_only_the_nearest_are_candidates() -> None:
    hashes = np.full(400, 0xF0F0_F0F0_1234_5678, np.uint64)
    vectors = np.repeat(unit_vectors(1), 400, axis=0)
    found = [pair for _, some in candidates(hashes, vectors) for pair in some]
    assert len(found) <= 400 * MOST_PARTNERS
    groups = Groups()
    for pair in found:
        groups.join(pair.first, pair.second)
    assert groups.all() == [list(range(400))]


def test_groups_join_pairs_and_keep_apart_what_a_person_said() -> None:
    groups = Groups()
    for pair in [(2, 1), (2, 3), (7, 9)]:
        groups.join(*pair)
    assert groups.all() == [[1, 2, 3], [7, 9]]
    assert not groups.may_join(1, 3) and groups.may_join(1, 7)
    groups = Groups(apart=[[1, 3]])
    for pair in [(1, 2), (2, 3), (3, 4)]:
        groups.join(*pair)
    assert groups.all() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("kind", ["resized", "cropped", "brighter", "mirrored"])
def test_a_copy_fits_in_all_its_parts(kind: str) -> None:
    image = scene(11)
    copy = make_copies(image, np.random.default_rng(5))[kind]
    assert isinstance(copy, np.ndarray)
    fit = match(small_picture(image), small_picture(copy), kind == "mirrored")
    assert fit.difference < 10


def test_a_copy_that_is_all_but_white_fits_and_a_thing_in_it_is_seen() -> None:
    """On the white ground nothing is left by which it would be aligned."""
    grey = np.random.default_rng(8).integers(215, 245, (12, 16, 1), np.uint8)
    ground = cv2.resize(np.repeat(grey, 3, axis=2), (320, 240), interpolation=cv2.INTER_CUBIC)
    for x, y, colour in (
        (60, 60, (200, 40, 40)),
        (220, 90, (40, 90, 200)),
        (150, 180, (20, 90, 30)),
    ):
        cv2.circle(ground, (x, y), 26, colour, -1)
    copy = np.clip(ground * 1.2 + 10, 0, 255).astype(np.uint8)
    assert (copy == 255).mean() > 0.85
    assert match(small_picture(ground), small_picture(copy)).difference < 10
    cv2.circle(copy, (90, 190), 20, (60, 60, 60), -1)
    assert match(small_picture(ground), small_picture(copy)).difference > 20


@pytest.mark.parametrize(
    ("bits", "distance", "is_one"),
    [(21, 0.05, True), (23, 0.0, False), (8, 0.95, True), (17, 0.6, False)],
)
def test_what_was_cropped_or_made_brighter_is_a_candidate(
    bits: int, distance: float, is_one: bool
) -> None:
    looks = Looks(6)
    one = looks.new()
    all_looks = [one, looks.like(one, bits, distance), *(looks.new() for _ in range(50))]
    hashes = np.array([dhash for dhash, _ in all_looks], np.uint64)
    vectors = np.stack([vector for _, vector in all_looks])
    found = [pair for _, some in candidates(hashes, vectors, 1.0) for pair in some]
    assert [(pair.first, pair.second) for pair in found] == ([(0, 1)] if is_one else [])


def test_white_that_swallowed_steps_of_the_hash_leaves_a_candidate() -> None:
    looks = Looks(7)
    dhash, vector = looks.new()
    bright, near = looks.like((dhash, vector), 0, 0.3)
    rises = [bit for bit in range(64) if dhash >> bit & 1]
    falls = [bit for bit in range(64) if not dhash >> bit & 1]
    for bit in rises[:18]:
        bright &= ~(1 << bit)
    hashes, vectors = np.array([dhash, bright], np.uint64), np.stack([vector, near])
    ((_, found),) = candidates(hashes, vectors, 1.0)
    assert len(found) == 1
    other = dhash  # as many bits differ, in both directions
    for bit in (*rises[:9], *falls[:9]):
        other ^= 1 << bit
    hashes = np.array([dhash, other], np.uint64)
    ((_, found),) = candidates(hashes, vectors, 1.0)
    assert found == []


def test_a_thing_that_moved_or_another_scene_does_not_fit() -> None:
    image = scene(12)
    moved = image.copy()
    moved[100:140, 60:100] = 255 - moved[100:140, 60:100]
    assert match(small_picture(image), small_picture(moved)).difference > 20
    assert match(small_picture(image), small_picture(scene(13))).difference > 20


def test_flat_pictures_are_compared_without_an_error() -> None:
    grey, light = (np.full((60, 80, 3), level, np.uint8) for level in (90, 200))
    assert match(small_picture(grey), small_picture(light)).difference > 20
