"""Train, validation and test without leaks: what is alike is on one side, and stays there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from src.counting import counted
from src.database.dataset_splits import SplitKey
from src.database.metadata_db import MetadataDatabase
from src.datasets.splitting.close_pairs import ClosePairs, close_pairs
from src.datasets.splitting.shares import SplitShares
from src.datasets.splitting.similar_media import SimilarMedia
from src.datasets.splitting.stratify import Group, stratify
from src.records import Split

# A side is told of that is so much of all images away from its share.
FAR_FROM_SHARE = 0.05
_MOST_NAMED = 5
_NAMES: dict[Split, str] = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class SplitPlan:
    """Which media file goes to which side of a dataset.

    Attributes:
        key: which split it is.
        side_of: by the id of the media file.
        left_out: files that are similar to kept files of two sides: each would be a leak on either.
            By id, beside each the file that it is similar to on each side.
        group_of: for each file of labels the lowest id of those that are alike.
        close: the most similar files on different sides.
        warnings: sentences for a person.
    """

    key: SplitKey
    side_of: Mapping[int, Split]
    left_out: Mapping[int, Mapping[Split, int]]
    group_of: Mapping[int, int]
    close: ClosePairs
    warnings: tuple[str, ...]


def split_media(
    metadata: MetadataDatabase,
    labels: Mapping[int, Counter[str]],
    shares: SplitShares,
    seed: int,
    name: str = "",
    *,
    images: Mapping[int, int] | None = None,
    close_above: float | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> SplitPlan:
    """Plan the sides of media files; they are written down by `keep_sides`, and not before.

    A file that has a side from an export with this name, these shares and this seed keeps it, and
    files that are like it come to it. All others are dealt out in groups, by class.

    Args:
        labels: of each media file how many annotations of each class it has; none for a file
            that is only background.
        images: how many images of the dataset each gives; one each when None.
        close_above: from which similarity on a pair is close; see close_pairs.
        wanted: whether somebody still waits for it; asked now and then.

    Raises:
        GivenUp: it is not wanted any more.
        DatabaseError: a row that it needs is damaged.
    """
    key = SplitKey(name, str(shares), seed)
    kept = _Kept(metadata, key)
    similar = SimilarMedia(metadata, {*labels, *kept.sides, *kept.former}, wanted)
    follow = _Following(similar, kept)
    groups = dict[tuple[int, Split | None], Group]()
    for media_id, of_file in labels.items():
        if media_id in follow.left_out:
            continue
        side = follow.side_of.get(media_id)
        group = groups.setdefault((follow.group_of[media_id], side), Group("", side=side))
        names = (kept.name_of(media_id), group.name)
        group.name = min(filter(None, names))
        group.images += 1 if images is None else images.get(media_id, 1)
        group.labels += of_file
    stratify(groups.values(), shares, seed)
    side_of = dict[int, Split]()
    for media_id in labels:
        if media_id not in follow.left_out:
            of_group = follow.group_of[media_id], follow.side_of.get(media_id)
            side_of[media_id] = cast(Split, groups[of_group].side)
    close = close_pairs(similar.pictures, side_of, close_above, wanted)
    left_out = {each: follow.left_out[each] for each in labels if each in follow.left_out}
    warnings = [
        *_of_classes(groups, shares),
        *_of_sizes(groups.values(), shares),
        *_of_kept(left_out, follow.torn & labels.keys()),
    ]
    if not metadata.duplicates.is_current():
        what_then = (
            "copies that were cropped or made brighter may be on two sides"
            if metadata.connection.is_read_only
            else "the export does so first, and copies that it finds come to one side"
        )
        warnings.append(f"duplicates have not been looked for since media were added; {what_then}")
    group_of = {each: follow.group_of[each] for each in labels}
    return SplitPlan(key, side_of, left_out, group_of, close, tuple(warnings))


def keep_sides(metadata: MetadataDatabase, plan: SplitPlan) -> None:
    """Write down the sides of a plan: when its dataset is written, and no earlier.

    From then on no file of it changes sides, in any export with the same name, shares and seed.
    """
    metadata.splits.keep(plan.key, plan.side_of)


class _Kept:
    """The sides that media files of the library have from earlier exports.

    Attributes:
        sides: by id, of files whose content was exported, under whatever id.
        former: the side of what a file was; its content has changed since.
    """

    def __init__(self, metadata: MetadataDatabase, key: SplitKey) -> None:
        by_id = metadata.splits.sides(key)
        by_content = {
            kept.content_hash: cast(Split, kept.side)
            for kept in by_id.values()
            if kept.content_hash is not None
        }
        self.sides, self.former = dict[int, Split](), dict[int, Split]()
        self._names = dict[int, str]()
        rows = metadata.connection.read().execute("SELECT id, content_hash FROM media_files")
        for media_id, content in rows:
            if content is not None:
                self._names[media_id] = content
            if content in by_content:
                self.sides[media_id] = by_content[content]
            elif media_id in by_id:
                is_same = content is None or by_id[media_id].content_hash is None
                sides = self.sides if is_same else self.former
                sides[media_id] = cast(Split, by_id[media_id].side)

    def name_of(self, media_id: int) -> str:
        """Name a file by its content, so that its place in an order is the same everywhere."""
        return self._names.get(media_id, f"#{media_id}")


class _Following:
    """The sides that follow from those that are kept.

    Attributes:
        side_of: of files that are kept, or like such ones of one side.
        left_out: see SplitPlan.
        group_of: the lowest id of those that are alike.
        torn: kept files that are similar to kept files of another side. Nobody knew when they were
            exported, and now they stay.
    """

    def __init__(self, similar: SimilarMedia, kept: _Kept) -> None:
        self._similar, self._kept = similar, kept
        self.side_of, self.left_out = dict[int, Split](), dict[int, dict[Split, int]]()
        self.torn = set[int]()
        self.group_of = similar.groups()
        members = defaultdict[int, list[int]](list)
        for media_id, group in self.group_of.items():
            members[group].append(media_id)
        for files in members.values():
            had = (had.get(each) for had in (kept.sides, kept.former) for each in files)
            sides = {side for side in had if side is not None}
            if len(sides) == 1:
                self.side_of.update(dict.fromkeys(files, sides.pop()))
            elif sides:
                self._between(files)

    def _between(self, files: Collection[int]) -> None:
        """Give sides to the new files of a group that has kept files of several.

        A file is put on the side of what it is like itself. One that is like files of two sides
        is left out; the new files that only it connects are groups of their own.
        """
        kept = {each: self._kept.sides[each] for each in files if each in self._kept.sides}
        waiting = {each for each in files if each not in kept}
        touches = {
            each: {self._kept.former[each]: each} if each in self._kept.former else {}
            for each in waiting
        }

        def place(media_id: int, side: Split) -> None:
            self.side_of[media_id] = side
            for other in self._similar.similar_to(media_id, waiting):
                touches[other].setdefault(side, media_id)

        for media_id, side in sorted(kept.items()):
            place(media_id, side)
            others = {each for each in kept if kept[each] != side}
            if self._similar.similar_to(media_id, others):
                self.torn.add(media_id)
        while touched := [each for each in waiting if touches[each]]:
            leaks = [each for each in touched if len(touches[each]) > 1]
            if leaks:
                self.left_out.update({each: touches[each] for each in leaks})
                waiting.difference_update(leaks)
                continue
            media_id = min(touched, key=self._kept.name_of)
            waiting.remove(media_id)
            place(media_id, *touches[media_id])
        while waiting:
            found = {min(waiting)}
            group, new = min(waiting), set(found)
            while new:
                new = set().union(
                    *(self._similar.similar_to(each, waiting - found) for each in new)
                )
                found |= new
            self.group_of.update(dict.fromkeys(found, group))
            waiting -= found


def _of_classes(
    groups: Mapping[tuple[int, Split | None], Group], shares: SplitShares
) -> Iterable[str]:
    found_in = defaultdict[str, set[int]](set)
    has = defaultdict[str, set[Split]](set)
    for (name, _), group in groups.items():
        for label in group.labels:
            found_in[label].add(name)
            has[label].add(cast(Split, group.side))
    alone = sorted(label for label, names in found_in.items() if len(names) == 1)
    if alone:
        yield (
            f"{_listed(alone)} {'is' if len(alone) == 1 else 'are each'} in a single file or group "
            "of look-alikes: what is learned there can't be tested"
        )
    for side in shares.sides:
        without = sorted(label for label in has if side not in has[label] and label not in alone)
        if without:
            yield f"the {_NAMES[side]} split has no {_listed(without)}"


def _of_sizes(groups: Iterable[Group], shares: SplitShares) -> Iterable[str]:
    images = Counter[Split]()
    for group in groups:
        images[cast(Split, group.side)] += group.images
    for side in shares.sides:
        share = images[side] / max(1, images.total())
        if images and abs(share - shares.of(side)) > FAR_FROM_SHARE:
            yield (
                f"the {_NAMES[side]} split has {share:.0%} of the images, not "
                f"{shares.of(side):.0%}: look-alikes stay together"
            )


def _of_kept(left_out: Collection[int], torn: Collection[int]) -> Iterable[str]:
    if left_out:
        yield (
            f"{counted(len(left_out), 'file')} left out: similar to files that earlier exports "
            "put on two sides"
        )
    if torn:
        yield (
            f"{counted(len(torn), 'file')} exported before: a similar file is on another side, and "
            "no file changes sides; another seed gives a split without that"
        )


def _listed(labels: list[str]) -> str:
    more = len(labels) - _MOST_NAMED
    return ", ".join(labels[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
