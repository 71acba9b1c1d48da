"""Files that are read with something to know of them, through the command line and the window."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from main import main
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.gui.library.media_cards import MediaCards
from src.records import MediaFile
from src.settings import Settings

PAGES = "the first of 3 pages"
WHOLE = "the file breaks off after its last pixel: the picture is complete"


def pictures() -> list[Image.Image]:
    noise = np.random.default_rng(2).integers(0, 255, (3, 30, 50, 3), np.uint8)
    return [Image.fromarray(each).resize((200, 120)) for each in noise]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cut JPEG, a GIF with a stream's marks, a TIFF of three pages; and a drawing."""
    folder = tmp_path_factory.mktemp("media")
    images, stream = pictures(), io.BytesIO()
    images[0].save(stream, "JPEG")
    (folder / "cut.jpg").write_bytes(stream.getvalue()[:-2])
    stream = io.BytesIO()
    images[1].save(stream, "GIF")
    gif = bytearray(stream.getvalue())
    gif[188] = gif[376] = 0x47
    (folder / "sync.gif").write_bytes(gif)
    pages = pictures()
    pages[2].save(folder / "pages.tif", save_all=True, append_images=pages[:2])
    (folder / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    return folder


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    library = tmp_path_factory.mktemp("library")
    Settings(points_per_side=4, sam_model="none").save(library / "settings.json")
    files = [str(folder / name) for name in ("cut.jpg", "sync.gif", "pages.tif")]
    assert main(["--library", str(library), "ingest", *files]) == 0
    return library


def media_in(library: Path) -> dict[str, MediaFile]:
    with closing(MetadataDatabase(LibraryPaths(library))) as metadata:
        return {each.path.name: each for each in metadata.all_media()}


def test_notes_are_stored_beside_no_error(library: Path) -> None:
    metadata = MetadataDatabase(LibraryPaths(library))
    try:
        said = {
            each.path.name: (each.status, each.error, each.note) for each in metadata.all_media()
        }
    finally:
        metadata.close()
    assert said == {
        "cut.jpg": ("done", None, WHOLE),
        "sync.gif": ("done", None, None),
        "pages.tif": ("done", None, PAGES),
    }


def test_verify_finds_nothing_wrong_with_them(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--library", str(library), "verify"]) == 0
    said = capsys.readouterr()
    assert WHOLE not in said.out + said.err and PAGES not in said.out + said.err


def test_the_command_line_prints_them_and_says_what_a_kind_not_read_is(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Settings(points_per_side=4, sam_model="none").save(tmp_path / "settings.json")
    names = ("cut.jpg", "pages.tif", "drawing.svg")
    main(["--library", str(tmp_path), "ingest", *(str(folder / name) for name in names)])
    said = capsys.readouterr().err
    assert f"cut.jpg: 1 frame, 1 segment; {WHOLE}" in said
    assert f"pages.tif: 1 frame, 1 segment; {PAGES}" in said
    assert "drawing.svg: this is an SVG drawing, which can't be read yet; export it as PNG" in said


def test_a_card_shows_a_note_as_quietly_as_its_other_facts(library: Path) -> None:
    media = media_in(library)["pages.tif"]
    session: Any = SimpleNamespace(missing=SimpleNamespace(has=lambda path: False))
    cards = MediaCards(session)
    cards.ids = [media.id]
    card: Any = SimpleNamespace(media=media, poster=None, segments=4)
    cards._cards[media.id] = card
    (view,) = cards.views(0, 1)
    assert view.facts == f"Photo · 4 segments · {PAGES}"
    assert (view.facts_colour, view.state) == ("text_2", "ready")
