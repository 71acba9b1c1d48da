"""Hugging Face's imagefolder, read line by line as its description says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src.datasets.annotations import Annotation
from src.datasets.formats.hugging_face import HuggingFace
from tests.datasets.formats.planned import (
    HandPlan,
    all_masks,
    image_of,
    masked,
    read_back,
    write,
    written_files,
)


def test_each_image_of_a_split_has_its_line(tmp_path: Path) -> None:
    planned = write(HuggingFace(), all_masks(), tmp_path / "d")
    seen, keys = set(), set()
    for folder in ("train", "validation", "test"):
        text = (tmp_path / "d" / folder / "metadata.jsonl").read_text(encoding="utf-8")
        for line in map(json.loads, text.splitlines()):
            file = f"{folder}/{line['file_name']}"
            image = planned[file]
            seen.add(file)
            keys.add(tuple(line) + tuple(line["objects"]))
            objects = line["objects"]
            assert objects["categories"] == [each.label for each in image.annotations]
            assert objects["bbox"] == [list(each.bbox_xywh or ()) for each in image.annotations]
            masks = [each.encode() for each in objects["mask_rle"]]
            assert masks == [each.mask_rle or b"" for each in image.annotations]
            assert "null" not in text  # of which Arrow would learn another type
            assert {len(column) for column in objects.values()} == {len(image.annotations)}
    assert seen == set(planned) and len(keys) == 1  # Arrow wants the same keys in every line
    assert {image.split for image in read_back(HuggingFace(), tmp_path / "d").values()} == {
        "train",
        "val",
        "test",
    }


def test_all_that_is_said_comes_back_and_the_bytes_are_the_same(tmp_path: Path) -> None:
    cat = masked("cat", 0, confidence=0.625, source="auto", segment_id="s-1")
    dawn = Annotation("dawn", confidence=1.0, source="human")
    plan = HandPlan(
        (image_of("a", cat, dawn, Annotation("ox", (1, 2, 3, 4))), image_of("b")),
        ("cat", "dawn", "ox"),
    )
    for name in "de":
        write(HuggingFace(), plan, tmp_path / name)
    for file in written_files(tmp_path / "d"):
        assert (tmp_path / "d" / file).read_bytes() == (tmp_path / "e" / file).read_bytes()
    images = read_back(HuggingFace(), tmp_path / "d")
    assert images["a.jpg"].annotations == plan.images[0].annotations
    assert images["a.jpg"].media == "photos/a.jpg" and images["a.jpg"].split is None
    file = tmp_path / "d" / "metadata.jsonl"
    sound = file.read_text(encoding="utf-8")
    for old, new in (
        ('"b.jpg"', '"c.jpg"'),
        ('"width": 64', '"width": 65'),
        ("[1, 2, 3, 4]", "[1, 2, 3]"),
        ('"categories": ["cat", ', '"categories": ['),
    ):
        file.write_text(sound.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ValueError):
            read_back(HuggingFace(), tmp_path / "d")
