"""Tracks of CVAT's XML files for videos: shapes in some frames, and where they are between."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

import numpy as np

from src.datasets.annotations import AnnotatedVideo, Annotation
from src.datasets.formats.dataset_reader import MOST_PIXELS, DatasetReader

# What lies between two shapes is in proportion to time.
_MOVES = {
    "box": ("xtl", "ytl", "xbr", "ybr"),
    "ellipse": ("cx", "cy", "rx", "ry"),
}
_OCCLUDED = ("occluded", "true")
_TURN = 360.0

# Of a frame of a size: (width, height).
ReadShape = Callable[[Element, tuple[int, int]], Annotation]


@dataclass(frozen=True)
class CvatVideo:
    """What an XML file says of a video, in `meta`.

    Attributes:
        source: the name of its file.
        frames: how many it has, by the highest number that a shape may be of.
    """

    source: str
    size_wh: tuple[int, int]
    frames: int | None


def _read_videos(meta: Element) -> dict[str, CvatVideo]:
    """Read the videos of a task, or of the tasks of a project, by the ids of tasks.

    Raises:
        ValueError: one has no size in whole pixels.
    """
    found: dict[str, CvatVideo] = {}
    for task in [*meta.iter("task"), *meta.iter("job")]:
        source = (task.findtext("source") or meta.findtext("source") or "").strip()
        size = task.find("original_size")
        size = meta.find("original_size") if size is None else size
        if not source or size is None:
            continue
        size_wh = int(size.findtext("width") or 0), int(size.findtext("height") or 0)
        if min(size_wh) <= 0 or size_wh[0] * size_wh[1] > MOST_PIXELS:
            raise ValueError(f"the video {source!r} has no size that a video may have")
        stop = (task.findtext("stop_frame") or "").strip()
        frames = int(stop) + 1 if stop else None
        name = PurePosixPath(source.replace("\\", "/")).name
        found[(task.findtext("id") or "").strip()] = CvatVideo(name, size_wh, frames)
    return found


class CvatTracks:
    """The tracks of one file, by the videos that they are in."""

    def __init__(
        self, reader: DatasetReader, file: str, read_shape: ReadShape, numbers: Iterator[int]
    ) -> None:
        """Begin with none.

        Args:
            read_shape: reads a shape as in an image.
            numbers: that tracks get in the dataset, of which this may be one file of several.
        """
        self._reader, self._file, self._read_shape = reader, file, read_shape
        self._videos: dict[str, CvatVideo] = {}
        self._tracks: dict[CvatVideo, list[tuple[str, CvatTrack]]] = {}
        self._numbers = numbers

    def read_meta(self, meta: Element) -> None:
        """Read which videos there are."""
        with self._reader.part(self._file):
            self._videos = _read_videos(meta)

    def add(self, element: Element) -> None:
        """Read a track; what models found is left out."""
        with self._reader.part(self._file):
            if element.get("source") == "auto":
                raise ValueError("a model's track is left out")
            video = self._videos.get(element.get("task_id") or "")
            if video is None and len(self._videos) == 1:
                (video,) = self._videos.values()
            if video is None:
                raise ValueError("a track is of no video that the file names with its size")
            number = next(self._numbers)
            track = CvatTrack(element, self._read_shape, number, video)
            name = f"track {element.get('id') or number} ({track.label})"
            self._tracks.setdefault(video, []).append((name, track))

    def videos(self) -> Iterator[AnnotatedVideo]:
        """Give the videos that have tracks."""
        for video, tracks in self._tracks.items():
            file = self._reader.find(video.source)
            path = self._reader.root / (file or video.source)
            media = None if file else video.source
            yield AnnotatedVideo(path, media, video.size_wh, tuple(tracks))


class CvatTrack:
    """A track: its shapes by frame, and what CVAT puts between and after them.

    From a shape to the next one a box or an ellipse moves in proportion to time, also where it is
    outside then, and so does a polygon with as many points; any other shape stays as it is. After
    the last one it stays to the end. Attributes and whether it is occluded are those of the shape
    before. Where a shape says that the thing is outside, it is not seen up to the next one.
    """

    def __init__(
        self, element: Element, read_shape: ReadShape, number: int, video: CvatVideo
    ) -> None:
        """Read where the shapes are.

        Args:
            read_shape: reads a shape as in an image.
            number: of the track in the dataset.
            video: that it is in.

        Raises:
            ValueError: it has no label, no shapes, or one of no frame.
        """
        self.label = (element.get("label") or "").strip()
        if not self.label:
            raise ValueError("a track has no label")
        self._read_shape, self._number, self._video = read_shape, number, video
        shapes: dict[int, Element] = {}
        for shape in element:
            if "frame" not in shape.attrib:
                continue
            try:
                frame = int(shape.get("frame") or "")
            except ValueError as exc:
                raise ValueError("a track has a shape of no frame") from exc
            if frame < 0:
                raise ValueError(f"a track has a shape in frame {frame}")
            for name in ("label", "source"):
                shape.set(name, element.get(name) or "")
            shapes[frame] = shape
        if not shapes:
            raise ValueError("a track has no shapes")
        # CVAT writes what lies between keyframes, too: of boxes it would only take memory, but how
        # outlines change, with other points perhaps, can't be told from the keyframes
        needed = {
            frame: each
            for frame, each in shapes.items()
            if each.get("keyframe") != "0" or each.tag not in _MOVES
        }
        self._shapes = dict(sorted((needed or shapes).items()))
        self._places = list(self._shapes)

    def at(self, frame_index: int) -> Annotation | None:
        """What is said of the thing in a frame; see TrackShapes."""
        if self._video.frames is not None and frame_index >= self._video.frames:
            return None
        before = bisect_right(self._places, frame_index) - 1
        if before < 0:
            return None
        begin = self._places[before]
        shape = self._shapes[begin]
        if shape.get("outside") == "1":
            return None
        if begin < frame_index and before + 1 < len(self._places):
            end = self._places[before + 1]
            part = (frame_index - begin) / (end - begin)
            shape = _between(shape, self._shapes[end], part)
        read = replace(self._read_shape(shape, self._video.size_wh), track_id=self._number)
        if shape.get("occluded") == "1":
            others = tuple(each for each in read.attributes if each[0] != _OCCLUDED[0])
            read = replace(read, attributes=(*others, _OCCLUDED))
        return read


def _between(shape: Element, following: Element, part: float) -> Element:
    """Move a shape a part of the way to the one that follows it.

    Raises:
        ValueError: where one of them is, is not a number.
    """
    if shape.tag != following.tag:
        return shape
    moved = Element(shape.tag, dict(shape.attrib))
    moved.extend(shape)
    if shape.tag in _MOVES:
        for name in _MOVES[shape.tag]:
            first, last = (_number(each, name) for each in (shape, following))
            moved.set(name, repr(first + (last - first) * part))
        first, last = (float(each.get("rotation") or 0) for each in (shape, following))
        if first or last:  # the shorter way round
            turn = (last - first + _TURN / 2) % _TURN - _TURN / 2
            moved.set("rotation", repr((first + turn * part) % _TURN))
    elif shape.tag == "polygon":
        begin, end = _points(shape), _points(following)
        if begin.shape == end.shape:
            between = begin + (end - begin) * part
            moved.set("points", ";".join(f"{x!r},{y!r}" for x, y in between.tolist()))
    return moved


def _number(shape: Element, name: str) -> float:
    try:
        return float(shape.get(name) or "")
    except ValueError as exc:
        raise ValueError(f"a {shape.tag} has an edge that is not a number") from exc


def _points(shape: Element) -> np.ndarray:
    """Read the points of a polygon: (N, 2)."""
    points = [each.split(",") for each in (shape.get("points") or "").split(";")]
    if any(len(each) != 2 for each in points):
        raise ValueError("a point of a polygon is not a pair of numbers")
    return np.array(points, dtype=np.float64)
