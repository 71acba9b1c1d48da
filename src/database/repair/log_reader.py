"""SQLite's log (`-wal`), laid over its file without SQLite.

SQLite stops at the first frame whose checksum does not fit, and says nothing of the transactions
behind it. Here each frame is checked from the stored checksum of the one before, so that damage
to one does not cost the others; one bit that has changed is found from the checksum and put back.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from src.database.repair.page_reader import PAGE_SIZES

LARGEST_LOG = 1 << 29  # bytes
_MAGIC = (0x377F0682, 0x377F0683)  # little-endian and big-endian checksums
_HEADER = 32
_FRAME_HEADER = 24
_FRAMES_AT_ONCE = 256
# A salt in which so few bits differ is a damaged one; those of an older log differ in many.
_BITS_OF_DAMAGE = 3


@dataclass
class Log:
    """What a log lays over its file.

    Attributes:
        page_size: in bytes.
        pages: the newest committed content of pages, by number.
        page_count: how many pages the file has after the last transaction.
        damaged: how many frames have been changed since they were written.
        hides: SQLite would leave committed transactions out, or damaged pages in.
    """

    page_size: int
    pages: Mapping[int, bytes] = field(default_factory=dict)
    page_count: int = 0
    damaged: int = 0
    hides: bool = False


def log_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def has_log(database: Path) -> bool:
    """Return whether a log with anything in it lies beside a file."""
    path = log_of(database)
    return path.is_file() and path.stat().st_size > _HEADER


def read_log(path: Path, page_size: int) -> Log | None:
    """Read a log up to its last committed transaction.

    Args:
        page_size: of the file it belongs to, for a log whose header is damaged.

    Returns:
        None when it holds nothing that was committed, or is no log, or is far larger than any
        that this program leaves: SQLite alone reads it then, a frame at a time.
    """
    if path.stat().st_size > LARGEST_LOG:
        return None
    content = path.read_bytes()
    if len(content) < _HEADER + _FRAME_HEADER:
        return None
    return _LogReader(content, page_size).log()


class _LogReader:
    def __init__(self, content: bytes, page_size: int) -> None:
        self.content = content
        header = struct.unpack(">8I", content[:_HEADER])
        # SQLite believes a header only as a whole
        self.header_is_sound = False
        self.big = header[0] == _MAGIC[1]
        self.page_size = header[2] if header[2] in PAGE_SIZES else page_size
        self.salts = (header[4], header[5])
        self.header_sums = (header[6], header[7])
        for big in (self.big, not self.big):
            sums = _checksums(np.frombuffer(content, np.uint8, 24)[None], big)[0]
            if header[0] in _MAGIC and tuple(int(x) for x in sums) == self.header_sums:
                self.header_is_sound, self.big = big == (header[0] == _MAGIC[1]), big
                break
        if not self.header_is_sound:
            self.page_size = page_size
            self._guess()
        self.step = _FRAME_HEADER + self.page_size
        self.count = (len(content) - _HEADER) // self.step

    def _guess(self) -> None:
        """Infer from the frames what a damaged header lacks."""
        step = _FRAME_HEADER + self.page_size
        frames = (len(self.content) - _HEADER) // step
        salts = Counter(
            struct.unpack(">2I", self.content[at + 8 : at + 16])
            for at in range(_HEADER, _HEADER + frames * step, step)
        )
        if salts:
            first = struct.unpack(">2I", self.content[_HEADER + 8 : _HEADER + 16])
            # an older log's frames may be left behind this one's, and be more
            self.salts = first if salts[first] > 1 else salts.most_common(1)[0][0]

    def log(self) -> Log | None:
        if self.count < 1:
            return None
        heads = np.frombuffer(self.content, np.uint8)[_HEADER : _HEADER + self.count * self.step]
        frames = heads.reshape(self.count, self.step)
        fields = frames[:, :_FRAME_HEADER].copy().view(">u4").astype(np.uint32)
        stored = fields[:, 4:6]
        own = self._own(fields[:, 2:4])
        if not own.any():
            return None
        frames, fields, stored = frames[: own.sum()], fields[: own.sum()], stored[: own.sum()]
        if not self.header_is_sound:
            self._choose_order(frames, stored)
        alone = self._alone(frames)
        carry = _carry(self.page_size, self.big)
        before = np.vstack([np.array([self.header_sums], np.uint32), stored[:-1]])
        expected = alone + before @ carry
        good = (expected == stored).all(axis=1)
        exact = (fields[:, 2:4] == np.array(self.salts, np.uint32)).all(axis=1)
        last_of_sqlite = self._end(fields[:, 1], good & exact & self.header_is_sound)
        bad = [int(i) for i in np.flatnonzero(~good)]
        mended: dict[int, np.ndarray] = {}
        for i in bad:
            if i and not good[i - 1] and i - 1 not in mended:
                # the checksum of the frame before may be what is damaged
                chained = alone[i] + expected[i - 1] @ carry
                if (chained == stored[i]).all():
                    good[i] = True
                    good[i - 1] = True
                    continue
            found = self._mend(frames[i], stored[i] - expected[i])
            if found is not None:
                mended[i] = found
        # what is behind the last frame that fits was not whole when its writer ended
        fits = good.copy()
        fits[list(mended)] = True
        tail = int(np.flatnonzero(fits)[-1]) + 1 if fits.any() else 0
        committed = [i for i in range(tail) if self._head(frames[i], mended.get(i))[1]]
        if not committed:
            return None
        end = committed[-1] + 1
        pages: dict[int, bytes] = {}
        page_count = self._head(frames[end - 1], mended.get(end - 1))[1]
        for i in range(end):
            number, _ = self._head(frames[i], mended.get(i))
            frame = mended.get(i, frames[i])
            if 1 <= number <= page_count:
                pages[number] = frame[_FRAME_HEADER:].tobytes()
        damaged = sum(1 for i in bad if i < end) + int((~exact[:end]).sum())
        return Log(
            self.page_size,
            pages,
            page_count,
            damaged + (not self.header_is_sound),
            hides=end != last_of_sqlite,
        )

    def _own(self, salts: np.ndarray) -> np.ndarray:
        """Return which frames, counted from the first, belong to this log: (N,) bool."""
        differ = np.bitwise_count(salts ^ np.array(self.salts, np.uint32))
        own: np.ndarray = (differ <= _BITS_OF_DAMAGE).all(axis=1) & (
            differ.sum(axis=1) <= _BITS_OF_DAMAGE
        )
        strangers = np.flatnonzero(~own)
        # a frame of an older log is followed by none of this one
        for i in strangers:
            if not own[i:].any():
                own[i:] = False
                break
            own[i] = True
        return own

    def _choose_order(self, frames: np.ndarray, stored: np.ndarray) -> None:
        for big in (self.big, not self.big):
            self.big = big
            alone = self._alone(frames)
            expected = alone[1:] + stored[:-1] @ _carry(self.page_size, big)
            if (expected == stored[1:]).all(axis=1).any():
                return

    def _alone(self, frames: np.ndarray) -> np.ndarray:
        """Compute what frames themselves add to the checksum: (N, 2) uint32."""
        parts = [
            _checksums(np.hstack([part[:, :8], part[:, _FRAME_HEADER:]]), self.big)
            for part in (
                frames[at : at + _FRAMES_AT_ONCE] for at in range(0, len(frames), _FRAMES_AT_ONCE)
            )
        ]
        return np.vstack(parts)

    @staticmethod
    def _end(commits: np.ndarray, good: np.ndarray) -> int:
        """Return how many frames SQLite reads."""
        sound = len(good) if good.all() else int(np.argmin(good))
        committed = np.flatnonzero(commits[:sound])
        return int(committed[-1]) + 1 if len(committed) else 0

    @staticmethod
    def _head(frame: np.ndarray, mended: np.ndarray | None) -> tuple[int, int]:
        head = frame if mended is None else mended
        number, commit = struct.unpack(">2I", head[:8].tobytes())
        return number, commit

    def _mend(self, frame: np.ndarray, difference: np.ndarray) -> np.ndarray | None:
        """Put the one bit back whose change explains how a frame's checksum differs.

        Changes of the highest bits can look alike; where more than one explains it, none is made.
        """
        order = ">u4" if self.big else "<u4"
        weights = _weights(8 + self.page_size)
        words = np.concatenate([frame[:8], frame[_FRAME_HEADER:]]).view(order).astype(np.uint32)
        found: list[tuple[int, int]] = []
        for bit in range(32):
            change = weights << np.uint32(bit)
            is_set = (words >> np.uint32(bit) & np.uint32(1)).astype(bool)
            # putting a bit back adds where it is not set now, and takes away where it is
            change[is_set] = ~change[is_set] + np.uint32(1)
            places = np.flatnonzero((change == difference).all(axis=1))
            found += [(int(place), bit) for place in places]
        if len(found) != 1:
            return None
        (place, bit) = found[0]
        words[place] ^= np.uint32(1 << bit)
        whole = words.astype(order).view(np.uint8)
        mended: np.ndarray = np.concatenate([whole[:8], frame[8:_FRAME_HEADER], whole[8:]])
        return mended


@lru_cache(maxsize=8)
def _weights(length: int) -> np.ndarray:
    """Compute by how much each word of a frame enters its two sums: (words, 2) uint32."""
    pairs = length // 8
    weights = np.zeros((2 * pairs, 2), np.uint32)
    first, second = (1, 1), (0, 1)  # what the last pair of words adds
    for pair in range(pairs - 1, -1, -1):
        weights[2 * pair], weights[2 * pair + 1] = first, second
        first, second = _next(first), _next(second)
    return weights


def _next(sums: tuple[int, int]) -> tuple[int, int]:
    """Carry two sums over one pair of words."""
    low = (sums[0] + sums[1]) & 0xFFFFFFFF
    return low, (low + sums[1]) & 0xFFFFFFFF


@lru_cache(maxsize=8)
def _carry(page_size: int, _big: bool) -> np.ndarray:
    """Compute how the sums of the frame before enter those of a frame: (2, 2) uint32."""
    rows = []
    for sums in ((1, 0), (0, 1)):
        for _ in range((8 + page_size) // 8):
            sums = _next(sums)
        rows.append(sums)
    return np.array(rows, np.uint32)


def _checksums(content: np.ndarray, big: bool) -> np.ndarray:
    """Sum rows of bytes as SQLite does, from zero: (N, 8 k) uint8 -> (N, 2) uint32."""
    words = np.ascontiguousarray(content).view(">u4" if big else "<u4").astype(np.uint32)
    weights = _weights(content.shape[1])
    return np.stack(
        [(words * weights[:, side]).sum(axis=1, dtype=np.uint32) for side in range(2)], axis=1
    )
