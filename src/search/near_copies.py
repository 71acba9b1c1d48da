"""Which pictures may be copies of one another: candidates by dHash and embedding, and groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Of the 64 bits of two pictures' dHashes about 32 differ by chance; of a copy that was cropped by
# 8 % or has flat parts up to 16 do.
MOST_BITS = 16
# Steps that rise in one picture and in the mirror image of the other as well. Of pictures that
# have nothing to do with each other it is 16 of 64; a flat part has none.
MOST_CONTRADICTIONS = 4
# The dHash may differ the more, the more the embeddings agree: bits + WEIGHT * distance, where the
# distance is 0 for the same embedding and 1 for that of an average picture of the library.
WEIGHT = 16.0
MOST_EVIDENCE = 20.0
# Beyond this the embeddings do not agree, whatever the dHash says.
MOST_DISTANCE = 0.9
# A copy that was cropped more may have an embedding that is all but the same, and one that was made
# much brighter another one and the same dHash. Where all is white no step rises that rises in the
# original, and hardly one that does not rise there.
_CROPPED_BITS, _CROPPED_DISTANCE = 22, 0.1
_BRIGHTER_BITS, _BRIGHTER_DISTANCE = 8, 1.0
_WHITE_BITS, _WHITE_RISES, _WHITE_DISTANCE = 20, 4, 0.35
# Rows and columns that are compared at once: they stay in a processor's cache.
_ROWS, _COLUMNS = 32, 4096
_PAIRS_AT_ONCE = 20_000
# Where thousands of pictures are all alike, only the nearest are candidates: of each picture with
# those that come after it, and of a row in a block before embeddings are compared.
MOST_PARTNERS = 12
_OF_ROW = 50
# Pairs whose embeddings are compared to learn how far two pictures of a library are apart.
_SAMPLE = 4000


@dataclass(frozen=True)
class Candidate:
    """Two pictures that may be copies, by their places; `first` is the lower.

    Attributes:
        is_mirrored: the second is like the mirror image of the first.
        evidence: bits that differ, and the distance of the embeddings; 0 for the same picture.
    """

    first: int
    second: int
    is_mirrored: bool
    evidence: float


def mirrored(hashes: np.ndarray) -> np.ndarray:
    """Reverse the order of the steps in each row of dHashes: (N,) uint64.

    What rises from left to right in a picture falls in its mirror image, so this is the dHash of
    the mirror image with rises for falls.
    """
    rows = hashes.astype(">u8").view(np.uint8).reshape(-1, 8)
    bits = np.unpackbits(rows, axis=1).reshape(-1, 8, 8)[:, :, ::-1]
    return np.packbits(bits.reshape(-1, 64), axis=1).view(">u8").ravel().astype(np.uint64)


def typical_distance(embeddings: np.ndarray) -> float:
    """Return the median of 1 - cosine over pairs of (N, D) embeddings; at least 0.02."""
    if len(embeddings) < 2:
        return 1.0
    rng = np.random.default_rng(0)
    first = rng.integers(0, len(embeddings), _SAMPLE)
    second = (first + rng.integers(1, len(embeddings), _SAMPLE)) % len(embeddings)
    cosines = np.einsum("nd,nd->n", embeddings[first], embeddings[second])
    return max(0.02, float(np.median(1 - cosines)))


def candidates(
    hashes: np.ndarray, embeddings: np.ndarray, typical: float | None = None
) -> Iterator[tuple[int, list[Candidate]]]:
    """Find the pairs whose dHash and embedding agree, mirror images among them.

    All pairs of hashes are compared, in blocks: 64 bits are soon counted, and a table of parts
    of the hashes saves nothing where a quarter of the bits may differ.

    Args:
        hashes: (N,) uint64.
        embeddings: (N, D) float32, L2-normalised.
        typical: what typical_distance gives for the library; measured here where it is None.

    Yields:
        How many of the N pictures are compared with all, and the pairs found since.
    """
    typical = typical_distance(embeddings) if typical is None else typical
    turned = mirrored(hashes)
    # few steps that rise say little: a flat picture contradicts none
    says_much = np.bitwise_count(hashes) >= 3 * MOST_CONTRADICTIONS

    def distances(pairs: np.ndarray) -> np.ndarray:
        distance = np.empty(pairs.shape[1], np.float32)
        for at in range(0, len(distance), _PAIRS_AT_ONCE):
            one, other = pairs[:, at : at + _PAIRS_AT_ONCE]
            cosines = np.einsum("nd,nd->n", embeddings[one], embeddings[other])
            distance[at : at + _PAIRS_AT_ONCE] = (1 - cosines) / typical
        return distance

    def agreeing(pairs: np.ndarray, bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Keep pairs (2, N) of places whose embeddings agree as well, given bits that differ."""
        distance = distances(pairs)
        evidence = bits + WEIGHT * distance
        good = (distance <= MOST_DISTANCE) & (evidence <= MOST_EVIDENCE)
        return pairs[:, good], evidence[good]

    def agreeing_in_part(pairs: np.ndarray, bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Keep pairs that may be of a picture and what was cropped or made brighter of it."""
        one, other = hashes[pairs]
        lost = np.minimum(np.bitwise_count(one & ~other), np.bitwise_count(other & ~one))
        distance = distances(pairs)
        good = (bits <= MOST_BITS) & (bits + WEIGHT * distance <= MOST_EVIDENCE)
        good &= distance <= MOST_DISTANCE
        good |= (bits <= _CROPPED_BITS) & (distance <= _CROPPED_DISTANCE)
        good |= (bits <= _BRIGHTER_BITS) & (distance <= _BRIGHTER_DISTANCE)
        good |= (bits <= _WHITE_BITS) & (lost <= _WHITE_RISES) & (distance <= _WHITE_DISTANCE)
        return pairs[:, good], bits[good] + WEIGHT * distance[good]

    for start in range(0, len(hashes), _ROWS):
        end, found = min(start + _ROWS, len(hashes)), list[tuple[np.ndarray, np.ndarray, bool]]()
        for column in range(start, len(hashes), _COLUMNS):
            others = hashes[None, column : column + _COLUMNS]
            differ = np.bitwise_count(hashes[start:end, None] ^ others)
            pairs, bits = _up_to(_CROPPED_BITS, differ, start, column)
            found.append((*agreeing_in_part(pairs, bits), False))
            rises = np.bitwise_count(turned[start:end, None] & others)
            pairs, bits = _up_to(MOST_CONTRADICTIONS, rises, start, column)
            certain = says_much[pairs].all(axis=0)
            # each is a step that rises in one and should fall: two bits of the hash
            found.append((*agreeing(pairs[:, certain], 2 * bits[certain]), True))
        yield end, _surest(found)


def _up_to(most: int, bits: np.ndarray, start: int, column: int) -> tuple[np.ndarray, np.ndarray]:
    """Find where few bits differ in a block: pairs (2, N) of places, lower first, and the bits.

    Where thousands of pictures are all alike, those of each row that differ least.
    """
    if column == start:  # each pair once, and no picture with itself
        bits[np.tril_indices(len(bits), 0, bits.shape[1])] = 255
    few = bits <= most
    rows, columns = np.divmod(np.flatnonzero(few), bits.shape[1])
    if len(rows) > _OF_ROW * len(bits) and bits.shape[1] > _OF_ROW:
        columns = np.argpartition(bits, _OF_ROW, axis=1)[:, :_OF_ROW]
        rows = np.arange(len(bits))[:, None]
        rows, columns = (
            places[few[rows, columns]] for places in np.broadcast_arrays(rows, columns)
        )
    pairs = np.stack((rows + start, columns + column))
    return pairs, bits[rows, columns].astype(np.float32)


def _surest(found: list[tuple[np.ndarray, np.ndarray, bool]]) -> list[Candidate]:
    """Make candidates of pairs, for each first picture those with the best evidence."""
    ordered = sorted(
        (float(evidence), int(one), int(other), is_mirrored)
        for pairs, evidences, is_mirrored in found
        for (one, other), evidence in zip(pairs.T, evidences, strict=True)
    )
    taken, kept = Counter[int](), list[Candidate]()
    for evidence, one, other, is_mirrored in ordered:
        taken[one] += 1
        if taken[one] <= MOST_PARTNERS:
            kept.append(Candidate(one, other, is_mirrored, evidence))
    return kept


class Groups:
    """Keys that are joined to groups, pair by pair; what is to be kept apart never is."""

    def __init__(self, apart: Iterable[Sequence[int]] = ()) -> None:
        """Begin with each key alone.

        Args:
            apart: sets of keys of which no two may be in one group.
        """
        self._group: dict[int, set[int]] = {}
        self._rivals: dict[int, set[int]] = {}
        for keys in apart:
            for key in keys:
                self._rivals.setdefault(key, set()).update(set(keys) - {key})

    def may_join(self, first: int, second: int) -> bool:
        """Return whether two keys are in two groups, and these may be one."""
        one, other = self._of(first), self._of(second)
        return one is not other and not any(self._rivals.get(key, set()) & other for key in one)

    def join(self, first: int, second: int) -> None:
        """Make one group of those of two keys, if that may be."""
        if self.may_join(first, second):
            joined = self._of(first) | self._of(second)
            for key in joined:
                self._group[key] = joined

    def all(self) -> list[list[int]]:
        """Return groups of two or more keys, each ascending, in the order of their first."""
        unique = {id(keys): sorted(keys) for keys in self._group.values()}
        return sorted(keys for keys in unique.values() if len(keys) > 1)

    def _of(self, key: int) -> set[int]:
        return self._group.setdefault(key, {key})
