"""A crop is put on the clipboard by the tool of the desktop, or it is said which one is missing."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from src.errors import MediaLibraryError
from src.gui.app import clipboard_image
from src.gui.app.clipboard_image import copy_image

CROP_WH = 9, 7


class Ran:
    """The programs that were run, with what they were given."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.images: list[bytes] = []
        self.fails = False

    def run(self, command: list[str], input: bytes, env: dict[str, str], **options: Any) -> None:
        self.commands.append(command)
        file = env["MEDIA_LIBRARY_COPIED"] or (command[-1] if command[0] == "osascript" else "")
        self.images.append(Path(file).read_bytes() if file else input)
        assert options["check"] and options["stdout"] == subprocess.DEVNULL
        if self.fails:
            raise subprocess.CalledProcessError(1, command)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    ran = Ran()
    monkeypatch.setattr(clipboard_image.subprocess, "run", ran.run)
    monkeypatch.setattr(clipboard_image.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return ran


@pytest.fixture
def crop(tmp_path: Path) -> Path:
    path = tmp_path / "crop.webp"
    Image.new("RGB", CROP_WH, "red").save(path)
    return path


@pytest.mark.parametrize(
    ("platform", "wayland", "program"),
    [
        ("linux", "", "xclip"),
        ("linux", "wayland-0", "wl-copy"),
        ("darwin", "", "osascript"),
        ("win32", "", "powershell"),
    ],
)
def test_a_crop_is_handed_on_as_a_png(
    ran: Ran, crop: Path, platform: str, wayland: str, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    if wayland:
        monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    copy_image(crop)
    assert [command[0] for command in ran.commands] == [program]
    with Image.open(io.BytesIO(ran.images[0])) as image:
        assert (image.format, image.size) == ("PNG", CROP_WH)


def test_on_wayland_the_tool_of_x_is_taken_where_it_is_the_only_one(
    ran: Ran, crop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setattr(
        clipboard_image.shutil, "which", lambda name: "/bin/xclip" if name == "xclip" else None
    )
    copy_image(crop)
    assert ran.commands[0][0] == "xclip"


@pytest.mark.parametrize(("wayland", "package"), [("", "xclip"), ("wayland-0", "wl-clipboard")])
def test_what_is_missing_is_said(
    ran: Ran, crop: Path, wayland: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    monkeypatch.setattr(clipboard_image.shutil, "which", lambda _: None)
    with pytest.raises(MediaLibraryError, match=f"needs the package {package}"):
        copy_image(crop)


def test_what_fails_is_said(ran: Ran, crop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    ran.fails = True
    with pytest.raises(MediaLibraryError, match="xclip could not copy"):
        copy_image(crop)
    with pytest.raises(MediaLibraryError, match="can't be read"):
        copy_image(crop.with_name("gone.webp"))
