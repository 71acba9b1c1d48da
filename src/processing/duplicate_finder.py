"""Media files that are almost equal: candidates by dHash and embedding, then a look at them."""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.events import DuplicatesFound, Event, Progress
from src.processing.image_loader import load_image
from src.search.near_copies import Candidate, Groups, candidates
from src.search.picture_match import SIDE, match, small_picture

# What copies differ by in the part that fits worst, in levels of 0 to 255. Frames of a video that
# are a tenth of a second apart mostly differ by more.
MOST_DIFFERENCE = 10.0
# Of a video so many frames are compared, and this share of them has to fit.
_FRAMES_OF_VIDEO = 12
_SHARE_OF_VIDEO = 0.6
# By how much the moments and the lengths of two copies of a video may differ, in seconds, and the
# lengths by this share.
_MOMENT_S, _LENGTH_S, _LENGTH_SHARE = 2.0, 1.0, 0.05
_KEPT_PICTURES = 4000
_STEP = 64

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Picture:
    """A frame that stands for its file: that of a photo, or one of several of a video."""

    media_file_id: int
    is_video: bool
    duration_s: float
    timestamp_s: float
    segment_id: str
    dhash: int
    crop_path: str

    def may_be_copy(self, other: _Picture) -> bool:
        """Return whether two frames can be of two copies of one file."""
        if self.media_file_id == other.media_file_id or self.is_video != other.is_video:
            return False
        length = abs(self.duration_s - other.duration_s)
        most = max(_LENGTH_S, _LENGTH_SHARE * self.duration_s)
        return length <= most and abs(self.timestamp_s - other.timestamp_s) <= _MOMENT_S


def find_duplicates(
    metadata: MetadataDatabase, embeddings: EmbeddingStore, pixel_limit: int
) -> Iterator[Event]:
    """Compare all media files, and store the groups of those that are almost equal.

    Copies are files that show the same moment: resized, recompressed, cropped a little, brighter
    or darker, mirrored. Hidden files take no part, and what a person has decided on stays.
    Closed before its end it changes nothing.
    """
    content = metadata.duplicates.content()
    pictures = _pictures(metadata)
    vectors = embeddings.get([picture.segment_id for picture in pictures])
    pictures = [picture for picture in pictures if picture.segment_id in vectors]
    found = list[Candidate]()
    if pictures:
        hashes = np.array([picture.dhash for picture in pictures], np.uint64)
        matrix = np.stack([vectors[picture.segment_id] for picture in pictures])
        for done, some in candidates(hashes, matrix):
            found += [
                pair for pair in some if pictures[pair.first].may_be_copy(pictures[pair.second])
            ]
            if done % 4096 == 0 or done == len(pictures):
                yield Progress("compare", done, len(pictures))
    groups = yield from _groups(metadata, pictures, found, pixel_limit)
    metadata.duplicates.replace_open(groups, content)
    yield DuplicatesFound(len(groups), sum(map(len, groups)))


def _pictures(metadata: MetadataDatabase) -> list[_Picture]:
    hidden = metadata.duplicates.hidden()
    by_media = defaultdict[int, list[_Picture]](list)
    for row in metadata.connection.read().execute(
        "SELECT f.media_file_id, m.kind, m.duration_s, f.timestamp_s, s.id, f.dhash, s.crop_path"
        " FROM frames f JOIN media_files m ON m.id = f.media_file_id"
        " JOIN segments s ON s.frame_id = f.id AND s.kind = 'frame'"
        " WHERE m.status = 'done' AND f.dhash IS NOT NULL ORDER BY f.media_file_id, f.frame_index"
    ):
        media_file_id, kind, duration_s, timestamp_s, segment_id, dhash, crop_path = row
        if media_file_id not in hidden:
            by_media[media_file_id].append(
                _Picture(
                    media_file_id,
                    kind == "video",
                    duration_s or 0.0,
                    timestamp_s or 0.0,
                    segment_id,
                    int(dhash, 16),
                    crop_path,
                )
            )
    return [picture for some in by_media.values() for picture in _chosen(some)]


def _chosen(pictures: Sequence[_Picture]) -> Sequence[_Picture]:
    """Choose the frames that stand for a file: spread over a video, the first of an image."""
    if not pictures[0].is_video:
        return pictures[:1]
    count = min(len(pictures), _FRAMES_OF_VIDEO)
    places = np.linspace(0, len(pictures) - 1, count).round().astype(int)
    return [pictures[place] for place in places]


def _groups(
    metadata: MetadataDatabase,
    pictures: Sequence[_Picture],
    pairs: Sequence[Candidate],
    pixel_limit: int,
) -> Generator[Event, None, list[list[int]]]:
    """Look at candidates, and join the files of those that are copies: ids of media files.

    The surest come first: what is in one group by then is not looked at again.
    """
    reader = _Reader(metadata, pictures, pixel_limit)
    decided = metadata.duplicates.decided()
    settled = {pair for _, ids in decided for pair in combinations(sorted(ids), 2)}
    groups = Groups(ids for verdict, ids in decided if verdict == "apart")
    fitting = defaultdict[tuple[int, int], set[int]](set)  # frames, by two videos
    for number, pair in enumerate(sorted(pairs, key=lambda pair: pair.evidence), start=1):
        one, other = pictures[pair.first], pictures[pair.second]
        low, high = sorted((one.media_file_id, other.media_file_id))
        is_asked = (low, high) not in settled and groups.may_join(low, high)
        if is_asked and reader.are_copies(pair):
            if one.is_video:
                fitting[low, high].add(pair.first)
            else:
                groups.join(low, high)
        if number % _STEP == 0 or number == len(pairs):
            yield Progress("duplicates", number, len(pairs))
    frames = Counter(picture.media_file_id for picture in pictures)
    for (low, high), fits in fitting.items():
        if len(fits) >= _SHARE_OF_VIDEO * min(frames[low], frames[high]):
            groups.join(low, high)
    return groups.all()


class _Reader:
    """Small pictures of frames, from their crops; those used last are kept."""

    def __init__(
        self, metadata: MetadataDatabase, pictures: Sequence[_Picture], pixel_limit: int
    ) -> None:
        self._metadata, self._pictures, self._pixel_limit = metadata, pictures, pixel_limit
        self._kept: OrderedDict[int, np.ndarray | None] = OrderedDict()

    def are_copies(self, pair: Candidate) -> bool:
        """Look at two pictures that may be copies."""
        one, other = self._small(pair.first), self._small(pair.second)
        if one is None or other is None:
            return False
        return match(one, other, pair.is_mirrored).difference <= MOST_DIFFERENCE

    def _small(self, place: int) -> np.ndarray | None:
        """Read one; None where its crop is gone or damaged: `verify --repair` makes it again."""
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        path = self._metadata.paths.crop(self._pictures[place].crop_path)
        try:
            image = load_image(path, self._pixel_limit, draft_side=2 * SIDE).frame.image_rgb
            small: np.ndarray | None = small_picture(image)
        except MediaReadError as exc:
            log.info("a frame was not compared: %s", exc)
            small = None
        self._kept[place] = small
        if len(self._kept) > _KEPT_PICTURES:
            self._kept.popitem(last=False)
        return small
