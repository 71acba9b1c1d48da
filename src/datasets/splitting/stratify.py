"""Dealing groups out to the sides of a split so that each has its share of every class."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from src.datasets.splitting.shares import SplitShares
from src.records import Split

# Groups beyond which none is moved again; among so many a large one is made good.
MOST_MOVED = 5_000
_MOST_PASSES = 20
# What it is worth that a side has a class at all, beside a whole class on a wrong side; and that
# the sides have their shares of all images.
_OF_A_MISSING_CLASS = 0.15
_OF_IMAGES = 0.2


@dataclass
class Group:
    """Media files that stay on one side.

    Attributes:
        name: the same whatever else is in the library.
        images: how many there are.
        labels: how many annotations of each class.
        side: where it is, or has to be.
    """

    name: str
    images: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    side: Split | None = None


def seeded(seed: int, *names: str) -> bytes:
    """Give what to sort by for an order that depends on nothing but a seed and names."""
    text = "\0".join((str(seed), *names)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8).digest()


def stratify(groups: Iterable[Group], shares: SplitShares, seed: int) -> None:
    """Give each group without a side one.

    The classes in the fewest groups come first, and of each its largest groups; a group goes where
    most of the class is lacking (iterative stratification, Sechidis, Tsoumakas and Vlahavas 2011,
    with groups for examples, and what is lacking as a part of the side's share). The last groups
    of a class go to the sides that have none of it, as long as these have room.

    Where there are not very many groups, each is then moved as long as that brings the sides
    nearer to their shares: one large group can't be made good by those that come after it.
    """
    groups = list(groups)
    free = [group for group in groups if group.side is None]
    _Stratifier(groups, shares, seed).run()
    if len(free) <= MOST_MOVED:
        _move_until_best(groups, free, shares, seed)


class _Stratifier:
    def __init__(self, groups: Iterable[Group], shares: SplitShares, seed: int) -> None:
        self._seed, self._sides, self._share = seed, shares.sides, shares.of
        ordered = sorted(groups, key=lambda group: seeded(seed, group.name))
        self._waiting = [group for group in ordered if group.side is None]
        images, labels = 0, Counter[str]()
        for group in ordered:
            images += group.images
            labels += group.labels
        # what each side lacks of its share; below 0 where it has more
        self._images = {side: shares.of(side) * images for side in self._sides}
        self._lacking: dict[Split, dict[str, float]] = {
            side: {label: shares.of(side) * count for label, count in labels.items()}
            for side in self._sides
        }
        self._has = {(side, label): 0 for side in self._sides for label in labels}
        for group in ordered:
            if group.side is not None:
                self._place(group, group.side)

    def run(self) -> None:
        of_label = defaultdict[str, list[Group]](list)
        for group in self._waiting:
            for label in group.labels:
                of_label[label].append(group)
        left = Counter({label: len(some) for label, some in of_label.items()})
        for label, some in of_label.items():  # the largest last: they are taken from there
            some.sort(key=lambda group: group.labels[label])
        rarest = [(count, label) for label, count in left.items()]
        heapq.heapify(rarest)
        while rarest:
            count, label = heapq.heappop(rarest)
            if count != left[label]:  # it is there with fewer as well
                continue
            group = of_label[label].pop()
            while group.side is not None:
                group = of_label[label].pop()
            self._place(group, self._best(group, label, count))
            for each in group.labels:
                left[each] -= 1
                if left[each]:
                    heapq.heappush(rarest, (left[each], each))
        for group in sorted(self._waiting, key=lambda group: -group.images):
            if group.side is None:
                self._place(group, self._emptiest(group, self._sides))

    def _best(self, group: Group, label: str, left: int) -> Split:
        """Choose the side for the next of the groups of a class that are left.

        It is the side of which the largest part is still lacking once it has the group: so a
        large group goes to a large side, and small ones fill all of them at the same pace. A side
        of small groups alone would have other pictures than one of large ones.
        """
        without = [
            side for side in self._sides if not self._has[side, label] and self._images[side] > 0
        ]
        sides = without if left <= len(without) else self._sides
        lacking = {
            side: (self._lacking[side][label] - group.labels[label]) / self._share(side)
            for side in sides
        }
        most = max(lacking.values()) - 1e-9
        return self._emptiest(group, [side for side in sides if lacking[side] >= most], label)

    def _emptiest(self, group: Group, sides: Iterable[Split], label: str = "") -> Split:
        """Choose the side of which the largest part lacks images once it has a group."""
        return max(
            sides,
            key=lambda side: (
                round((self._images[side] - group.images) / self._share(side), 6),
                seeded(self._seed, label, side),
            ),
        )

    def _place(self, group: Group, side: Split) -> None:
        group.side = side
        self._images[side] -= group.images
        for label, count in group.labels.items():
            self._lacking[side][label] -= count
            self._has[side, label] += 1


def _move_until_best(
    groups: list[Group], free: list[Group], shares: SplitShares, seed: int
) -> None:
    """Move groups, one at a time, as long as the sides come nearer to their shares."""
    far = _Distance(groups, shares)
    free = sorted(free, key=lambda group: (-group.images, seeded(seed, group.name)))
    for _ in range(_MOST_PASSES):
        moved = False
        for group in free:
            here = group.side
            assert here is not None
            by_side = {side: far.of_move(group, here, side) for side in shares.sides}
            best = min(by_side, key=lambda side: by_side[side])
            if by_side[best] < -1e-9:
                far.move(group, here, best)
                group.side, moved = best, True
        if not moved:
            return


class _Distance:
    """How far the sides are from their shares of every class, and of the images."""

    def __init__(self, groups: list[Group], shares: SplitShares) -> None:
        self._shares = {side: shares.of(side) for side in shares.sides}
        self._totals, self._groups_of = Counter[str](), Counter[str]()
        self._counts: dict[Split, Counter[str]] = {side: Counter() for side in shares.sides}
        self._images = dict.fromkeys(shares.sides, 0)
        for group in groups:
            assert group.side is not None
            self._totals += group.labels
            self._groups_of.update(group.labels.keys())
            self._counts[group.side] += group.labels
            self._images[group.side] += group.images
        self._all_images = max(1, sum(self._images.values()))

    def of_move(self, group: Group, here: Split, there: Split) -> float:
        """How much farther all would be with a group on another side; below 0 where nearer."""
        if here == there:
            return 0.0
        change = 0.0
        for side, sign in ((here, -1), (there, 1)):
            images = self._images[side]
            change += _OF_IMAGES * (
                self._of_images(side, images + sign * group.images) - self._of_images(side, images)
            )
            for label, count in group.labels.items():
                has = self._counts[side][label]
                change += self._of_label(side, label, has + sign * count) / len(self._totals)
                change -= self._of_label(side, label, has) / len(self._totals)
        return change

    def move(self, group: Group, here: Split, there: Split) -> None:
        for side, sign in ((here, -1), (there, 1)):
            self._images[side] += sign * group.images
            for label, count in group.labels.items():
                self._counts[side][label] += sign * count

    def _of_images(self, side: Split, images: int) -> float:
        return abs(images / self._all_images - self._shares[side])

    def _of_label(self, side: Split, label: str, count: int) -> float:
        is_missing = count == 0 and self._groups_of[label] >= len(self._shares)
        return abs(count / self._totals[label] - self._shares[side]) + (
            _OF_A_MISSING_CLASS * is_missing
        )
