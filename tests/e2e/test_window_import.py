"""The window from outside: a dataset is dropped and comes in with its labels."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.desktop import Screen, Window, draw_photo


def coco_of(folder: Path) -> Path:
    """A dataset of two photos: one mask and a box that lies outside."""
    for number in (1, 2):
        draw_photo(folder / "images" / f"labelled {number}.png", 60 + number)
    boxes = [(1, [10, 20, 60, 50]), (2, [9000, 20, 60, 50])]
    content = {
        "images": [{"id": n, "file_name": f"labelled {n}.png"} for n in (1, 2)],
        "categories": [{"id": 1, "name": "labelled thing"}],
        "annotations": [
            {"id": number, "image_id": number, "category_id": 1, "bbox": box}
            for number, box in boxes
        ],
    }
    (folder / "annotations").mkdir()
    (folder / "annotations" / "instances.json").write_text(json.dumps(content))
    return folder


def test_a_dataset_that_is_dropped_is_imported(
    window: Window, screen: Screen, tmp_path: Path
) -> None:
    (tmp_path / "coco" / "images").mkdir(parents=True)
    dataset = coco_of(tmp_path / "coco")
    with screen.helper("drag_source.py", dataset) as source:
        moves = ["mousemove_relative", 20, 10, "sleep", 0.02] * 30
        screen.do("mousemove", 60, 60, "mousedown", 1, *moves)
        window.wait_text("Drop to add to the library")
        screen.do("sleep", 0.2, "mouseup", 1)
        assert source.wait(60) == 0
    window.wait_text("Import this dataset?", "Add its images only")
    screen.keep("asked")
    window.click("Import dataset")
    window.card("labelled 1.png")
    window.wait("the end", lambda s: not s["jobs"] and "1 label added" in s["strip"])
    screen.keep("done")
    window.click("1 failed")
    window.wait_text("1 file couldn't be imported whole")
    screen.keep("listed")
    window.key("Escape")
    window.click("Close")
    window.wait("a clean strip", lambda s: not s["strip"])
