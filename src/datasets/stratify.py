"""Dealing groups out to the sides of a split so that each has its share of every class."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from src.datasets.split_shares import SplitShares
from src.records import Split


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
    with groups for examples). The last groups of a class go to the sides that have none of it,
    as long as these have room.
    """
    _Stratifier(groups, shares, seed).run()


class _Stratifier:
    def __init__(self, groups: Iterable[Group], shares: SplitShares, seed: int) -> None:
        self._seed, self._sides = seed, shares.sides
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
            self._place(group, self._best(label, count))
            for each in group.labels:
                left[each] -= 1
                if left[each]:
                    heapq.heappush(rarest, (left[each], each))
        for group in sorted(self._waiting, key=lambda group: -group.images):
            if group.side is None:
                self._place(group, max(self._sides, key=lambda side: self._images[side]))

    def _best(self, label: str, left: int) -> Split:
        """Choose the side for the next of the groups of a class that are left."""
        without = [
            side for side in self._sides if not self._has[side, label] and self._images[side] > 0
        ]
        return max(
            without if left <= len(without) else self._sides,
            key=lambda side: (
                self._lacking[side][label],
                self._images[side],
                seeded(self._seed, label, side),
            ),
        )

    def _place(self, group: Group, side: Split) -> None:
        group.side = side
        self._images[side] -= group.images
        for label, count in group.labels.items():
            self._lacking[side][label] -= count
            self._has[side, label] += 1
