"""Which media files have to be on one side of a split: copies, look-alikes, bursts, videos.

A file is never divided, so the frames of a video are together. Files are joined when

- the search for duplicates found them to be copies, or a person said so (docs/duplicates.md);
- a frame of one looks like a frame of the other: dHash and embedding agree so well that no look
  at the pixels is needed. So a photo is joined with the video it was taken from, and a video with
  another export of it;
- they are videos of which half of the frames are somewhat alike: the same footage, cut or with
  frames of other moments;
- they are photos of a burst: of one camera or folder, a few seconds apart, and somewhat alike; or
  of one camera, a second apart at most and numbered one after the other, whatever they look like.

What a person called no duplicates is not joined for its likeness, but still where it is a burst.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import combinations
from pathlib import PurePath

import numpy as np

from src.database.metadata_db import MetadataDatabase
from src.datasets.splitting.pictures import UNKNOWN, read_pictures
from src.errors import GivenUp
from src.search.near_copies import WEIGHT, mirrored

# The dHash may differ the less, the less the embeddings agree. Of the 1.6 million pairs of 1,800
# drawn scenes none is joined by this; with a limit of 16 three are, which 50,000 files would make
# 2,000, and these would join files that have nothing in common.
MOST_EVIDENCE = 14
# Of a copy that was cropped the embedding is all but the same, and more of the dHash another. Of
# the 2 million pairs of 2,000 drawn scenes four are joined by this.
_CROPPED_BITS, _CROPPED_WEIGHT, _CROPPED_EVIDENCE = 20, 64, 23
# With so few bits they are alike whatever the embeddings say: in a library of one scene all
# embeddings are close, and none is closer than an average one.
_SAME_BITS = 3
# Of one that was made much brighter it is the embedding that is another.
_BRIGHTER_BITS, _BRIGHTER_DISTANCE = 7, 0.95
# Of a mirror image what rises in one picture falls in the other: no step rises in both, and so few
# in neither. A CLIP may find the two no more alike than others.
_MIRRORED_BITS, _MIRRORED_DISTANCE = 16, 0.6
# Where white has swallowed much of a picture hardly a step rises that does not in the original.
# One of the 2 million pairs is joined by this.
_WHITE_RISES, _WHITE_DISTANCE = 2, 0.1
# Steps that rise in a picture; of one with fewer, which is flat, the dHash says nothing.
_LEAST_RISES = 6
# Photos of a burst follow each other so fast, and so much of them may be another.
_BURST_S = 3.0
_BURST_BITS = 20
_BURST_DISTANCE = 0.6
_BURST_PARTNERS = 30
# So near, and numbered one after the other, they are of a burst in which all moves.
_NUMBERED_S = 1.0
_NUMBERED = re.compile(r"(.*?)(\d{1,9})")
# Of two videos of the same footage frames are somewhat alike, and this share of them. So many
# frames of a video are compared, and fewer where there are so many of all videos.
_FOOTAGE_BITS, _FOOTAGE_DISTANCE, _FOOTAGE_SHARE = 22, 0.3, 0.5
_MOST_OF_VIDEO, _MOST_OF_FOOTAGE = 12, 24_000
# Rows and columns that are compared at once: they stay in a processor's cache.
_ROWS, _COLUMNS = 32, 4096
# Pairs in such a block from which on all its embeddings are multiplied at once.
_DENSE = 2000


# Places of pictures: all of the first are compared with all of the second.
_Block = tuple[np.ndarray, np.ndarray]


class SimilarMedia:
    """Media files of a library, and which of them are alike.

    Attributes:
        pictures: their frames.
    """

    def __init__(
        self,
        metadata: MetadataDatabase,
        media_ids: Collection[int],
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Read what they look like.

        Args:
            wanted: whether somebody still waits for it; asked now and then.
        """
        self.pictures = read_pictures(metadata, media_ids)
        self._wanted = wanted
        ids = self.pictures.media_ids
        self._place = {int(media_id): place for place, media_id in enumerate(ids)}
        hashes = self.pictures.hashes
        self._turned = mirrored(hashes)
        rises = np.bitwise_count(hashes)
        self._telling = np.flatnonzero(rises >= _LEAST_RISES)
        self._footage = self._frames_of_footage()
        self._copies = list[list[int]]()
        apart = set[tuple[int, int]]()
        for verdict, members in metadata.duplicates.groups():
            known = sorted(self._place[each] for each in members if each in self._place)
            if verdict == "apart":
                apart.update(combinations(known, 2))
            elif len(known) > 1:
                self._copies.append(known)
        keys = (first * len(ids) + second for first, second in apart)
        self._apart = np.array(sorted(keys), np.int64)
        self._bursts = self._burst_pairs(metadata)

    def groups(self) -> dict[int, int]:
        """Join what is alike: the group of each media file, named by its lowest id.

        Raises:
            GivenUp: nobody waits for it any more.
        """
        joined = _Joined(len(self.pictures.media_ids))
        joined.join(
            np.array([(some[0], other) for some in self._copies for other in some[1:]], np.int64)
        )
        joined.join(self._bursts)
        for rows, columns in self._blocks(self._telling):
            joined.join(self._alike(rows, columns, joined.label))
        joined.join(self._same_footage(self._blocks(self._footage), joined.label))
        ids = self.pictures.media_ids
        lowest = np.full(len(ids), len(ids))
        np.minimum.at(lowest, joined.label, np.arange(len(ids)))
        return dict(zip(ids.tolist(), ids[lowest[joined.label]].tolist(), strict=True))

    def similar_to(self, media_id: int, others: Iterable[int]) -> set[int]:
        """Return which of others a media file is similar to itself, not by way of a third one."""
        wanted = {self._place[each] for each in others} - {self._place[media_id]}
        here = self._place[media_id]
        found = {there for some in self._copies if here in some for there in some}
        for first, second in self._bursts:
            if here in (first, second):
                found.add(int(first + second) - here)
        label = np.arange(len(self.pictures.media_ids))
        for block in self._blocks_of(here, wanted, self._telling):
            found.update(self._alike(*block, label).ravel().tolist())
        of_footage = self._blocks_of(here, wanted, self._footage)
        found.update(self._same_footage(of_footage, label).ravel().tolist())
        return {int(self.pictures.media_ids[there]) for there in found & wanted}

    def _alike(self, rows: np.ndarray, columns: np.ndarray, label: np.ndarray) -> np.ndarray:
        """Find pairs of media files (K, 2) with different labels, of which two pictures are alike.

        Args:
            rows, columns: places of pictures; all of the ones are compared with all others.
            label: (M,) of each media file.
        """
        hashes = self.pictures.hashes
        differ = np.bitwise_count(hashes[rows, None] ^ hashes[None, columns])
        contradict = np.bitwise_count(self._turned[rows, None] & hashes[None, columns])
        # of the steps that rise in one, those that do not rise in the other
        shared = np.bitwise_count(hashes[rows, None] & hashes[None, columns])
        rises = np.bitwise_count(hashes)
        lost = np.minimum(rises[rows, None], rises[None, columns]) - shared
        near = (differ <= _CROPPED_BITS) | (contradict == 0) | (lost <= _WHITE_RISES)
        row, column, pairs, distance = self._unlike_labels(near, rows, columns, label)
        bits = differ[row, column]
        is_alike = bits + WEIGHT * distance <= MOST_EVIDENCE
        is_alike |= (bits <= _CROPPED_BITS) & (
            bits + _CROPPED_WEIGHT * distance <= _CROPPED_EVIDENCE
        )
        is_alike |= (bits <= _BRIGHTER_BITS) & (distance <= _BRIGHTER_DISTANCE)
        is_alike |= (lost[row, column] <= _WHITE_RISES) & (distance <= _WHITE_DISTANCE)
        is_alike |= bits <= _SAME_BITS
        rises = np.bitwise_count(hashes[pairs[0]] ^ self._turned[pairs[1]])
        is_mirrored = (contradict[row, column] == 0) & (64 - rises <= _MIRRORED_BITS)
        is_alike |= is_mirrored & (distance <= _MIRRORED_DISTANCE)
        return self._not_apart(self.pictures.media[pairs[:, is_alike]].T)

    def _same_footage(self, blocks: Iterable[_Block], label: np.ndarray) -> np.ndarray:
        """Find pairs of videos (K, 2) with different labels that show the same at other moments.

        Of one of the two half of the frames are somewhat like a frame of the other.

        Args:
            blocks: of places in _footage.
        """
        pictures, count = self.pictures, len(self.pictures.media_ids)
        found = [np.empty(0, np.int64)]
        for rows, columns in blocks:
            differ = np.bitwise_count(pictures.hashes[rows, None] ^ pictures.hashes[None, columns])
            near = differ <= _FOOTAGE_BITS
            _, _, pairs, distance = self._unlike_labels(near, rows, columns, label)
            pairs = pairs[:, distance <= _FOOTAGE_DISTANCE]
            for frame, other in (pairs, pairs[::-1]):
                found.append(np.unique(frame * count + pictures.media[other]))
        frame, other = np.divmod(np.unique(np.concatenate(found)), count)
        keys, shared = np.unique(pictures.media[frame] * count + other, return_counts=True)
        videos = np.stack(np.divmod(keys, count), axis=1)
        compared = np.bincount(pictures.media[self._footage], minlength=count)
        return self._not_apart(videos[shared >= _FOOTAGE_SHARE * compared[videos[:, 0]]])

    def _frames_of_footage(self) -> np.ndarray:
        """Choose frames of videos by which footage is compared: their places."""
        count = np.bincount(self.pictures.media, minlength=len(self.pictures.media_ids))
        videos, begin = np.flatnonzero(count > 1), np.cumsum(count) - count
        most = max(4, min(_MOST_OF_VIDEO, _MOST_OF_FOOTAGE // max(1, len(videos))))
        chosen = [
            begin[video] + np.linspace(0, count[video] - 1, most).round().astype(np.int64)
            for video in videos
        ]
        return np.intersect1d(np.concatenate([*chosen, np.empty(0, np.int64)]), self._telling)

    def _blocks(self, places: np.ndarray) -> Iterator[_Block]:
        """Give rows and columns of places, so that each two of them meet.

        Raises:
            GivenUp: nobody waits for it any more.
        """
        for start in range(0, len(places), _ROWS):
            if not self._wanted():
                raise GivenUp
            for column in range(start, len(places), _COLUMNS):
                yield places[start : start + _ROWS], places[column : column + _COLUMNS]

    def _blocks_of(self, one: int, others: set[int], places: np.ndarray) -> Iterator[_Block]:
        """Give rows of a media file's places and columns of others'."""
        media = self.pictures.media[places]
        rows, columns = places[media == one], places[np.isin(media, list(others))]
        for start in range(0, len(columns), _COLUMNS):
            yield rows, columns[start : start + _COLUMNS]

    def _unlike_labels(
        self, near: np.ndarray, rows: np.ndarray, columns: np.ndarray, label: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Choose from (R, C) pairs those of two labels: row, column, places (2, K), distance."""
        row, column = np.divmod(np.flatnonzero(near), len(columns))
        media = self.pictures.media
        is_other = label[media[rows[row]]] != label[media[columns[column]]]
        row, column = row[is_other], column[is_other]
        pairs = np.stack((rows[row], columns[column]))
        if len(row) > _DENSE:
            return row, column, pairs, self._all_distances(rows, columns)[row, column]
        return row, column, pairs, self.pictures.distances(pairs)

    def _not_apart(self, pairs: np.ndarray) -> np.ndarray:
        """Leave out of pairs of media files (K, 2) those that a person called no duplicates."""
        pairs = np.sort(pairs, axis=1)
        keys = pairs[:, 0] * len(self.pictures.media_ids) + pairs[:, 1]
        return pairs[~np.isin(keys, self._apart)] if len(self._apart) else pairs

    def _all_distances(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Do what Pictures.distances does for all pairs of rows and columns: (R, C)."""
        pictures = self.pictures
        cosines = pictures.embeddings[rows] @ pictures.embeddings[columns].T
        known = pictures.is_embedded[rows, None] & pictures.is_embedded[None, columns]
        return np.where(known, (1 - cosines) / np.float32(pictures.typical), UNKNOWN)

    def _burst_pairs(self, metadata: MetadataDatabase) -> np.ndarray:
        """Find pairs (K, 2) of photos that were taken in one go, by their places."""
        rows = metadata.connection.read().execute(
            "SELECT id, captured_utc_s, camera_make, camera_model, path FROM media_files"
            " WHERE kind = 'image' AND captured_utc_s IS NOT NULL ORDER BY captured_utc_s, id"
        )
        pictures = self.pictures
        first_of = np.searchsorted(pictures.media, np.arange(len(pictures.media_ids) + 1))
        cameras, folders, series = _Numbers(), _Numbers(), _Numbers()
        photos = list[tuple[float, int, int, int, int, int, int]]()
        for media_id, when, make, model, path in rows:
            place = self._place.get(media_id)
            if place is not None and first_of[place] < first_of[place + 1]:
                camera = cameras.of((make, model)) if model else -1
                parent, stem = PurePath(path).parent, PurePath(path).stem
                named = _NUMBERED.fullmatch(stem)
                number = int(named[2]) if named else -1
                serial = series.of((parent, named[1] if named else stem, camera))
                photos.append(
                    (when, place, int(first_of[place]), camera, folders.of(parent), serial, number)
                )
        if len(photos) < 2:
            return np.empty((0, 2), np.int64)
        when = np.array([photo[0] for photo in photos])
        place, picture, camera, folder, serial, number = np.array(
            [photo[1:] for photo in photos], np.int64
        ).T
        _, moment, at_once = np.unique(when, return_inverse=True, return_counts=True)
        # a clock that stands still says nothing
        has_moment = (at_once <= _BURST_PARTNERS)[moment]
        found = [np.empty((0, 2), np.int64)]
        for step in range(1, min(_BURST_PARTNERS, len(photos) - 1) + 1):
            near = when[step:] - when[:-step] <= _BURST_S
            if not near.any():
                break
            same = (camera[step:] == camera[:-step]) & (camera[step:] >= 0)
            at = np.flatnonzero(near & (same | (folder[step:] == folder[:-step])))
            pairs = np.stack((picture[at], picture[at + step]))
            hashes = pictures.hashes[pairs]
            alike = np.bitwise_count(hashes[0] ^ hashes[1]) <= _BURST_BITS
            alike &= pictures.distances(pairs) <= _BURST_DISTANCE
            next_one = same[at] & has_moment[at] & (when[at + step] - when[at] <= _NUMBERED_S)
            next_one &= (serial[at] == serial[at + step]) & (number[at] >= 0)
            alike |= next_one & (np.abs(number[at + step] - number[at]) == 1)
            found.append(np.stack((place[at[alike]], place[at[alike] + step]), axis=1))
        return np.concatenate(found)


class _Numbers:
    """A number for each thing, the same for the same one."""

    def __init__(self) -> None:
        self._known = dict[object, int]()

    def of(self, thing: object) -> int:
        return self._known.setdefault(thing, len(self._known))


class _Joined:
    """Places that are joined to groups, pair by pair.

    Attributes:
        label: (N,) int64, the same for the places of a group.
    """

    def __init__(self, count: int) -> None:
        self.label = np.arange(count)
        self._members = defaultdict[int, list[int]](list)

    def join(self, pairs: np.ndarray) -> None:
        """Join the groups of pairs (K, 2)."""
        if not len(pairs):
            return
        labels = np.sort(self.label[pairs], axis=1)
        keys = np.unique(labels[:, 0] * len(self.label) + labels[:, 1])
        for first, second in zip(*np.divmod(keys, len(self.label)), strict=True):
            one, other = int(self.label[first]), int(self.label[second])
            if one == other:
                continue
            if len(self._members[one]) < len(self._members[other]):
                one, other = other, one
            moved = [other, *self._members.pop(other)]
            self._members[one] += moved
            self.label[moved] = one
