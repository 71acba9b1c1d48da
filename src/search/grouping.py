"""Hits of one thing become one: of a track, of frames of a video, masks of a frame, copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from src.database.duplicate_groups import KnownCopies
from src.models.mask_rle import mask_ious
from src.records import SearchHit

# Frames of a video that are so near in time may show the same thing wherever it is.
NEAR_S = 5.0
# Boxes that overlap so far are of what has hardly moved, and is the same however much later.
MOVED_IOU = 0.3
# Masks of one frame that overlap so far, or of which so much of one lies in the other.
OVERLAP_IOU, INSIDE = 0.5, 0.8
# An object that takes so much of its frame is what the whole frame is of.
DOMINANT = 0.5
# And one that takes so much of it is as good as the frame.
NEARLY_WHOLE = 0.8
# Frames of different files are copies when their hashes differ in so few of 64 bits, and what is
# in the same place of both is the same.
COPY_BITS, COPY_IOU = 6, 0.5

# Takes ids of segments; gives their embeddings, (512,) float32 each, but for those that are gone.
Embeddings = Callable[[Sequence[str]], Mapping[str, np.ndarray]]
# The later and the earlier places of pairs, (P,) int64, and how alike they have to be, (P,).
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
NOTHING_KNOWN = KnownCopies()
NO_TRACKS: Mapping[str, tuple[float, float]] = MappingProxyType({})


def one_of_each(
    hits: Sequence[SearchHit],
    limit: int,
    like: float,
    dhashes: Mapping[str, str],
    embeddings: Embeddings,
    copies: KnownCopies = NOTHING_KNOWN,
    spans: Mapping[str, tuple[float, float]] = NO_TRACKS,
) -> list[SearchHit]:
    """Make hits of the same thing one hit: the best, with the others as its `alike`.

    Each hit joins the first better one that it is the same as, or as one of its others. So the
    first cards of some hits are the first cards of these and of all hits behind them, too.

    Args:
        hits: best first.
        limit: the most that are wanted of those that stand for the others.
        like: the cosine similarity from which on two segments are likely not alike by chance.
        dhashes: of the frames of segments, 16 hex digits by the segment's id, where known.
        embeddings: asked once, about those that may be the same by where they are.
        copies: the media files that are known to be copies of one another, or not to be.
        spans: when the tracks of segments begin and end, by the segment's id; of those in one.

    Returns:
        The hits that stand for the others, best first; each that is in a track with its `moment`.
    """
    hits = [
        replace(hit, moment=spans[hit.segment.id]) if hit.segment.id in spans else hit
        for hit in hits
    ]
    places = _Places.of(hits, dhashes)
    first, second, least = _may_be_same(places, like, copies)
    is_like = _cosines(hits, first, second, embeddings) >= least
    first, second = first[is_like], second[is_like]
    same = _same_masks(hits, places, first, second)
    first, second = first[same], second[same]
    order = np.lexsort((second, first))
    better: dict[int, list[int]] = {}
    for i, j in zip(first[order].tolist(), second[order].tolist(), strict=True):
        better.setdefault(i, []).append(j)
    cards: list[list[int]] = []
    card_of: list[int] = []
    frames: list[dict[int, list[int]]] = []  # of each card its hits by frame
    for i, frame in enumerate(places.frame.tolist()):
        known = better.get(i, [])
        for card in sorted({card_of[j] for j in known}):
            beside = frames[card].get(frame, [])
            if not beside or not set(beside).isdisjoint(known):  # two of one frame are two things
                break
        else:
            card = len(cards)
            cards.append([])
            frames.append({})
        cards[card].append(i)
        frames[card].setdefault(frame, []).append(i)
        card_of.append(card)
    return [
        replace(hits[best], alike=tuple(hits[i] for i in others)) if others else hits[best]
        for best, *others in cards[:limit]
    ]


@dataclass(frozen=True)
class _Places:
    """Where N hits are.

    Attributes:
        media, frame: (N,) numbers of the media file and of the frame.
        time_s: (N,) float64; NaN for a photo.
        boxes: (N, 4) float64 left, top, right and bottom, in shares of the frame.
        whole: (N,) bool, whether it is a whole frame, or nearly.
        hashes: (N,) uint64.
        is_hashed: (N,) bool, whether there is one.
        track: (N,) numbers of the track; each in none has a negative one of its own.
        span_s: (N, 2) float64, when the track begins and ends; NaN where that is not known.
    """

    media: np.ndarray
    frame: np.ndarray
    time_s: np.ndarray
    boxes: np.ndarray
    whole: np.ndarray
    hashes: np.ndarray
    is_hashed: np.ndarray
    track: np.ndarray
    span_s: np.ndarray

    @classmethod
    def of(cls, hits: Sequence[SearchHit], dhashes: Mapping[str, str]) -> _Places:
        segments = [hit.segment for hit in hits]
        frames: dict[tuple[int, int], int] = {}
        boxes = np.array([s.bbox_xywh for s in segments], np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        sizes = np.array([s.frame_wh for s in segments], np.float64).reshape(-1, 2)
        hashes = [dhashes.get(s.id) for s in segments]
        return cls(
            np.array([s.media_file_id for s in segments], np.int64),
            np.array(
                [
                    frames.setdefault((s.media_file_id, s.frame_index), len(frames))
                    for s in segments
                ],
                np.int64,
            ),
            np.array([np.nan if s.timestamp_s is None else s.timestamp_s for s in segments]),
            boxes / np.tile(sizes, 2),
            np.array(
                [s.area >= NEARLY_WHOLE * s.frame_wh[0] * s.frame_wh[1] for s in segments], bool
            ),
            np.array([int(each or "0", 16) for each in hashes], np.uint64),
            np.array([each is not None for each in hashes], bool),
            np.array(
                [-1 - n if s.track_id is None else s.track_id for n, s in enumerate(segments)],
                np.int64,
            ),
            np.array(
                [(np.nan, np.nan) if hit.moment is None else hit.moment for hit in hits]
            ).reshape(-1, 2),
        )

    def are_apart(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return which pairs are two things: of two tracks seen at one time. (P,) bool."""
        a, b = self.span_s[first], self.span_s[second]
        together = np.minimum(a[:, 1], b[:, 1]) > np.maximum(a[:, 0], b[:, 0])
        apart: np.ndarray = (self.track[first] != self.track[second]) & together
        return apart

    def overlap(
        self, first: np.ndarray, second: np.ndarray, mirrored: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Measure boxes of pairs: their IoU, and the share of the smaller one that is in both.

        Args:
            mirrored: turn the second of each pair round in its frame, left for right.
        """
        a, b = self.boxes[first], self.boxes[second]
        if mirrored:
            b = np.stack([1 - b[:, 2], b[:, 1], 1 - b[:, 0], b[:, 3]], axis=1)
        sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
        both = np.prod(np.maximum(sides, 0), axis=1)
        areas = [np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (a, b)]
        least = np.maximum(np.minimum(*areas), 1e-12)
        return both / np.maximum(areas[0] + areas[1] - both, 1e-12), both / least


def _may_be_same(places: _Places, like: float, copies: KnownCopies) -> Pairs:
    """List the pairs that may be the same by where they are.

    Returns:
        (P,) numbers of the weaker hits, of the better ones, and how alike each pair has to be.
    """
    first, second = _pairs(places.media)
    iou, inside = places.overlap(first, second)
    in_frame = places.frame[first] == places.frame[second]
    here = in_frame & ((iou >= OVERLAP_IOU) | (inside >= INSIDE))
    apart_s = np.abs(places.time_s[first] - places.time_s[second])  # NaN in a photo
    in_film = (apart_s >= 0) & ~in_frame & (places.whole[first] == places.whole[second])
    near, stays = apart_s <= NEAR_S, iou >= MOVED_IOU
    at = here | (in_film & (near | stays) & ~places.are_apart(first, second))
    # what has moved, or is there again later, has to be more alike
    least = np.where(in_frame | (near & stays), like, (1 + like) / 2)
    found = (
        (first[at], second[at], least[at]),
        _of_one_track(places),
        _frames_alike(places, like, copies),
        _known_copies(places, like, copies),
    )
    first, second, least = (np.concatenate(each) for each in zip(*found, strict=True))
    return first, second, least


def _of_one_track(places: _Places) -> Pairs:
    """List the pairs of a track, which are the same however alike."""
    first, second = _pairs(places.track)
    return first, second, np.full(len(first), -1.0)


def _pairs(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List the pairs of places that have the same key: (P,) the later and the earlier ones."""
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.diff(keys[order], prepend=keys[order][:1] - 1))
    starts = np.repeat(begins, np.diff(np.append(begins, len(keys))))
    before = np.arange(len(keys)) - starts
    nth = np.arange(before.sum()) - np.repeat(np.cumsum(before) - before, before)
    return np.repeat(order, before), order[np.repeat(starts, before) + nth]


def _known_copies(places: _Places, like: float, copies: KnownCopies) -> Pairs:
    """List pairs in the same place of copies, where that is known; of videos at about one time."""
    of_media = {int(places.media[each[0]]): each for each in _runs(places.media)}
    members = [
        (group, place)
        for group, files in copies.together.items()
        for file in files
        for place in of_media.get(file, np.empty(0, np.int64)).tolist()
    ]
    groups, at = np.array(members, np.int64).reshape(-1, 2).T
    a, b = _pairs(groups)
    first, second = np.maximum(at[a], at[b]), np.minimum(at[a], at[b])
    apart_s = np.abs(places.time_s[first] - places.time_s[second])  # NaN of photos
    same = (places.media[first] != places.media[second]) & ~(apart_s > NEAR_S)
    same &= places.whole[first] == places.whole[second]
    ious = [places.overlap(first, second, mirrored)[0] for mirrored in (False, True)]
    same &= np.maximum(*ious) >= COPY_IOU
    first, second = first[same], second[same]
    # the pictures were compared already, whatever a CLIP makes of one that is mirrored or brighter
    return first, second, np.where(places.whole[first], -1.0, like)


def _frames_alike(places: _Places, like: float, copies: KnownCopies) -> Pairs:
    """List pairs that are in the same place of frames that look the same, of different files."""
    some = np.flatnonzero(places.is_hashed)
    frames, at = np.unique(places.frame[some], return_index=True)
    hashes, media = places.hashes[some[at]], places.media[some[at]]
    differ = np.bitwise_count(hashes[:, None] ^ hashes[None])
    a, b = np.nonzero((differ <= COPY_BITS) & (media[:, None] < media[None]))
    members = {int(places.frame[each[0]]): each for each in _runs(places.frame)}
    pairs = [
        np.stack(np.meshgrid(members[int(frames[i])], members[int(frames[j])]), -1).reshape(-1, 2)
        for i, j in zip(a.tolist(), b.tolist(), strict=True)
        if not copies.are_apart(int(media[i]), int(media[j]))
    ]
    both = np.concatenate([np.empty((0, 2), np.int64), *pairs])
    first, second = both.max(axis=1, initial=0), both.min(axis=1, initial=1 << 62)
    same_kind = places.whole[first] == places.whole[second]
    at = same_kind & (places.overlap(first, second)[0] >= COPY_IOU)
    return first[at], second[at], np.full(int(at.sum()), like)


def _runs(keys: np.ndarray) -> Iterator[np.ndarray]:
    """Give the places of each key that is there, ascending."""
    order = np.argsort(keys, kind="stable")
    ends = np.flatnonzero(np.diff(keys[order])) + 1
    for run in np.split(order, ends):
        if len(run):
            yield run


def _cosines(
    hits: Sequence[SearchHit], first: np.ndarray, second: np.ndarray, embeddings: Embeddings
) -> np.ndarray:
    """Measure how alike pairs are: (P,) float32, -1 where one is gone."""
    if not len(first):
        return np.empty(0, np.float32)
    asked = np.unique(np.concatenate([first, second]))
    vectors = embeddings([hits[i].segment.id for i in asked.tolist()])
    there = np.array([hits[i].segment.id in vectors for i in asked.tolist()], bool)
    matrix = np.zeros((len(asked), len(next(iter(vectors.values()), np.empty(0)))), np.float32)
    for row, i in enumerate(asked.tolist()):
        if there[row]:
            matrix[row] = vectors[hits[i].segment.id]
    a, b = np.searchsorted(asked, first), np.searchsorted(asked, second)
    return np.where(there[a] & there[b], (matrix @ matrix.T)[a, b], np.float32(-1))


def _same_masks(
    hits: Sequence[SearchHit], places: _Places, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Say of pairs whether their masks overlap, where both are of one frame: (P,) bool."""
    same = np.ones(len(first), bool)
    in_frame = np.flatnonzero(places.frame[first] == places.frame[second])
    for pair in in_frame.tolist():
        a, b = (hits[i].segment for i in (int(first[pair]), int(second[pair])))
        if a.mask_rle is None or b.mask_rle is None:
            pixels = a.frame_wh[0] * a.frame_wh[1]
            same[pair] = min(a.area, b.area) >= DOMINANT * pixels
            continue
        iou = float(mask_ious([a.mask_rle], [b.mask_rle], a.frame_wh)[0, 0])
        both = iou * (a.area + b.area) / (1 + iou)
        same[pair] = iou >= OVERLAP_IOU or both >= INSIDE * min(a.area, b.area)
    return same
