"""How right tracks are: IDF1 (Ristani et al. 2016) as motmetrics computes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import motmetrics
import numpy as np
from scipy.optimize import linear_sum_assignment

from src.models.mask_rle import mask_ious
from src.tracks.segment_looks import FrameToLink, SegmentToLink
from tests.benchmarks.track_material import Found, Material, MaterialFrame, picture_of

LinkFunction = Callable[[Iterable[FrameToLink]], list[list[str]]]
PICTURE_SIDE = 1024


@dataclass(frozen=True)
class TrackScores:
    """IDF1 of a video's tracks, each over what is named.

    Attributes:
        ideal: the true masks, linked.
        found: the things that SAM found, in the frames in which it did: what the linker is to
            blame for.
        drawn: all that was drawn: what SAM misses counts against it.
        recall: the share of things, frame by frame, that SAM found.
    """

    ideal: motmetrics.MOTAccumulator
    found: motmetrics.MOTAccumulator
    drawn: motmetrics.MOTAccumulator
    recall: tuple[int, int]


def score(material: Material, rate: float, link: LinkFunction) -> TrackScores:
    """Link a video's segments at a rate and compare the tracks with the truth."""
    tracks = _Names(link(_frames(material, rate, "ideal")))
    ideal = _accumulator()
    found, drawn = _accumulator(), _accumulator()
    for frame in _of(material, rate):
        truth = [own for own in frame.ideal if _thing(own) not in frame.hidden]
        things = [_thing(own) for own in truth]
        names = [tracks(own.id) for own in truth]
        ideal.update(things, names, np.where(np.eye(len(things)) > 0, 0.0, np.nan))
    tracks = _Names(link(_frames(material, rate, "found")))
    matched = _matched(_of(material, rate), tracks)
    of_things = {tracks(segment) for pairs in matched.values() for segment in pairs.values()}
    hits = total = 0
    for frame in _of(material, rate):
        pairs = matched[frame.frame_index]
        names = [_thing(own) for own in frame.ideal if _thing(own) not in frame.hidden]
        hits += sum(name in pairs for name in names)
        total += len(names)
        ignored = {pairs[name] for name in frame.hidden if name in pairs}
        # a track that is of a thing at times must not be of something else at others
        shown = [
            own.id for own in frame.found if tracks(own.id) in of_things and own.id not in ignored
        ]
        for accumulator, wanted in ((found, [n for n in names if n in pairs]), (drawn, names)):
            distances = np.full((len(wanted), len(shown)), np.nan)
            for i, name in enumerate(wanted):
                if name in pairs:
                    distances[i, shown.index(pairs[name])] = 0.0
            accumulator.update(wanted, [tracks(own) for own in shown], distances)
    return TrackScores(ideal, found, drawn, (hits, total))


def idf1(accumulators: Sequence[motmetrics.MOTAccumulator]) -> float:
    """Compute IDF1 over several videos together."""
    summary = motmetrics.metrics.create().compute_many(
        accumulators,
        names=[str(i) for i in range(len(accumulators))],
        metrics=["idf1"],
        generate_overall=True,
    )
    return float(summary.loc["OVERALL", "idf1"])


def plain_iou_linker(frames: Iterable[FrameToLink]) -> list[list[str]]:
    """Link segments of frames that follow each other where their masks overlap by 0.3 or more."""
    tracks: dict[str, list[str]] = {}
    before: Sequence[SegmentToLink] = ()
    done: list[list[str]] = []
    for frame in frames:
        own: dict[str, list[str]] = {}
        if before and frame.segments:
            ious = mask_ious(
                [each.mask_rle for each in before],
                [each.mask_rle for each in frame.segments],
                frame.size_wh,
            )
            for i, j in zip(*linear_sum_assignment(ious, maximize=True), strict=True):
                if ious[i, j] >= 0.3:
                    own[frame.segments[j].id] = tracks[before[i].id]
        for segment in frame.segments:
            if segment.id not in own:
                done.append([])
                own[segment.id] = done[-1]
            own[segment.id].append(segment.id)
        tracks, before = own, frame.segments
    return [track for track in done if len(track) > 1]


def _accumulator() -> motmetrics.MOTAccumulator:
    return motmetrics.MOTAccumulator(auto_id=True)


def _of(material: Material, rate: float) -> list[MaterialFrame]:
    return [material.frames[index] for index, _ in material.sampled[rate]]


def _frames(material: Material, rate: float, which: str) -> list[FrameToLink]:
    return [
        FrameToLink(
            index,
            frame.timestamp_s,
            until_s,
            frame.size_wh,
            picture_of(frame, PICTURE_SIDE),
            [_to_link(own) for own in getattr(frame, which)],
        )
        for (index, until_s), frame in zip(material.sampled[rate], _of(material, rate), strict=True)
    ]


def _to_link(own: Found) -> SegmentToLink:
    return SegmentToLink(own.id, own.bbox_xywh, own.area, own.mask_rle, own.embedding)


def _thing(own: Found) -> int:
    return int(own.id.split("@")[0])


class _Names:
    """Numbers for tracks, by their segments; motmetrics takes no words."""

    def __init__(self, tracks: list[list[str]]) -> None:
        self._numbers = {own: i for i, track in enumerate(tracks) for own in track}

    def __call__(self, segment: str) -> int:
        """Return the number of a segment's track, or one of its own where it has none."""
        return self._numbers.setdefault(segment, len(self._numbers) + 1_000_000)


def _matched(frames: list[MaterialFrame], tracks: _Names) -> dict[int, dict[int, str]]:
    """Find for each thing in each frame the segment that is of it, if there is one.

    It overlaps it by half. Where SAM has made two of one thing, as with its rim and without, that
    of the track which is of the thing most often counts, then the one that overlaps it most.
    """
    ious = {frame.frame_index: _overlaps(frame) for frame in frames}
    often: Counter[tuple[int, int]] = Counter()
    for frame in frames:
        for i, j in zip(*np.nonzero(ious[frame.frame_index]), strict=True):
            often[_thing(frame.ideal[i]), tracks(frame.found[j].id)] += 1
    matched = {}
    for frame in frames:
        gains = ious[frame.frame_index].copy()
        for i, j in zip(*np.nonzero(gains), strict=True):
            gains[i, j] += often[_thing(frame.ideal[i]), tracks(frame.found[j].id)]
        matched[frame.frame_index] = {
            _thing(frame.ideal[i]): frame.found[j].id
            for i, j in zip(*linear_sum_assignment(gains, maximize=True), strict=True)
            if gains[i, j] > 0
        }
    return matched


def _overlaps(frame: MaterialFrame) -> np.ndarray:
    """IoU of things with segments, 0 below a half: (N, M)."""
    if not frame.found or not frame.ideal:
        return np.zeros((len(frame.ideal), len(frame.found)))
    ious = mask_ious(
        [own.mask_rle for own in frame.ideal],
        [own.mask_rle for own in frame.found],
        frame.size_wh,
    )
    return np.asarray(np.where(ious < 0.5, 0, ious))
