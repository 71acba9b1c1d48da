"""What other programs put on the clipboard: names of files, and images."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageGrab

from src.gui.app import clipboard
from src.gui.app.clipboard import Pasted, file_paths


def test_files_of_this_machine_are_taken() -> None:
    text = "file:///home/a%20b/%E9%B3%A5%25.png\r\nfile://localhost/c.jpg\r\n"
    assert file_paths(text) == [Path("/home/a b/鳥%.png"), Path("/c.jpg")]


def test_what_lies_elsewhere_is_left_out() -> None:
    assert file_paths("https://example.org/a.png\r\nfile://server/b.png\r\n\r\n") == []


@pytest.mark.parametrize("kind", ["PNG", "DIB"])
def test_an_image_is_handed_on_as_it_is_and_not_decoded(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(stream, kind)
    cut = stream.getvalue()[:-20]  # decoding it here would show
    opened = Image.open(io.BytesIO(cut), formats=[kind])
    monkeypatch.setattr(ImageGrab, "grabclipboard", lambda: opened)
    assert clipboard._from_pillow() == Pasted(cut)


def test_files_and_nothing_are_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageGrab, "grabclipboard", lambda: ["/a.png"])
    assert clipboard._from_pillow() == Pasted(paths=(Path("/a.png"),))
    monkeypatch.setattr(ImageGrab, "grabclipboard", lambda: None)
    assert clipboard._from_pillow() == Pasted()
