"""Names of files as other programs put them on the clipboard."""

from pathlib import Path

from src.gui.clipboard import file_paths


def test_files_of_this_machine_are_taken() -> None:
    text = "file:///home/a%20b/%E9%B3%A5%25.png\r\nfile://localhost/c.jpg\r\n"
    assert file_paths(text) == [Path("/home/a b/鳥%.png"), Path("/c.jpg")]


def test_what_lies_elsewhere_is_left_out() -> None:
    assert file_paths("https://example.org/a.png\r\nfile://server/b.png\r\n\r\n") == []
