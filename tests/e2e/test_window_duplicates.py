"""Near-duplicates in the window: found, hidden, shown again, moved to the trash."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from tests.e2e.desktop import Screen, Start


def test_copies_are_hidden_and_moved_to_the_trash_when_a_person_says_so(
    screen: Screen,
    start: Start,
    filled: Path,
    scene_files: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(screen.environment, "XDG_DATA_HOME", str(tmp_path / "data"))
    with Image.open(scene_files[0]) as original:
        picture = original.convert("RGB")
    mirror, small = tmp_path / "mirror.jpg", tmp_path / "small.jpg"
    ImageOps.mirror(picture).save(mirror, quality=90)
    picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)).save(small, quality=80)
    library = tmp_path / "library"
    shutil.copytree(filled, library)
    window = start(library, [mirror, small])
    window.wait("the copies", lambda s: s["media"] == 6 and not s["busy"])

    window.click("Duplicates")
    window.wait("a group", lambda s: "Hide others" in s["buttons"] and not s["busy"])
    window.wait_text("3 files", "1 group")

    window.click("Hide others")
    window.wait_text("3 files · others hidden", "1 group, 0 to decide")
    window.click("Library")
    window.wait("the shown ones", lambda s: s["count"] == 4)
    window.click("Duplicates")
    window.wait("the group", lambda s: "Undo" in s["buttons"])
    window.click("Undo")
    window.wait("it to be open", lambda s: "Hide others" in s["buttons"])
    window.wait("all of them", lambda s: s["media"] == 6)

    window.click("Move others to trash")
    window.wait("the question", lambda s: s["dialog"] and "Move to trash" in s["buttons"])
    window.wait_text("Move 2 files to the trash?")
    assert mirror.exists() and small.exists()
    window.click("Move to trash")
    window.wait("the end", lambda s: "No duplicates found" in s["texts"])
    window.wait("the library", lambda s: s["media"] == 4)
    assert not mirror.exists() and not small.exists() and scene_files[0].exists()
    trashed = {path.name for path in (tmp_path / "data" / "Trash" / "files").iterdir()}
    assert trashed == {"mirror.jpg", "small.jpg"}
