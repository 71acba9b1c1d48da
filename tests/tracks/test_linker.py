"""The linker: which segments of a video's frames are one thing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from src.tracks import stitching
from src.tracks.linker import Linker, link
from src.tracks.segment_looks import FrameToLink
from tests.tracks.painted_frames import (
    Thing,
    background,
    disc,
    mirrored,
    paint,
    straight,
)

CROSSING = (
    Thing("wall", lambda _: (120, 30), 22, is_round=False),
    Thing("left to right", straight((20, 60), (6, 0))),
    Thing("right to left", straight((140, 62), (-6, 0))),
    Thing("falling", straight((40, 15), (1, 4)), 9),
)


def video(things: Sequence[Thing], frames: int = 20, per_second: float = 5.0) -> list[FrameToLink]:
    return [paint(things, number, per_second) for number in range(frames)]


def things_of(tracks: list[list[str]]) -> list[list[str]]:
    """The names of the things in each track, once each."""
    return sorted(sorted({own.split("@")[0] for own in track}) for track in tracks)


def test_things_that_cross_stay_what_they_are() -> None:
    tracks = link(video(CROSSING))
    assert things_of(tracks) == sorted([[thing.name] for thing in CROSSING])


def test_what_moves_further_than_it_is_long_is_followed() -> None:
    fast = Thing("fast", straight((15, 60), (28, 0)), 10)
    slow = Thing("slow", straight((80, 100), (1, 0)), 10)
    assert things_of(link(video([fast, slow], 6, per_second=1.0))) == [["fast"], ["slow"]]


def test_a_thing_that_was_out_of_sight_is_the_same_when_it_comes_back() -> None:
    away = Thing("away", lambda n: None if 8 <= n < 30 else (30 + n, 60))
    stays = Thing("stays", lambda _: (130, 90))
    tracks = link(video([away, stays], 45))
    assert things_of(tracks) == [["away"], ["stays"]]


def test_another_thing_in_the_same_place_is_another() -> None:
    before = Thing("before", lambda n: (80, 60) if n < 10 else None)
    after = Thing("after", lambda n: None if n < 12 else (80, 60))
    assert things_of(link(video([before, after], 25))) == [["after"], ["before"]]


def test_after_a_cut_only_likeness_counts() -> None:
    here = Thing("here", lambda n: (60, 60) if not 8 <= n < 16 else None)
    there = Thing("there", lambda n: (62, 60) if 8 <= n < 16 else None)
    grounds = background(1), 255 - background(2)
    frames = [paint([here, there], n, 5.0, grounds[8 <= n < 16]) for n in range(24)]
    assert things_of(link(frames)) == [["here"], ["there"]]


def test_a_part_never_becomes_the_whole() -> None:
    """Where SAM misses a thing, its part stays the part."""

    def at(n: int) -> tuple[float, float]:
        return 40 + 3 * n, 60

    whole = Thing("whole", at, 24, found=lambda n: n % 4 != 3)
    part = Thing("part", at, 11)
    frames = []
    for n in range(20):
        frame = paint([whole, part], n)
        holed = {each.id: each for each in frame.segments}
        frames.append(dataclasses.replace(frame, segments=list(holed.values())))
    assert things_of(link(frames)) == [["part"], ["whole"]]


def cut_twice(found: Callable[[int], Sequence[str]], frames: int = 20) -> list[FrameToLink]:
    """A thing that goes by; SAM cuts it with its rim, without, or both ways in one frame."""
    radii = {"with rim": 24, "without": 19}
    video = []
    for n in range(frames):
        frame = paint([Thing("thing", straight((40, 60), (3, 0)), 24)], n)
        cuts = [disc(f"{name}@{n}", "thing", (40 + 3 * n, 60), radii[name]) for name in found(n)]
        video.append(dataclasses.replace(frame, segments=cuts))
    return video


def test_a_thing_that_is_cut_otherwise_from_frame_to_frame_is_one_track() -> None:
    """Twice in some frames, in others with its rim or without: each frame has one of its track."""
    both = ("with rim", "without")
    frames = cut_twice(lambda n: (both, both, both[:1], both[:1], both[1:], both[1:])[n % 6])
    (track,) = link(frames)
    assert [own.split("@")[1] for own in track] == [str(n) for n in range(20)]


@pytest.mark.parametrize("first", ["with rim", "without"])
def test_of_two_segments_of_one_thing_the_track_takes_the_one_that_it_had_before(
    first: str,
) -> None:
    frames = cut_twice(lambda n: [first] if n == 0 else ["with rim", "without"])
    assert things_of(link(frames)) == [[first]]


def test_where_a_part_becomes_the_whole_thing_what_was_followed_longest_goes_on() -> None:
    """The inner one is too small to be the thing at first, and has a track of its own by then."""

    def frame(n: int) -> FrameToLink:
        at_xy = 40 + 3 * n, 60
        cuts = [disc(f"thing@{n}", "thing", at_xy, 24)]
        if n >= 5:
            cuts.append(disc(f"inner@{n}", "thing", at_xy, 14 if n < 9 else 19))
        return dataclasses.replace(paint([Thing("thing", lambda _: at_xy, 24)], n), segments=cuts)

    whole, inner = sorted(link(map(frame, range(20))), key=len, reverse=True)
    assert whole == [f"thing@{n}" for n in range(20)]
    assert inner == [f"inner@{n}" for n in range(5, 9)]


@pytest.mark.parametrize("seed", range(4))
def test_no_segment_is_in_two_tracks_and_no_track_has_two_of_a_frame(seed: int) -> None:
    rng = np.random.default_rng(seed)
    things = []
    for i in range(8):
        path = straight(tuple(rng.uniform(20, 100, 2)), tuple(rng.uniform(-5, 5, 2)))
        missed = int(rng.integers(3, 9))
        things.append(
            Thing(
                f"thing {i % 4}",  # each of these looks like another one
                path,
                int(rng.integers(6, 16)),
                found=lambda n, missed=missed: n % missed != 0,
            )
        )
    frames = []
    for n in range(16):
        frame = paint(things, n)
        unique = {f"{i} {each.id}": each for i, each in enumerate(frame.segments)}
        named = [dataclasses.replace(each, id=name) for name, each in unique.items()]
        frames.append(dataclasses.replace(frame, segments=named))
    tracks = link(frames)
    segments = [own for track in tracks for own in track]
    assert tracks and len(segments) == len(set(segments))
    for track in tracks:
        numbers = [int(own.split("@")[1]) for own in track]
        assert len(track) > 1 and numbers == sorted(set(numbers))


def test_the_order_of_segments_in_a_frame_does_not_matter() -> None:
    frames = video(CROSSING)
    turned = [
        dataclasses.replace(frame, segments=list(reversed(frame.segments))) for frame in frames
    ]
    assert link(frames) == link(turned)


def test_a_mirrored_video_has_the_same_tracks() -> None:
    frames = video(CROSSING)
    assert link(frames) == link(map(mirrored, frames))


def test_frames_without_segments_and_videos_without_frames_have_no_tracks() -> None:
    assert link([]) == []
    assert link(video([], 3)) == []
    assert link(video(CROSSING, 1)) == []


def test_what_is_kept_does_not_grow_with_the_video(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ever new things come and go; so many are remembered as at the first look."""
    monkeypatch.setattr(stitching, "REMEMBERED", 12)
    linker, held = Linker(), []
    for n in range(240):
        things = [
            Thing(f"{n // 6} {i}", straight((20 + 40 * i, 20 + 2 * (n % 40)), (0, 0)), 9)
            for i in range(3)
        ]
        linker.see(paint(things, n))
        held.append(linker.held)
    assert max(held[120:]) <= max(held[60:120]) + 3
    assert max(held) < 60
    assert len(linker.end()) >= 40


@pytest.mark.parametrize("value", [0.0, 512**-0.5])
def test_embeddings_that_say_nothing_are_no_reason_to_fail(value: float) -> None:
    """They wait to be made, or the CLIP finds everything the same."""
    same = np.full(512, value, np.float32)
    frames = [
        dataclasses.replace(
            frame,
            segments=[dataclasses.replace(each, embedding=same) for each in frame.segments],
        )
        for frame in video(CROSSING, 60)
    ]
    wall = next(track for track in link(frames) if track[0].startswith("wall"))
    assert things_of([wall]) == [["wall"]] and len(wall) > 10


@pytest.mark.parametrize("shape", [(2, 2048, 3), (2048, 1, 3), (1, 1, 3), (300, 4000, 3)])
def test_a_picture_of_any_shape_can_be_looked_at(shape: tuple[int, int, int]) -> None:
    """Of a video that is a thousand times as wide as high little is left in its stored pictures."""
    frames = [
        dataclasses.replace(frame, picture_rgb=np.zeros(shape, np.uint8))
        for frame in video(CROSSING[:1], 4)
    ]
    assert things_of(link(frames)) == [["wall"]]
