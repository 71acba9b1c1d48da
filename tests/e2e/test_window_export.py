"""The export dialog from outside: a format, a split, a recipe, and what is on the disk then."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.datasets.recipes import SavedRecipes
from tests.e2e.desktop import Start


def test_a_recipe_of_coco_with_a_split_is_saved_and_exported(
    start: Start, filled: Path, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    shutil.copytree(filled, library)
    window = start(library)
    window.click("Export Dataset")
    window.wait("the count", lambda s: any(t.startswith("Export ") for t in s["buttons"]))
    window.click("Folders of crops")
    window.key("Down", "Return")  # the second format
    button = window.wait(
        "the images",
        lambda s: next((t for t in s["buttons"] if re.fullmatch(r"Export \d+ images", t)), ""),
    )
    window.wait_text("COCO", "80", "10", "look-alikes stay on one side")

    window.click("No recipe")
    window.key("Down", "Return")  # save it
    window.wait_text("Name of the recipe")
    window.screen.wait_still()
    window.type("for training")
    window.key("Return")
    window.wait_text("for training")

    window.click("Preview images")
    window.wait("an image", lambda s: any(t.startswith("1 of ") for t in s["texts"]))
    window.key("Right")
    window.wait("the next one", lambda s: any(t.startswith("2 of ") for t in s["texts"]))
    window.key("Escape")

    name = window.wait(
        "the folder", lambda s: next((t for t in s["texts"] if t.startswith("datasets")), "")
    )
    window.click(button)
    images = button.removeprefix("Export ")
    window.wait_text(f"{images} exported", "Read back and checked", "Open folder", "Train")
    window.key("Escape")
    window.wait("no dialog", lambda s: not s["dialog"])

    found = [json.loads(path.read_text()) for path in (library / name).rglob("*.json")]
    written = [image for each in found if "annotations" in each for image in each["images"]]
    assert len(written) == int(images.split()[0])
    metadata = MetadataDatabase(LibraryPaths(library))
    assert SavedRecipes(metadata).get("for training").split == "80/10/10"
    metadata.close()
