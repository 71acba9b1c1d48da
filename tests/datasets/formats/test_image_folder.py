"""A folder a class: torchvision reads it, with the same number of a class in every split."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from torchvision.datasets import ImageFolder as TorchImageFolder

from src.datasets.annotations import Annotation
from src.datasets.formats.image_folder import ImageFolder
from tests.datasets.formats.planned import (
    HandPlan,
    crops_of_masks,
    image_of,
    masked,
    read_back,
    write,
    written_files,
)


def test_torchvision_sees_each_image_in_its_class(tmp_path: Path) -> None:
    plan = crops_of_masks()
    planned = write(ImageFolder(), plan, tmp_path / "d")
    labels = json.loads((tmp_path / "d" / "classes.json").read_text(encoding="utf-8"))
    numbers = []
    for split in plan.splits:
        loaded = TorchImageFolder(str(tmp_path / "d" / split), allow_empty=True)
        numbers.append(loaded.class_to_idx)
        for file, number in loaded.samples:
            name = Path(file).relative_to(tmp_path / "d").as_posix()
            assert labels[loaded.classes[number]] == planned[name].annotations[0].label
    assert numbers[0] == numbers[1] and sum(1 for _ in planned) == 12


def test_it_has_no_splits_or_crops_with_several_labels(tmp_path: Path) -> None:
    several = image_of("s", Annotation("cat"), Annotation("dog"), cut=True)
    plan = HandPlan((several, image_of("none", cut=True)), ("cat", "dog"), "cutouts")
    write(ImageFolder(), plan, tmp_path / "d")
    assert written_files(tmp_path / "d") == ["cat/s.png", "classes.json"]
    assert read_back(ImageFolder(), tmp_path / "d")["cat/s.png"].split is None


def test_a_photo_has_the_label_of_the_whole_photo(tmp_path: Path) -> None:
    photo = image_of("p", masked("dog", 0), Annotation("beach"), split="val")
    plan = HandPlan((photo, image_of("q", masked("dog", 0))), ("beach", "dog"), splits=("val",))
    write(ImageFolder(), plan, tmp_path / "d")
    assert list(read_back(ImageFolder(), tmp_path / "d")) == ["val/beach/p.jpg"]


def test_names_that_are_no_folders_and_damage(tmp_path: Path) -> None:
    names = ("a/b", "a:b", "A_B", "..", "con", "ñ", "x" * 300)
    images = tuple(image_of(f"c{at}", Annotation(name)) for at, name in enumerate(names))
    plan = HandPlan(tuple(replace(each, cut=None) for each in images), names, "crops")
    write(ImageFolder(), plan, tmp_path / "d")
    (tmp_path / "d" / "other").mkdir()
    (tmp_path / "d" / "con_" / "c4.jpg").rename(tmp_path / "d" / "other" / "c4.jpg")
    with pytest.raises(ValueError, match="not the folder of a class"):
        read_back(ImageFolder(), tmp_path / "d")
