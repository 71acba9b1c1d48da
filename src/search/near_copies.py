"""Which pictures may be copies of one another: candidates by dHash and embedding, and groups."""

from __future__ import annotations

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
# Rows and columns that are compared at once: they stay in a processor's cache.
_ROWS, _COLUMNS = 32, 4096
_PAIRS_AT_ONCE = 20_000
# Pairs whose embeddings are compared to learn how far two pictures of a library are apart.
_SAMPLE = 4000


@dataclass(frozen=True)
class Candidate:
    """Two pictures that may be copies, by their places; `first` is the lower.

    Attributes:
        is_mirrored: the second is like the mirror image of the first.
    """

    first: int
    second: int
    is_mirrored: bool


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

    def agreeing(pairs: np.ndarray, bits: np.ndarray) -> np.ndarray:
        """Keep pairs (2, N) of places whose embeddings agree as well, given bits that differ."""
        kept = [np.empty((2, 0), np.int64)]
        for at in range(0, len(bits), _PAIRS_AT_ONCE):
            one, other = some = pairs[:, at : at + _PAIRS_AT_ONCE]
            cosines = np.einsum("nd,nd->n", embeddings[one], embeddings[other])
            distance = (1 - cosines) / typical
            evidence = bits[at : at + _PAIRS_AT_ONCE] + WEIGHT * distance
            kept.append(some[:, (distance <= MOST_DISTANCE) & (evidence <= MOST_EVIDENCE)])
        return np.concatenate(kept, axis=1)

    for start in range(0, len(hashes), _ROWS):
        end, found = min(start + _ROWS, len(hashes)), list[Candidate]()
        for column in range(start, len(hashes), _COLUMNS):
            others = hashes[None, column : column + _COLUMNS]
            differ = np.bitwise_count(hashes[start:end, None] ^ others)
            pairs, bits = _up_to(MOST_BITS, differ, start, column)
            found += _as_candidates(agreeing(pairs, bits), False)
            rises = np.bitwise_count(turned[start:end, None] & others)
            pairs, bits = _up_to(MOST_CONTRADICTIONS, rises, start, column)
            certain = says_much[pairs].all(axis=0)
            # each is a step that rises in one and should fall: two bits of the hash
            found += _as_candidates(agreeing(pairs[:, certain], 2 * bits[certain]), True)
        yield end, found


def _up_to(most: int, bits: np.ndarray, start: int, column: int) -> tuple[np.ndarray, np.ndarray]:
    """Find where few bits differ in a block: pairs (2, N) of places, lower first, and the bits."""
    places = np.flatnonzero(bits <= most)
    rows, columns = np.divmod(places, bits.shape[1])
    pairs = np.stack((rows + start, columns + column))
    ahead = pairs[1] > pairs[0]
    return pairs[:, ahead], bits.ravel()[places[ahead]].astype(np.float32)


def _as_candidates(pairs: np.ndarray, is_mirrored: bool) -> list[Candidate]:
    return [Candidate(int(one), int(other), is_mirrored) for one, other in pairs.T]


def groups_of(
    pairs: Iterable[tuple[int, int]], apart: Iterable[Sequence[int]] = ()
) -> list[list[int]]:
    """Join pairs of copies to groups, and keep apart what a person has said is no copy.

    Args:
        pairs: by their keys, the surest first.
        apart: sets of keys of which no two may be in one group.

    Returns:
        Groups of two or more keys, each ascending, in the order of their first.
    """
    rivals: dict[int, set[int]] = {}
    for keys in apart:
        for key in keys:
            rivals.setdefault(key, set()).update(set(keys) - {key})
    group: dict[int, set[int]] = {}
    for first, second in pairs:
        one, other = group.get(first, {first}), group.get(second, {second})
        if one is other or any(rivals.get(key, set()) & other for key in one):
            continue
        joined = one | other
        for key in joined:
            group[key] = joined
    unique = {id(keys): sorted(keys) for keys in group.values()}
    return sorted(unique.values())
