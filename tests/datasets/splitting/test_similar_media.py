"""Which media files are alike, and so on one side of a split."""

from __future__ import annotations

import numpy as np
import pytest

from src.database.metadata_db import MetadataDatabase
from src.datasets.splitting import pictures as frame_pictures
from src.datasets.splitting.similar_media import SimilarMedia
from src.errors import GivenUp
from src.search.near_copies import mirrored
from tests.conftest import unit_vectors
from tests.datasets.files_alike import Looks, add_file


def together(metadata: MetadataDatabase, *media_ids: int) -> list[list[int]]:
    """List the groups of two files or more."""
    groups = dict[int, list[int]]()
    for media_id, group in SimilarMedia(metadata, media_ids).groups().items():
        groups.setdefault(group, []).append(media_id)
    assert all(group == min(files) for group, files in groups.items())
    return [files for files in groups.values() if len(files) > 1]


def test_what_looks_alike_is_joined_and_no_more(metadata: MetadataDatabase) -> None:
    looks = Looks()
    one, other, third = looks.new(), looks.new(), looks.new()
    files = [
        add_file(metadata, "a.jpg", one),
        add_file(metadata, "another hash.jpg", looks.like(one, bits=20)),
        add_file(metadata, "a copy.jpg", looks.like(one)),
        add_file(metadata, "b.jpg", other),
        add_file(metadata, "another embedding.jpg", (looks.like(other, bits=6)[0], looks.new()[1])),
        add_file(metadata, "mirror image.jpg", (turned(other[0]), looks.like(other)[1])),
        add_file(metadata, "c.jpg", third),
        # of one that is flat the dHash says nothing
        add_file(metadata, "black.jpg", (0, looks.new()[1])),
        add_file(metadata, "flat.jpg", (0, looks.new()[1])),
    ]
    assert together(metadata, *files) == [[files[0], files[2]], [files[3], files[5]]]


@pytest.mark.parametrize(
    ("bits", "distance", "is_joined"),
    [
        (18, 0.05, True),  # cropped: the embedding is all but the same
        (20, 0.03, True),
        (18, 0.2, False),
        (22, 0.0, False),
        (6, 0.8, True),  # much brighter: the dHash is all but the same
        (10, 0.8, False),
    ],
)
def test_what_was_cropped_or_made_brighter_is_joined(
    metadata: MetadataDatabase, bits: int, distance: float, is_joined: bool
) -> None:
    looks = Looks(11)
    one = looks.new()
    files = [
        add_file(metadata, "a.jpg", one),
        add_file(metadata, "b.jpg", looks.like(one, bits, distance)),
    ]
    others = [add_file(metadata, f"{number}.jpg", looks.new()) for number in range(20)]
    assert together(metadata, *files, *others) == ([files] if is_joined else [])


def test_what_white_has_swallowed_is_with_its_original(metadata: MetadataDatabase) -> None:
    looks = Looks(12)
    dhash, vector = looks.new()
    near = looks.like((dhash, vector), 0, 0.06)[1]
    rises = [bit for bit in range(64) if dhash >> bit & 1]
    white, other = dhash, dhash  # as many bits are others, in one direction and in both
    falls = [bit for bit in range(64) if not dhash >> bit & 1]
    for bit in rises[8:]:
        white ^= 1 << bit
    for bit in (*rises[:10], *falls[: len(rises) - 18]):
        other ^= 1 << bit
    files = [add_file(metadata, "a.jpg", (dhash, vector)), add_file(metadata, "b", (white, near))]
    files += [add_file(metadata, "c.jpg", (other, near))]
    unlike = [add_file(metadata, f"{number}.jpg", looks.new()) for number in range(20)]
    assert together(metadata, *files, *unlike) == [files[:2]]


def turned(dhash: int) -> int:
    return ~int(mirrored(np.array([dhash], np.uint64))[0]) & (1 << 64) - 1


def test_a_photo_is_with_the_video_that_it_is_of_and_a_video_with_its_other_export(
    metadata: MetadataDatabase,
) -> None:
    looks = Looks(1)
    frames = [looks.new() for _ in range(6)]
    black = (0, looks.new()[1])
    video = add_file(metadata, "film.mp4", black, *frames)
    still = add_file(metadata, "still.jpg", looks.like(frames[3]))
    again = add_file(metadata, "film part.mp4", *(looks.like(each) for each in frames[4:]))
    other = add_file(metadata, "other film.mp4", black, looks.new(), looks.new())
    assert together(metadata, video, still, again, other) == [[video, still, again]]
    assert SimilarMedia(metadata, [still, again, other]).similar_to(still, [again, other]) == set()
    similar = SimilarMedia(metadata, [video, still, again, other])
    assert similar.similar_to(video, [still, again, other]) == {still, again}


def test_videos_of_the_same_footage_at_other_moments_are_together(
    metadata: MetadataDatabase,
) -> None:
    looks = Looks(8)
    frames = [looks.new() for _ in range(8)]
    film = add_file(metadata, "film.mp4", *frames)
    later = [looks.like(frame, bits=18, distance=0.2) for frame in frames]
    part = add_file(metadata, "part.mp4", *later[:3], looks.new())
    other = add_file(metadata, "other.mp4", later[4], later[5], *(looks.new() for _ in range(6)))
    photo = add_file(metadata, "photo.jpg", later[6])
    unlike = [add_file(metadata, f"other {n}.jpg", looks.new()) for n in range(40)]
    assert together(metadata, film, part, other, photo, *unlike) == [[film, part]]
    similar = SimilarMedia(metadata, [film, part, other, *unlike])
    assert (
        similar.similar_to(film, [part, other]) == {part}
        and similar.similar_to(other, [film, part]) == set()
    )


def test_photos_of_a_burst_are_together(metadata: MetadataDatabase) -> None:
    looks = Looks(2)
    scene = looks.new()
    unlike = [add_file(metadata, f"other {n}.jpg", looks.new()) for n in range(9)]

    def photo(name: str, second: int, camera: str | None, bits: int = 8) -> int:
        look = looks.like(scene, bits=bits, distance=0.15)
        taken = f"2026-05-01T10:00:{second:02}+00:00"
        return add_file(metadata, name, look, captured_at=taken, camera=camera)

    burst = [photo(f"one/{n}.jpg", 2 * n, "A") for n in range(3)]
    elsewhere = photo("two/1.jpg", 5, "A")  # the same camera
    others = [photo("three/1.jpg", 5, None), photo("three/2.jpg", 40, None)]
    with_other_looks = photo("one/9.jpg", 6, "A", bits=32)
    assert together(metadata, *unlike, *burst, elsewhere, *others, with_other_looks) == [
        [*burst, elsewhere]
    ]


def test_photos_numbered_one_after_the_other_within_a_second_are_a_burst(
    metadata: MetadataDatabase,
) -> None:
    looks = Looks(9)

    def photo(name: str, second: int, camera: str | None = "A") -> int:
        taken = f"2026-05-01T10:00:{second:02}+00:00"
        return add_file(metadata, name, looks.new(), captured_at=taken, camera=camera)

    burst = [photo("d/IMG_0009.jpg", 1), photo("d/IMG_0010.jpg", 1), photo("d/IMG_0011.jpg", 2)]
    others = [
        photo("d/IMG_0013.jpg", 2),  # another number
        photo("d/IMG_0014.jpg", 4),  # two seconds later
        photo("d/other_0012.jpg", 2),
        photo("e/IMG_0012.jpg", 2),
        photo("d/IMG_0008.jpg", 1, "B"),
        *(photo(f"f/{number}.jpg", 9, None) for number in range(2)),  # nobody knows the camera
    ]
    assert together(metadata, *burst, *others) == [burst]
    scanned = [photo(f"g/{number:03}.jpg", 30) for number in range(40)]  # the clock stands still
    assert together(metadata, *burst, *scanned) == [burst]


@pytest.mark.parametrize("verdict", ["open", "kept", "hidden", "apart"])
def test_groups_of_duplicates_join_unless_a_person_said_they_are_none(
    metadata: MetadataDatabase, verdict: str
) -> None:
    looks = Looks(3)
    one = looks.new()
    files = [
        add_file(metadata, "a.jpg", one),
        add_file(metadata, "b.jpg", looks.like(one)),
        add_file(metadata, "c.jpg", looks.new()),
    ]
    metadata.duplicates.replace_open([files], "now")
    with metadata.connection.write() as db:
        db.execute("UPDATE duplicate_groups SET verdict = ?", (verdict,))
    assert together(metadata, *files) == ([] if verdict == "apart" else [files])
    similar = SimilarMedia(metadata, files).similar_to(files[0], files)
    assert similar == (set() if verdict == "apart" else set(files[1:]))


def test_thousands_that_are_all_alike_are_one_group(metadata: MetadataDatabase) -> None:
    frames = [(0xF0F0_F0F0_1234_5678, vector) for vector in np.repeat(unit_vectors(1), 300, axis=0)]
    files = [add_file(metadata, f"{n}.jpg", look) for n, look in enumerate(frames[:150])]
    video = add_file(metadata, "v.mp4", *frames[150:])
    assert together(metadata, *files, video) == [[*files, video]]


def test_without_embeddings_the_hash_has_to_agree_more(metadata: MetadataDatabase) -> None:
    looks = Looks(4)
    one = looks.new()
    files = [add_file(metadata, "a.jpg", one), add_file(metadata, "b.jpg", looks.like(one, 4))]
    files += [add_file(metadata, "c.jpg", looks.like(one, 9))]
    with metadata.connection.write() as db:
        db.execute("DELETE FROM embeddings")
    assert together(metadata, *files) == [files[:2]]


def test_of_long_videos_frames_all_over_them_are_compared(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_pictures, "MOST_PICTURES", 30)
    looks = Looks(5)
    frames = [looks.new() for _ in range(40)]
    same = [frame for frame in frames for _ in range(2)]  # each stands for a while
    one, other = add_file(metadata, "a.mp4", *same), add_file(metadata, "b.mp4", *frames)
    pictures = frame_pictures.read_pictures(metadata, [one, other])
    assert len(pictures.hashes) == 30
    assert set(pictures.hashes.tolist()) <= {dhash for dhash, _ in frames}
    assert together(metadata, one, other) == [[one, other]]


def test_it_is_given_up_once_nobody_waits_for_it(metadata: MetadataDatabase) -> None:
    file = add_file(metadata, "a.jpg", Looks(6).new())
    with pytest.raises(GivenUp):
        SimilarMedia(metadata, [file], wanted=lambda: False).groups()
