"""At most so many annotations of a class: which images of a dataset stay."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from src.datasets.splitting.stratify import seeded


def cap_per_class(
    labels: Mapping[str, Counter[str]], group_of: Mapping[str, int], most: int, seed: int
) -> set[str]:
    """Choose images so that no class has more than `most` annotations.

    Images stay or go whole: one with some of its annotations gone would say that the rest of it
    is background. The rarest classes choose first. Each takes one image of every group, then the
    second of every group, so that a long video or a burst is not most of what is left; in a
    seeded order that depends on names alone. Where images have one class each, one that went
    does not come back because others are added.

    Args:
        labels: of each image, by a name that stays the same, how many annotations of each class
            it has; an image of a single segment has one. Images without any stay.
        group_of: of each image the group of files it is from, see SplitPlan.
        most: at least 1; an image that has more of a class alone goes.

    Returns:
        The names of the images that stay.
    """
    of_class = defaultdict[str, list[str]](list)
    for image, counter in labels.items():
        for label in counter:
            of_class[label].append(image)
    totals: Counter[str] = sum(labels.values(), Counter())
    kept = {image for image, counter in labels.items() if not counter}
    decided, taken = set(kept), Counter[str]()
    for label in sorted(totals, key=lambda label: (totals[label], label)):
        for image in _evenly(of_class[label], group_of, seed):
            if image not in decided:
                decided.add(image)
                counter = labels[image]
                if all(taken[each] + count <= most for each, count in counter.items()):
                    taken.update(counter)
                    kept.add(image)
    return kept


def _evenly(images: list[str], group_of: Mapping[str, int], seed: int) -> list[str]:
    """Sort images so that each group has given one before any has given a second."""
    place = {image: seeded(seed, image) for image in images}
    ranks, given = dict[str, int](), Counter[int]()
    for image in sorted(images, key=lambda image: place[image]):
        ranks[image] = given[group_of[image]]
        given[group_of[image]] += 1
    return sorted(images, key=lambda image: (ranks[image], place[image]))
