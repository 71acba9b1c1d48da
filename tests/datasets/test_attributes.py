"""Attributes of labels go out with a dataset, and come back into an empty library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from src.dataset_events import LabelsImported
from src.datasets.annotations import Annotation
from src.datasets.formats.annotation_values import read_attributes
from src.datasets.formats.cvat import Cvat, CvatImport
from src.datasets.formats.labelme import Labelme
from src.errors import ExportError
from src.label_records import LabelAttribute
from src.library import MediaLibrary
from src.search.recipe import Recipe
from tests.datasets.formats.planned import HandPlan, image_of, imported, write
from tests.datasets.test_round_trips import Open, drawn, open_library

__all__ = ["drawn", "open_library"]

COLOUR = LabelAttribute("colour", "choice", ("red", "dark blue", "<&>"))
SIZE = LabelAttribute("size", "number")


@pytest.fixture(scope="module")
def with_values(drawn: MediaLibrary) -> MediaLibrary:
    labels = drawn.labels
    labels.set_attributes("ring", [COLOUR, SIZE])
    first, second = (
        hit.segment.id for hit in drawn.search("tag:ring", n_results=2, one_of_each=False)
    )
    labels.set_attribute([first], "ring", "colour", "<&>")
    labels.set_attribute([first], "ring", "size", 2.5)
    labels.set_attribute([second], "ring", "size", -3)
    return drawn


def values_of(library: MediaLibrary) -> list[dict[str, dict[str, str | float]]]:
    ids = library.metadata.segment_ids()
    return sorted(library.labels.attributes_of(ids).values(), key=repr)


EXPECTED = [{"ring": {"colour": "<&>", "size": 2.5}}, {"ring": {"size": -3.0}}]


@pytest.mark.parametrize("key", ["coco", "cvat"])
def test_they_come_back(
    key: str, with_values: MediaLibrary, open_library: Open, tmp_path: Path
) -> None:
    assert values_of(with_values) == EXPECTED
    list(with_values.export(tmp_path / "out", Recipe(labels="people", format=key)))
    library = open_library(tmp_path.name)
    (outcome,) = [
        e for e in library.import_dataset(tmp_path / "out") if isinstance(e, LabelsImported)
    ]
    assert values_of(library) == EXPECTED
    (ring,) = [label for label in library.labels.list() if label.name == "ring"]
    assert {each.name: each.kind for each in ring.attributes} == {
        "colour": "choice",
        "size": "number",
    }
    library.undo(outcome.batch)
    assert values_of(library) == [] and library.labels.list() == []
    library.labels.redo(outcome.batch)
    assert values_of(library) == EXPECTED


@pytest.mark.parametrize("key", ["csv", "json_lines"])
def test_tables_hold_them_and_are_checked_for_them(
    key: str, with_values: MediaLibrary, tmp_path: Path
) -> None:
    list(with_values.export(tmp_path / "out", Recipe(labels="people", format=key)))
    if key == "json_lines":
        lines = (tmp_path / "out" / "annotations.jsonl").read_text("utf-8").splitlines()
        found = [json.loads(line)["attributes"] for line in lines]
        assert [each for each in found if each] == [each["ring"] for each in EXPECTED]


def test_labelme_has_them_as_flags_of_shapes(tmp_path: Path) -> None:
    box = Annotation("cat", (3, 4, 20, 9), attributes=(("colour", "red"), ("size", 2.5)))
    write(Labelme(), HandPlan((image_of("one", box),), ("cat",)), tmp_path / "d")
    (shape,) = json.loads((tmp_path / "d" / "one.json").read_text("utf-8"))["shapes"]
    assert shape["flags"] == {"colour: red": True, "size: 2.5": True}


def test_an_export_that_reads_back_other_attributes_is_not_kept(tmp_path: Path) -> None:
    box = Annotation("cat", (3, 4, 20, 9), attributes=(("size", 2.5),))
    plan = HandPlan((image_of("one", box),), ("cat",), attributes={"cat": (SIZE,)})
    write(Cvat(), plan, tmp_path / "good")
    with pytest.raises(ExportError, match="the attributes of 'cat'"):
        write(Cvat(), HandPlan(plan.images, plan.classes), tmp_path / "not said to be a number")


def test_a_file_of_cvats_own(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    Image.new("RGB", (160, 120)).save(folder / "one.jpg")
    (folder / "annotations.xml").write_text(
        """<?xml version="1.0" encoding="utf-8"?><annotations><meta><task><labels><label>
        <name>car</name><attributes><attribute><name>doors</name><mutable>False</mutable>
        <input_type>number</input_type><default_value>4</default_value><values>1\n9\n1</values>
        </attribute><attribute><name>old</name><input_type>checkbox</input_type></attribute>
        </attributes></label></labels></task></meta>
        <image id="0" name="one.jpg" width="160" height="120"><box label="car" occluded="0"
        xtl="1" ytl="2" xbr="30" ybr="40" z_order="0"><attribute name="doors">3</attribute>
        <attribute name="old">true</attribute><attribute name="note"></attribute></box>
        <box label="car" occluded="0" xtl="1" ytl="2" xbr="30" ybr="40" z_order="0">
        <attribute name="doors">many</attribute></box></image></annotations>"""
    )
    images, wrong = imported(CvatImport(), folder)
    assert not wrong
    (image,) = images
    first, second = image.annotations
    assert dict(first.attributes) == {"doors": 3.0, "old": "true"} and second.attributes == ()


def test_what_is_no_attribute_is_left_out() -> None:
    read = {
        "a": True, "b": "x", "c": 1, "d": None, "e": [1], "f": "", "": "y", "g": float("inf"),
        "h": "\ud800",
    }  # fmt: skip
    assert read_attributes(read) == (("a", "true"), ("b", "x"), ("c", 1.0))
    assert read_attributes("no dict") == () and read_attributes(None) == ()
