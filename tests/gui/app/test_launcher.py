"""Double-click launch: what is written, and that a desktop reads back what was meant."""

from __future__ import annotations

import io
import mimetypes
import os
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import main
from src.cli.arguments import COMMANDS
from src.config import APPLICATION_FOLDER
from src.errors import MediaLibraryError
from src.gui.app import launcher
from src.processing.image_loader import IMAGE_SUFFIXES, VIDEO_SUFFIXES

AWKWARD = [
    "/opt/library",
    "/home/a person/My Media",
    "/with \"quotes\" and 'ticks'",
    "/back\\slash/and\\\\two",
    "/100% sure/%F %u/%%",
    "/dollar $HOME/`date`",
    "/a;b|c&d>e<f*g?h#i(j)k~l",
    "/новая папка/写真",
    "/tab\there/line\nbreak",
    "/ends in a backslash\\",
]


@pytest.fixture
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desktop of its own, on which nothing is installed."""
    monkeypatch.setattr(sys, "platform", "linux")
    folder = tmp_path / "data home"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    return folder


@pytest.fixture
def mac_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def keys(entry: str) -> dict[str, str]:
    first, *lines = entry.splitlines()
    assert first == "[Desktop Entry]"
    return dict(line.split("=", 1) for line in lines)


def words_of(value: str) -> list[str]:
    """Read an Exec value back, by the specification: first as a string, then as a command."""
    escapes = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    text = re.sub(r"\\(.)", lambda found: escapes[found[1]], value)
    words, place = [], 0
    while place < len(text):
        if text[place] == " ":
            place += 1
        elif text[place] == '"':
            quoted = re.compile(r'"((?:[^"`$\\]|\\["`$\\])*)"(?= |$)').match(text, place)
            assert quoted is not None, text[place:]
            words.append(re.sub(r"\\(.)", r"\1", quoted[1]))
            place = quoted.end()
        else:
            plain = re.compile(r"[^ \t\n\"'\\><~|&;$*?#()`]+").match(text, place)
            assert plain is not None, text[place:]
            words.append(plain[0])
            place = plain.end()
    for word in words:
        assert re.fullmatch(r"(%%|%F|[^%])*", word, re.DOTALL), word
    return [word.replace("%%", "%") for word in words]


@pytest.mark.parametrize("folder", AWKWARD)
def test_the_command_reads_back_as_it_was_meant(folder: str) -> None:
    command = keys(launcher.desktop_entry(Path(folder), None))["Exec"]
    assert words_of(command) == ["bash", f"{folder}/run.sh", "%F"]
    command = keys(launcher.desktop_entry(Path(folder), Path(folder, "python")))["Exec"]
    python = f"PYTHON={folder}/python"
    assert words_of(command) == ["env", python, "bash", f"{folder}/run.sh", "%F"]
    assert command.endswith(" %F")  # outside of quotes, or it would be no field


def test_what_is_installed_on_linux(data_home: Path) -> None:
    written = launcher.install_desktop_entry(APPLICATION_FOLDER, Path("/usr/bin/python3"))
    entry = data_home / "applications" / "media-segment-library.desktop"
    icons = data_home / "icons" / "hicolor"
    assert set(written) == {
        entry,
        *(icons / f"{n}x{n}/apps/media-segment-library.png" for n in (48, 128, 256)),
    }
    for path in written[:-1]:
        with Image.open(path) as icon:
            assert path.parent.parent.name == f"{icon.width}x{icon.height}"
            assert icon.format == "PNG" and icon.getpixel((0, 0))[3] == 0  # type: ignore[index]
    values = keys(entry.read_text(encoding="utf-8"))
    assert values["Type"] == "Application" and values["Terminal"] == "false"
    assert values["Name"] == "Media Library" and values["Icon"] == "media-segment-library"
    assert values["StartupWMClass"] == "Media-segment-library"
    kinds = values["MimeType"].split(";")
    assert {"image/jpeg", "video/mp4"} <= set(kinds)
    assert "inode/directory" not in kinds  # a folder is for the file manager to open


def test_installed_twice_it_is_there_once_and_follows_a_move(data_home: Path) -> None:
    first = launcher.install_desktop_entry(Path("/old"), Path("/usr/bin/python3"))
    before = {path: path.read_bytes() for path in first}
    assert launcher.install_desktop_entry(Path("/old"), Path("/usr/bin/python3")) == first
    assert {path: path.read_bytes() for path in first} == before
    launcher.install_desktop_entry(Path("/new"), Path("/usr/bin/python3"))
    assert b"/new/run.sh" in first[-1].read_bytes() and b"/old" not in first[-1].read_bytes()
    names = [path.name for path in (data_home / "applications").iterdir()]
    assert sorted(set(names) - {"mimeinfo.cache"}) == ["media-segment-library.desktop"]


def test_uninstall_takes_away_what_was_written_and_nothing_else(data_home: Path) -> None:
    other = data_home / "applications" / "other.desktop"
    other.parent.mkdir(parents=True)
    other.write_text("[Desktop Entry]\n")
    written = launcher.install_desktop_entry(Path("/old"), Path("/usr/bin/python3"))
    written[0].unlink()
    removed = launcher.uninstall_desktop_entry()
    assert set(removed) == set(written[1:])
    assert not any(path.exists() for path in written) and other.exists()
    assert launcher.uninstall_desktop_entry() == []


def test_a_desktop_that_fails_or_has_no_tools_is_no_error(
    data_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "bin" / "update-desktop-database"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/asked"\nexit 3\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
    launcher.install_desktop_entry(Path("/old"), Path("/usr/bin/python3"))
    launcher.uninstall_desktop_entry()
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == [str(data_home / "applications")] * 2
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert launcher.install_desktop_entry(Path("/old"), Path("/usr/bin/python3"))


def test_a_relative_data_home_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "data")  # the specification says: ignore it
    written = launcher.install_desktop_entry(Path("/old"), Path("/usr/bin/python3"))
    assert all(path.is_relative_to(tmp_path / ".local" / "share") for path in written)


def test_a_place_that_cant_be_written_is_said(data_home: Path) -> None:
    data_home.write_text("a file where a folder should be")
    with pytest.raises(MediaLibraryError, match="can't be written"):
        launcher.install_desktop_entry(Path("/old"), Path("/usr/bin/python3"))


def test_a_name_in_no_encoding_goes_out_as_it_came_in(data_home: Path) -> None:
    folder = Path(os.fsdecode(b"/bytes \xff"))
    written = launcher.install_desktop_entry(folder, Path("/usr/bin/python3"))
    assert b'"/bytes \xff/run.sh"' in written[-1].read_bytes()


def test_the_python_of_a_venv_is_named_by_what_it_was_made_from(
    data_home: Path, tmp_path: Path
) -> None:
    real = tmp_path / "pythons" / "python3.12"
    in_venv = tmp_path / "app" / ".venv" / "bin" / "python"
    for path in (real, in_venv):
        path.parent.mkdir(parents=True)
    real.touch()
    in_venv.symlink_to(real)
    entry = launcher.install_desktop_entry(tmp_path / "app", in_venv)[-1]
    assert f"PYTHON={real.resolve()}" in words_of(keys(entry.read_text())["Exec"])
    in_venv.unlink()
    in_venv.touch()  # a copy, as venv --copies makes it: it goes when .venv is made again
    launcher.install_desktop_entry(tmp_path / "app", in_venv)
    assert "PYTHON" not in entry.read_text()


def test_the_kinds_cover_what_the_program_reads() -> None:
    named = mimetypes.MimeTypes()  # only those Python itself knows, the same everywhere
    for suffix in sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES):
        kind, _ = named.guess_type(f"a{suffix}", strict=False)
        if kind is not None and kind.startswith(("image/", "video/")):
            assert kind in launcher.MIME_TYPES, suffix
    assert len(set(launcher.MIME_TYPES)) == len(launcher.MIME_TYPES)


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="not installed")
def test_the_desktops_own_check_finds_nothing(data_home: Path) -> None:
    for folder in ("/opt/library", '/a "b" $c `d` \\e %f'):
        entry = launcher.install_desktop_entry(Path(folder), Path("/usr/bin/python3"))[-1]
        ran = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True)
        assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_the_window_has_the_class_the_entry_names() -> None:
    window = (APPLICATION_FOLDER / "src" / "gui" / "main_window.py").read_text(encoding="utf-8")
    assert f'className="{launcher.WINDOW_CLASS}"' in window


def test_the_app_for_macos(mac_home: Path) -> None:
    written = launcher.install_desktop_entry(Path("/an app's folder"), Path("/usr/bin/python3"))
    contents = mac_home / "Applications" / "Media Library.app" / "Contents"
    assert {str(path.relative_to(contents)) for path in written} == {
        "Info.plist",
        "MacOS/launcher",
        "Resources/media-segment-library.icns",
    }
    info = plistlib.loads((contents / "Info.plist").read_bytes())
    kinds = [
        kind for types in info["CFBundleDocumentTypes"] for kind in types["LSItemContentTypes"]
    ]
    assert kinds == ["public.image", "public.movie", "public.folder"]
    assert os.access(contents / "MacOS" / info["CFBundleExecutable"], os.X_OK)
    icon = (contents / "Resources" / info["CFBundleIconFile"]).read_bytes()
    with Image.open(io.BytesIO(icon)) as image:
        assert image.format == "ICNS" and image.size == (1024, 1024)
    (contents / "Resources" / "mine").touch()
    assert launcher.uninstall_desktop_entry() == written
    assert (contents / "Resources" / "mine").exists()
    (contents / "Resources" / "mine").unlink()
    launcher.install_desktop_entry(Path("/an app's folder"), Path("/usr/bin/python3"))
    launcher.uninstall_desktop_entry()
    assert not contents.parent.exists() and contents.parent.parent.exists()


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="the script names this bash")
def test_the_apps_script_starts_run_sh_with_its_arguments(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s "here" $HOME'
    folder.mkdir()
    (folder / "run.sh").write_text('printf "%s\\n" "$PYTHON" "$@"\n')
    script = tmp_path / "launcher"
    script.write_text(launcher.app_launcher(folder, Path("/a python")))
    ran = subprocess.run(["/bin/bash", script, "a b.jpg", "c"], capture_output=True, text=True)
    assert ran.stdout == "/a python\na b.jpg\nc\n" and ran.stderr == ""


def test_the_commands_say_what_they_did(
    data_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["uninstall-desktop"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Nothing to remove.\n")
    assert main.main(["install-desktop"]) == 0
    written = capsys.readouterr().out.splitlines()
    assert len(written) == 4 and all(Path(line).is_file() for line in written)
    entry = keys(Path(written[-1]).read_text(encoding="utf-8"))
    assert words_of(entry["Exec"])[-2:] == [str(APPLICATION_FOLDER / "run.sh"), "%F"]
    assert main.main(["uninstall-desktop"]) == 0
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(written)


def test_run_bat_is_a_batch_file_that_knows_every_command() -> None:
    content = (APPLICATION_FOLDER / "run.bat").read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") > 10 and content.isascii()
    text = content.decode()
    listed = re.search(r"for %%C in \(([^)]*)\) do", text)
    assert listed is not None and listed[1].split() == COMMANDS
    assert "DisableDelayedExpansion" in text
    labels = set(re.findall(r"^:(\w+)\r$", text, re.MULTILINE))
    asked = set(re.findall(r"(?:goto |call :)(\w+)", text))
    assert asked <= labels
