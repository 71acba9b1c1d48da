"""What a recipe makes of a library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src.database.metadata_db import MetadataDatabase
from src.datasets.annotations import PlannedImage
from src.datasets.export import DEFAULT_RECIPE
from src.datasets.formats.tag_folders import TagFolders
from src.datasets.media_counts import NOT_REVIEWED, WHOLE_FRAMES
from src.datasets.plan import DatasetPlan
from src.datasets.protocols import Holds
from src.errors import ExportError
from src.models.mask_rle import decode_rle
from src.records import Tag
from src.search.filter_text import parse_filter
from src.search.recipe import Recipe, classes_of, parse_classes
from tests.conftest import unit_vectors
from tests.datasets.drawn_library import WH, a_mask, add_file, add_frame, add_photo


class Detection(TagFolders):
    """A format of boxes and masks, without labels of whole images."""

    forms = ("frames", "crops", "blurred", "cutouts")
    holds = Holds(masks="exact")
    is_for_training = True


class Classification(TagFolders):
    """A format of one label an image."""

    forms = ("blurred", "crops")
    holds = Holds(masks="no", boxes=False, image_labels=True, several_labels=False)
    is_for_training = True


LARGE, SMALL = a_mask((4, 4, 40, 30), hole=True), a_mask((50, 40, 10, 6))


def tag(metadata: MetadataDatabase, segment_id: str, *names: str, source: str = "human") -> None:
    tags = [Tag(name, 1.0 if source == "human" else 0.6, source) for name in names]  # type: ignore[arg-type]
    metadata.add_tags(segment_id, tags, "human")


def planned(
    metadata: MetadataDatabase, recipe: Recipe = DEFAULT_RECIPE, kind: type[TagFolders] = Detection
) -> tuple[list[PlannedImage], DatasetPlan]:
    plan = DatasetPlan(metadata, recipe, kind())
    images = list(plan)
    assert len(images) == len(plan)
    assert plan.annotations == sum(len(image.annotations) for image in images)
    assert images == list(plan)
    return images, plan


def test_a_frame_has_the_annotations_of_its_segments(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    ids = add_photo(metadata, tmp_path / "holiday" / "b.png", [SMALL, LARGE])
    tag(metadata, ids[0], "outside")
    tag(metadata, ids[1], "ball")
    tag(metadata, ids[2], "red", "dog")
    add_photo(metadata, tmp_path / "holiday" / "a.png", [LARGE], 1)
    (image,), plan = planned(metadata)
    assert plan.classes == ("ball", "dog", "red") and plan.left_out == {WHOLE_FRAMES: 1}
    assert (image.stem, image.size_wh, image.cut) == ("b", WH, None)
    assert image.frame.media == "holiday/b.png"
    # large ones first, so that a smaller one is painted over them
    assert [each.segment_id for each in image.annotations] == [ids[2], ids[2], ids[1]]
    assert {each.label for each in image.annotations[:2]} == {"red", "dog"}
    counts = image.annotations[0].mask_rle
    assert counts is not None and np.array_equal(decode_rle(counts, WH), LARGE)
    assert image.annotations[2].bbox_xywh == (50, 40, 10, 6)


def test_classes_have_the_order_of_the_recipe(metadata: MetadataDatabase, tmp_path: Path) -> None:
    ids = add_photo(metadata, tmp_path / "a.png", [SMALL, LARGE])
    tag(metadata, ids[1], "truck")
    tag(metadata, ids[2], "car", "dog")
    recipe = Recipe(classes=parse_classes("zebra; car, truck -> vehicle"))
    (image,), plan = planned(metadata, recipe)
    assert plan.classes == ("zebra", "vehicle")
    assert [each.label for each in image.annotations] == ["vehicle", "vehicle"]


def test_a_crop_has_its_mask_where_it_is_in_it(metadata: MetadataDatabase, tmp_path: Path) -> None:
    ids = add_photo(metadata, tmp_path / "a.png", [SMALL, LARGE])
    tag(metadata, ids[1], "ball")
    tag(metadata, ids[2], "dog")
    images, _ = planned(metadata, Recipe(images="crops"))
    for image, mask in zip(images, (LARGE, SMALL), strict=True):
        assert image.cut is not None
        x, y, w, h = image.cut.box_xywh
        (annotation,) = image.annotations
        assert annotation.mask_rle is not None and image.size_wh == (w, h)
        found = decode_rle(annotation.mask_rle, (w, h))
        assert np.array_equal(found, mask[y : y + h, x : x + w]) and found.sum() == mask.sum()


def test_a_crop_that_was_made_smaller_has_its_mask_made_smaller(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    ids = add_photo(metadata, tmp_path / "a.png", [])
    media = metadata.media_by_path(tmp_path / "a.png")
    assert media is not None and len(ids) == 1
    mask = np.zeros((2100, 3000), bool)
    mask[100:2000, 100:2900] = True
    (_, segment_id) = add_frame(metadata, media.id, "large", [mask], 1, None, (3000, 2100))
    tag(metadata, segment_id, "dog")
    (image,), _ = planned(metadata, Recipe(images="blurred"))
    assert max(image.size_wh) == 1024
    (annotation,) = image.annotations
    assert annotation.mask_rle is not None
    small = decode_rle(annotation.mask_rle, image.size_wh)
    assert image.cut is not None
    share = mask.sum() / (image.cut.box_xywh[2] * image.cut.box_xywh[3])
    assert abs(small.mean() - share) < 0.005


def test_where_there_is_room_for_one_label_the_surest_is_it(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    ids = add_photo(metadata, tmp_path / "a.png", [SMALL, LARGE])
    tag(metadata, ids[0], "outside")
    tag(metadata, ids[1], "dog")
    tag(metadata, ids[1], "red", source="auto")
    tag(metadata, ids[2], "dog", "cat")  # nobody can say which
    images, plan = planned(metadata, kind=Classification)
    said = {image.annotations[0].segment_id: image.annotations[0].label for image in images}
    assert said == {ids[0]: "outside", ids[1]: "dog"}
    assert plan.left_out.total() == 2 and plan.left_out_of == {"red": 1, "dog": 1, "cat": 1}


def decide(metadata: MetadataDatabase, path: Path, **tags: bool) -> None:
    media = metadata.media_by_path(path)
    assert media is not None
    for name, has_tag in tags.items():
        assert metadata.decide_on_frame(media.id, 0, name, has_tag)


def test_frames_that_were_confirmed_to_be_empty_are_background(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    files = [tmp_path / f"{name}.png" for name in "abcd"]
    for number, file in enumerate(files):
        ids = add_photo(metadata, file, [LARGE], number)
        if number == 0:
            tag(metadata, ids[1], "dog", "cat")
    decide(metadata, files[1], dog=False)  # of the cat nobody knows
    decide(metadata, files[2], dog=False, cat=False)
    decide(metadata, files[3], dog=True, cat=False)
    recipe = Recipe(classes=classes_of("dog", "cat"))
    images, _ = planned(metadata, recipe)
    assert [(each.stem, len(each.annotations)) for each in images] == [("a", 2), ("c", 0)]
    assert [each.is_reviewed for each in images] == [False, True]
    without, _ = planned(metadata, Recipe(classes=recipe.classes, background=False))
    assert [each.stem for each in without] == ["a"]
    elsewhere = Recipe(parse_filter("name:b.png or name:a.png"), classes=recipe.classes)
    assert [each.stem for each in planned(metadata, elsewhere)[0]] == ["a"]
    only_dogs, _ = planned(metadata, Recipe(classes=classes_of("dog")))
    assert [each.stem for each in only_dogs] == ["a", "b", "c"]


def test_frames_that_nobody_has_looked_at_can_be_left_out(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    files = [tmp_path / f"{name}.png" for name in "ab"]
    for number, file in enumerate(files):
        tag(metadata, add_photo(metadata, file, [LARGE], number)[1], "dog")
    decide(metadata, files[1], dog=True)
    images, plan = planned(metadata, Recipe(only_reviewed=True))
    assert [each.stem for each in images] == ["b"]
    assert plan.left_out == {NOT_REVIEWED: 1} and plan.labels == {"dog": 1}


def test_names_are_different_and_stay_when_the_library_grows(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    def names() -> dict[str, str]:
        images, _ = planned(metadata)
        stems = {image.frame.media: image.stem for image in images}
        assert len({stem.casefold() for stem in stems.values()}) == len(stems)
        return stems

    for number, name in enumerate(("1/IMG.png", "2/img.png", "3/IMG.png")):
        tag(metadata, add_photo(metadata, tmp_path / name, [LARGE], number)[1], "dog")
    before = names()
    for number, name in enumerate(("4/Img.png", "5/ ..é😀.png", "6/CON.png")):
        tag(metadata, add_photo(metadata, tmp_path / name, [LARGE], 5 + number)[1], "dog")
    after = names()
    assert before.items() <= after.items()
    assert before["1/IMG.png"] == "IMG" and before["2/img.png"].startswith("img ")


def test_no_frame_has_the_name_of_another_file_or_of_a_frame_close_by(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"a video")
    media_id = add_file(metadata, video, "video")
    for index, time_s in enumerate((0.1001, 0.1004, 0.1004, 0.3)):
        ids = add_frame(metadata, media_id, "clip", [LARGE], index, time_s)
        tag(metadata, ids[1], "car")
    ids = add_photo(metadata, tmp_path / "CLIP 00000.300s.png", [LARGE])
    tag(metadata, ids[1], "car")
    stems = [image.stem for image in planned(metadata)[0]]
    assert stems[0] == "clip 00000.100s"
    assert len({stem.casefold() for stem in stems}) == 5


def test_images_of_one_media_file_come_together_in_order(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"video")
    media_id = add_file(metadata, path, "video")
    for index in (30, 2, 11):
        ids = add_frame(metadata, media_id, "v", [LARGE], index, index / 10)
        tag(metadata, ids[1], "dog")
    tag(metadata, add_photo(metadata, tmp_path / "a.png", [LARGE])[1], "dog")
    images, _ = planned(metadata)
    assert [image.stem for image in images] == [
        "v 00000.200s",
        "v 00001.100s",
        "v 00003.000s",
        "a",
    ]


def test_images_that_a_format_has_not_are_said(metadata: MetadataDatabase) -> None:
    with pytest.raises(ExportError, match="no images of the kind 'frames'; it has blurred, crops"):
        DatasetPlan(metadata, Recipe(images="frames"), Classification())


def test_a_plan_gives_the_embeddings_of_its_segments(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    ids = add_photo(metadata, tmp_path / "a.png", [SMALL, LARGE])
    vectors = DatasetPlan(metadata, DEFAULT_RECIPE, Detection()).embeddings(
        [ids[2], "gone", ids[0]]
    )
    assert np.allclose(vectors[[0, 2]], unit_vectors(3)[[2, 0]]) and not vectors[1].any()
