"""Splits: what is alike is on one side, every class has its share, and no file changes sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.dataset_splits import SplitKey
from src.database.metadata_db import MetadataDatabase
from src.datasets.splitting.shares import SplitShares
from src.datasets.splitting.similar_media import MOST_EVIDENCE, SimilarMedia
from src.datasets.splitting.split_plan import SplitPlan, keep_sides, split_media
from src.datasets.splitting.stratify import Group, stratify
from src.errors import OptionError
from src.records import Split
from tests.datasets.files_alike import Looks, add_file

THIRDS = SplitShares(80, 10, 10)
Labels = dict[int, Counter[str]]


def planned(
    metadata: MetadataDatabase, labels: Mapping[int, Counter[str]], seed: int = 1, name: str = ""
) -> SplitPlan:
    return split_media(metadata, labels, THIRDS, seed, name)


@pytest.mark.parametrize(
    "text, shares, sides",
    [
        ("80/10/10", (80, 10, 10), ("train", "val", "test")),
        (" 70 / 30 ", (70, 30, 0), ("train", "val")),
        ("80/0/20", (80, 0, 20), ("train", "test")),
        ("33.3/33.3/33.4", (33.3, 33.3, 33.4), ("train", "val", "test")),
    ],
)
def test_shares_are_read_and_written(
    text: str, shares: tuple[float, ...], sides: tuple[Split, ...]
) -> None:
    read = SplitShares.parse(text)
    assert (read.train, read.val, read.test) == shares and read.sides == sides
    assert SplitShares.parse(str(read)) == read


@pytest.mark.parametrize("text", ["", "80", "80/10", "100/0/0", "80/10/10/0", "a/b", "-10/110"])
def test_what_is_no_split_is_refused(text: str) -> None:
    with pytest.raises(OptionError):
        SplitShares.parse(text)


def test_every_class_has_its_share_on_every_side() -> None:
    draw = np.random.default_rng(1)
    groups = [
        Group(f"{n}", 1, Counter({f"class {draw.zipf(1.6) % 7}": int(draw.integers(1, 4))}))
        for n in range(800)
    ]
    stratify(groups, THIRDS, 1)
    totals: Counter[str] = sum((group.labels for group in groups), Counter())
    for side in THIRDS.sides:
        here: Counter[str] = sum((g.labels for g in groups if g.side == side), Counter())
        for label, total in totals.items():
            assert abs(here[label] - THIRDS.of(side) * total) <= 3


def test_the_last_groups_of_a_class_go_where_there_is_none_of_it() -> None:
    groups = [Group(f"{n}", 1, Counter(cat=1)) for n in range(90)]
    rare = [Group(f"rare {n}", 1, Counter(lynx=size, cat=1)) for n, size in enumerate((9, 1, 1))]
    stratify([*groups, *rare], THIRDS, 1)
    assert rare[0].side == "train" and {rare[1].side, rare[2].side} == {"val", "test"}
    # a side that has its share of images gets no more for the sake of rare classes
    many = [Group(f"{n} {m}", 1, Counter({f"rare {n}": 1})) for n in range(40) for m in range(3)]
    stratify(many, THIRDS, 1)
    sizes = Counter(group.side for group in many)
    assert 12 <= sizes["val"] <= 15 and 12 <= sizes["test"] <= 15


def test_images_without_labels_are_dealt_out_by_their_number() -> None:
    groups = [Group(f"{n}", 3 if n < 10 else 1) for n in range(90)]
    stratify(groups, THIRDS, 1)
    sizes = Counter[Split | None]()
    for group in groups:
        sizes[group.side] += group.images
    assert abs(sizes["train"] - 88) <= 1 and abs(sizes["val"] - 11) <= 1


class World:
    """A library that grows, of families of files that are alike."""

    def __init__(self, metadata: MetadataDatabase, seed: int) -> None:
        self.metadata, self.draw = metadata, np.random.default_rng(seed)
        self.looks = Looks(seed)
        self.scenes = [self.looks.new() for _ in range(12)]
        self.family = dict[int, int]()
        self.labels: Labels = {}

    def grow(self, files: int) -> None:
        for _ in range(files):
            family = int(self.draw.integers(len(self.scenes)))
            look = self.looks.like(self.scenes[family], bits=2)
            media_id = add_file(self.metadata, f"{len(self.family)}.jpg", look)
            self.family[media_id] = family
            self.labels[media_id] = Counter({f"class {family % 4}": int(self.draw.integers(1, 5))})

    def check(self, sides: Mapping[int, Split]) -> None:
        of_family = dict[int, Split]()
        for media_id, side in sides.items():
            assert of_family.setdefault(self.family[media_id], side) == side


@pytest.mark.parametrize("seed", range(4))
def test_no_file_changes_sides_when_the_library_grows(
    metadata: MetadataDatabase, seed: int
) -> None:
    world = World(metadata, seed)
    before: Mapping[int, Split] = {}
    for step in range(4):
        world.grow(int(world.draw.integers(3, 15)))
        if step == 2:
            world.scenes += [world.looks.new() for _ in range(5)]
        plan = planned(metadata, world.labels, seed)
        assert plan.side_of.keys() == world.labels.keys() and not plan.left_out
        world.check(plan.side_of)
        assert before.items() <= plan.side_of.items()
        assert planned(metadata, dict(reversed(world.labels.items())), seed) == plan
        keep_sides(metadata, plan)
        before = plan.side_of
    assert planned(metadata, world.labels, seed).side_of == before
    # another name, other shares and another seed are other splits
    key = SplitKey("", "80/10/10", seed)
    assert len(metadata.splits.sides(key)) == len(before)
    assert metadata.splits.sides(SplitKey("other", "80/10/10", seed)) == {}


def test_a_plan_alone_keeps_nothing(metadata: MetadataDatabase) -> None:
    world = World(metadata, 9)
    world.grow(9)
    planned(metadata, world.labels)
    assert metadata.splits.sides(SplitKey("", "80/10/10", 1)) == {}


def test_the_same_files_are_split_the_same_in_another_library(
    metadata: MetadataDatabase, paths: LibraryPaths
) -> None:
    looks = Looks(1)
    files = [(f"{n}.jpg", looks.new(), Counter({f"class {n % 3}": 1})) for n in range(40)]
    here = {add_file(metadata, name, look): labels for name, look, labels in files}
    other = MetadataDatabase(LibraryPaths(paths.root.with_name("other")))
    there = {add_file(other, name, look): labels for name, look, labels in reversed(files)}
    sides = [
        {library.media(media_id).path: side for media_id, side in plan.side_of.items()}  # type: ignore[union-attr]
        for library, plan in ((metadata, planned(metadata, here)), (other, planned(other, there)))
    ]
    other.close()
    assert sides[0] == sides[1]
    assert planned(metadata, here, seed=2).side_of != planned(metadata, here).side_of


def test_a_file_that_was_removed_and_added_again_is_where_it_was(
    metadata: MetadataDatabase,
) -> None:
    looks = Looks(2)
    drawn = {f"{n}.jpg": looks.new() for n in range(30)}
    labels = {add_file(metadata, name, look): Counter(cat=1) for name, look in drawn.items()}
    plan = planned(metadata, labels)
    keep_sides(metadata, plan)
    gone = next(each for each, side in plan.side_of.items() if side == "test")
    media = metadata.media(gone)
    assert media is not None
    with metadata.connection.write() as db:
        db.execute("DELETE FROM media_files WHERE id = ?", (gone,))
    again = add_file(metadata, media.path.name, drawn[media.path.name])
    labels = {**labels, again: labels.pop(gone)}
    assert again != gone and planned(metadata, labels).side_of[again] == "test"
    # a changed file is on the side of what it was
    keep_sides(metadata, planned(metadata, labels))
    metadata.update_media(again, content_hash="something else")
    assert planned(metadata, labels).side_of[again] == "test"


def sides_are(metadata: MetadataDatabase, sides: Mapping[int, Split]) -> None:
    metadata.splits.keep(SplitKey("", "80/10/10", 1), sides)


def between(looks: Looks, bits: int = 26) -> Sequence[tuple[int, np.ndarray]]:
    """Draw two looks that are not alike, and one between them that is like both."""
    dhash, vector = looks.new()
    middle = dhash, vector
    low = dhash ^ ((1 << bits // 2) - 1), vector
    high = dhash ^ (((1 << bits // 2) - 1) << 32), vector
    return low, middle, high


def test_a_new_file_between_two_sides_is_left_out(metadata: MetadataDatabase) -> None:
    looks = Looks(3)
    low, middle, high = between(looks)
    others = [add_file(metadata, f"other {n}.jpg", looks.new()) for n in range(9)]
    kept = [add_file(metadata, "low.jpg", low), add_file(metadata, "high.jpg", high)]
    assert len({SimilarMedia(metadata, kept).groups()[each] for each in kept}) == 2
    sides_are(metadata, {kept[0]: "train", kept[1]: "test"})
    new = add_file(metadata, "new.jpg", middle)
    like_low = add_file(metadata, "like low.jpg", (low[0] ^ 1 << 60 ^ 1 << 61, low[1]))
    labels = {each: Counter(cat=1) for each in (*others, *kept, new, like_low)}
    plan = planned(metadata, labels)
    assert plan.left_out == {new: {"train": kept[0], "test": kept[1]}}
    assert plan.side_of.keys() == labels.keys() - {new}
    assert [plan.side_of[each] for each in (*kept, like_low)] == ["train", "test", "train"]
    assert any("1 file left out" in warning for warning in plan.warnings)
    # once only one of them is exported it is still kept on its side, and new files come to it
    alone = {each: labels[each] for each in others}
    assert planned(metadata, {**alone, like_low: Counter(cat=1)}).side_of[like_low] == "train"
    del labels[new]
    assert planned(metadata, labels).left_out == {}


def test_files_that_hang_together_over_one_that_is_left_out_are_dealt_out_alone(
    metadata: MetadataDatabase,
) -> None:
    looks = Looks(4)
    low, middle, high = between(looks)
    # like the middle, and like neither of the others
    aside = [(middle[0] ^ (0xFF << 48) ^ bit, middle[1]) for bit in (0, 1 << 60)]
    others = [add_file(metadata, f"other {n}.jpg", looks.new()) for n in range(9)]
    kept = [add_file(metadata, "low.jpg", low), add_file(metadata, "high.jpg", high)]
    sides_are(metadata, {kept[0]: "val", kept[1]: "test"})
    new = [add_file(metadata, f"{n}.jpg", look) for n, look in enumerate((middle, *aside))]
    plan = planned(metadata, {each: Counter(cat=1) for each in (*others, *kept, *new)})
    assert plan.left_out.keys() == {new[0]}
    assert plan.side_of[new[1]] == plan.side_of[new[2]] == "train"
    assert plan.group_of[new[1]] == plan.group_of[new[2]] == new[1]


@pytest.mark.parametrize("seed", range(6))
def test_new_files_between_old_ones_never_make_a_leak(
    metadata: MetadataDatabase, seed: int
) -> None:
    """Files lie on lines: those that are near on one are alike, and each may join two others."""
    draw, looks = np.random.default_rng(seed), Looks(seed)
    lines = [looks.new() for _ in range(4)]
    at, labels = dict[int, tuple[int, int]](), Labels()
    before: Mapping[int, Split] = {}
    left_out = 0
    for _ in range(5):
        for _ in range(8):
            line, place = int(draw.integers(4)), int(draw.integers(50))
            dhash, vector = lines[line]
            media_id = add_file(metadata, f"{len(at)}.jpg", (dhash ^ (1 << place) - 1, vector))
            at[media_id], labels[media_id] = (line, place), Counter({f"class {line}": 1})
        plan = split_media(metadata, labels, SplitShares(40, 30, 30), seed)
        for one, other in combinations(plan.side_of, 2):
            near = at[one][0] == at[other][0] and abs(at[one][1] - at[other][1]) < MOST_EVIDENCE
            assert not near or plan.side_of[one] == plan.side_of[other]
        assert plan.side_of.keys() | plan.left_out.keys() == labels.keys()
        assert before.items() <= plan.side_of.items()
        left_out += len(plan.left_out)
        before = plan.side_of
        keep_sides(metadata, plan)
    assert left_out or seed  # of the first one it is known that there are some


def test_what_was_exported_to_two_sides_before_stays_and_is_told(
    metadata: MetadataDatabase,
) -> None:
    looks = Looks(5)
    one = looks.new()
    files = [add_file(metadata, "a.jpg", one), add_file(metadata, "b.jpg", looks.like(one))]
    others = [add_file(metadata, f"other {n}.jpg", looks.new()) for n in range(9)]
    sides_are(metadata, {files[0]: "train", files[1]: "test"})
    plan = planned(metadata, {each: Counter(cat=1) for each in (*files, *others)})
    assert [plan.side_of[each] for each in files] == ["train", "test"]
    assert any("2 files exported before" in warning for warning in plan.warnings)
    (pair,) = plan.close.pairs
    assert pair.media_ids == tuple(files) and pair.segment_ids == ("a.jpg-00000", "b.jpg-00000")
    assert pair.similarity == pytest.approx(0.95, abs=0.01) and plan.close.files == 2


def test_close_pairs_across_the_split_are_listed_the_closest_first(
    metadata: MetadataDatabase,
) -> None:
    looks = Looks(6)
    scenes = [looks.new() for _ in range(40)]
    labels = {
        add_file(metadata, f"{n} {m}.jpg", looks.like(scene, 30 * m, 0.1 * m)): Counter(cat=1)
        for n, scene in enumerate(scenes)
        for m in range(2)
    }
    plan = planned(metadata, labels)
    parted = {(n, n + 1) for n in range(1, 81, 2) if plan.side_of[n] != plan.side_of[n + 1]}
    assert parted == {tuple(sorted(pair.media_ids)) for pair in plan.close.pairs}
    found = [pair.similarity for pair in plan.close.pairs]
    assert found == sorted(found, reverse=True) and min(found) >= plan.close.above
    assert plan.close.files == 2 * len(parted) > 0
    none = split_media(metadata, labels, THIRDS, 1, close_above=0.95)
    assert none.close.pairs == () and none.close.files == 0 and none.side_of == plan.side_of


def test_a_person_is_warned_of_what_can_not_be_tested(metadata: MetadataDatabase) -> None:
    looks = Looks(7)
    video = add_file(metadata, "film.mp4", *(looks.new() for _ in range(5)))
    labels = {add_file(metadata, f"{n}.jpg", looks.new()): Counter(cat=1) for n in range(12)}
    labels[video] = Counter({f"in the film {n}": 20 for n in range(7)})
    metadata.duplicates.replace_open([], metadata.duplicates.content())
    plan = split_media(metadata, labels, THIRDS, 1, images={video: 20})
    alone, *sizes = plan.warnings
    assert "in the film 0, in the film 1" in alone and "and 2 more" in alone
    assert any(each.startswith("the training split has") for each in sizes) == (
        abs(20 + sum(plan.side_of[n] == "train" for n in labels if n != video) - 25.6) > 1.6
    )
    two = dict(list(labels.items())[:2])
    assert any(" has no cat" in warning for warning in planned(metadata, two).warnings)
    add_file(metadata, "new.jpg", looks.new())
    assert "duplicates have not been looked for" in planned(metadata, labels).warnings[-1]


def test_an_older_library_that_is_only_read_keeps_no_sides(metadata: MetadataDatabase) -> None:
    files = [add_file(metadata, f"{n}.jpg", look) for n, look in enumerate([Looks().new()] * 2)]
    with metadata.connection.write() as db:
        for table in ("dataset_splits", "duplicate_files"):
            db.execute(f"DROP TABLE {table}")
    assert planned(metadata, {each: Counter(cat=1) for each in files}).group_of == {1: 1, 2: 1}


def test_a_small_library_with_long_videos_comes_near_to_its_shares() -> None:
    groups = [
        Group(f"photo {number}", 1, Counter({"red": 5, f"colour {number % 3}": 4}))
        for number in range(11)
    ]
    groups += [Group(f"video {n}", 10, Counter({"red": 60, "blue": 80, "rare": 2})) for n in (1, 2)]
    stratify(groups, SplitShares(80, 10, 10), 1)
    images: Counter[str] = Counter()
    for group in groups:
        assert group.side is not None
        images[group.side] += group.images
    assert images["train"] >= 20 and min(images.values()) >= 1
