"""Double-click launch: an entry in the desktop's menu on Linux, an .app on macOS.

Windows needs nothing written: run.bat is what is double-clicked there.
"""

from __future__ import annotations

import io
import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from src.config import home_folder
from src.errors import MediaLibraryError
from src.gui.theme.icons import logo
from src.library_files import write_atomically

NAME = "media-segment-library"
TITLE = "Media Library"
WINDOW_CLASS = "Media-segment-library"
ICON_SIDES = (48, 128, 256)
_ICNS_SIDES = (32, 64, 128, 256, 512, 1024)
# The kinds that image_loader.py reads, by the names that desktops have for them. Where a kind
# has an older and a newer name both are here, since desktops of both ages are in use.
MIME_TYPES = (
    "image/jpeg image/png image/apng image/webp image/bmp image/x-ms-bmp image/tiff image/gif"
    " image/jp2 image/jpx image/x-jp2-codestream image/avif image/heif image/heic"
    " image/jxl image/x-adobe-dng image/x-nikon-nef image/x-nikon-nrw image/x-canon-cr2"
    " image/x-canon-cr3 image/x-canon-crw image/x-sony-arw image/x-sony-sr2 image/x-sony-srf"
    " image/x-fuji-raf image/x-olympus-orf image/x-panasonic-rw2 image/x-pentax-pef"
    " image/x-samsung-srw image/x-sigma-x3f image/x-minolta-mrw image/x-kodak-kdc"
    " image/x-kodak-dcr"
    " image/x-portable-pixmap image/x-portable-graymap image/x-portable-bitmap"
    " image/x-portable-anymap image/x-tga image/vnd.microsoft.icon image/x-icns"
    " image/vnd.zbrush.pcx image/x-pcx image/x-sgi image/x-rgb image/qoi"
    " image/x-dds image/vnd.adobe.photoshop"
    " video/mp4 video/x-m4v video/x-msvideo video/vnd.avi video/quicktime video/x-matroska"
    " video/matroska video/webm video/mpeg video/mp2t video/x-ms-wmv video/x-flv video/3gpp"
    " video/3gpp2 video/ogg video/x-ms-asf video/dv video/x-ogm+ogg"
).split()

_TOOL_TIMEOUT_S = 30


def install_desktop_entry(application: Path, python: Path) -> list[Path]:
    """Write what makes the application start by a double click, and take files by "Open with".

    Done again, it writes the same files again: so it mends an entry of a folder that has moved.

    Args:
        application: the folder with run.sh.
        python: the Python that runs; set-up is repaired with the one it was made from.

    Returns:
        The files that were written; none on Windows.

    Raises:
        MediaLibraryError: they can't be written.
    """
    application = Path(os.path.abspath(application))
    if sys.platform == "win32":
        return []
    base = _base_python(application, python)
    files = _app_files(application, base) if _on_macos() else _entry_files(application, base)
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
            if path == _app_launcher():
                path.chmod(0o755)
        except OSError as exc:
            raise MediaLibraryError(f"{path}: can't be written ({exc.strerror or exc})") from exc
    _tell_desktop()
    return list(files)


def uninstall_desktop_entry() -> list[Path]:
    """Remove what install_desktop_entry has written, and nothing else.

    Returns:
        The files that were there and are not any more.

    Raises:
        MediaLibraryError: one can't be removed.
    """
    if sys.platform == "win32":
        return []
    removed = []
    for path in _app_paths() if _on_macos() else _entry_paths():
        try:
            path.unlink()
            removed.append(path)
        except FileNotFoundError:
            pass
        except OSError as exc:
            raise MediaLibraryError(f"{path}: can't be removed ({exc.strerror or exc})") from exc
    if _on_macos():
        _remove_empty_app()
    if removed:
        _tell_desktop()
    return removed


def _on_macos() -> bool:
    return sys.platform == "darwin"


def _base_python(application: Path, python: Path) -> Path | None:
    """Return the Python that .venv was made from; a desktop's short PATH may lack it."""
    base = python.resolve()
    # one inside the folder would go with .venv when that is made again
    return None if base.is_relative_to(application.resolve()) else base


# -- Linux: https://specifications.freedesktop.org/desktop-entry-spec/latest/


def _data_home() -> Path:
    named = os.environ.get("XDG_DATA_HOME", "")
    return Path(named) if os.path.isabs(named) else home_folder() / ".local" / "share"


def _entry_path() -> Path:
    return _data_home() / "applications" / f"{NAME}.desktop"


def _icon_path(side: int) -> Path:
    return _data_home() / "icons" / "hicolor" / f"{side}x{side}" / "apps" / f"{NAME}.png"


def _entry_paths() -> list[Path]:
    return [_entry_path(), *map(_icon_path, ICON_SIDES)]


def _entry_files(application: Path, base: Path | None) -> Mapping[Path, bytes]:
    """Return the files to write, the entry last: its icons are there when a desktop sees it."""
    icons = {_icon_path(side): _png(side) for side in ICON_SIDES}
    entry = desktop_entry(application, base)
    # names of files may be bytes in no encoding; they go out as they came in
    return {**icons, _entry_path(): entry.encode("utf-8", "surrogateescape")}


def desktop_entry(application: Path, base: Path | None) -> str:
    """Return the text of the .desktop file.

    Args:
        application: the folder with run.sh, absolute.
        base: what run.sh is to repair its set-up with; None lets it look.
    """
    command = ["bash", str(application / "run.sh")]
    if base is not None:
        command = ["env", f"PYTHON={base}", *command]
    lines = {
        "Type": "Application",
        "Name": TITLE,
        "GenericName": "Photo and Video Search",
        "Comment": "Find what is in your photos and videos, and make datasets of it",
        "Exec": _escaped(" ".join(map(_quoted, command))) + " %F",
        "Icon": NAME,
        "Terminal": "false",
        "Categories": "Graphics;Photography;",
        "Keywords": "photos;images;videos;segments;search;tags;dataset;",
        "MimeType": "".join(f"{kind};" for kind in MIME_TYPES),
        "StartupWMClass": WINDOW_CLASS,
    }
    return "[Desktop Entry]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def _quoted(word: str) -> str:
    """Return a word of an Exec command, in quotes where needed, with no field code in it."""
    if not re.fullmatch(r"[\w@+=:,./%-]+", word, re.ASCII):
        word = '"' + re.sub(r'(["`$\\])', r"\\\1", word) + '"'
    return word.replace("%", "%%")


def _escaped(value: str) -> str:
    """Escape a value of type string; on top of the quoting, so a backslash becomes four."""
    for char, escape in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        value = value.replace(char, escape)
    return value


def _png(side: int) -> bytes:
    stream = io.BytesIO()
    logo(side).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _tell_desktop() -> None:
    """Rebuild the desktop's caches of entries and icons; without it changes show up late."""
    if _on_macos():
        return
    try:
        os.utime(_data_home() / "icons" / "hicolor")  # an icon cache older than its folder is void
    except OSError:
        pass
    program = shutil.which("update-desktop-database")
    if program is None:
        return
    try:
        subprocess.run(
            [program, str(_entry_path().parent)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TOOL_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        pass  # the entry works from the menu; only "Open with" may not list it yet


# -- macOS


def _app() -> Path:
    return home_folder() / "Applications" / f"{TITLE}.app"


def _app_launcher() -> Path:
    return _app() / "Contents" / "MacOS" / "launcher"


def _app_paths() -> list[Path]:
    contents = _app() / "Contents"
    return [contents / "Resources" / f"{NAME}.icns", _app_launcher(), contents / "Info.plist"]


def _app_files(application: Path, base: Path | None) -> Mapping[Path, bytes]:
    """Info.plist comes last: what has none is no application yet."""
    icon, launcher, info = _app_paths()
    return {
        icon: _icns(),
        launcher: app_launcher(application, base).encode("utf-8", "surrogateescape"),
        info: plistlib.dumps(_app_info()),
    }


def app_launcher(application: Path, base: Path | None) -> str:
    """Return the script that is the .app's program; arguments as in desktop_entry."""
    python = "" if base is None else f"export PYTHON={shlex.quote(str(base))}\n"
    return (
        "#!/bin/bash\n"
        "# The Finder gives a short PATH; Homebrew's Pythons are in these folders.\n"
        'export PATH="$PATH:/opt/homebrew/bin:/usr/local/bin"\n'
        f"{python}"
        f'exec /bin/bash {shlex.quote(str(application / "run.sh"))} "$@"\n'
    )


def _app_info() -> dict[str, object]:
    def opens(name: str, kinds: Iterable[str]) -> dict[str, object]:
        return {
            "CFBundleTypeName": name,
            "CFBundleTypeRole": "Viewer",
            "LSHandlerRank": "Alternate",  # offered under "Open With", never the default
            "LSItemContentTypes": list(kinds),
        }

    return {
        "CFBundleName": TITLE,
        "CFBundleDisplayName": TITLE,
        "CFBundleIdentifier": f"local.{NAME}",
        "CFBundlePackageType": "APPL",
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleShortVersionString": "1.0",
        "CFBundleVersion": "1",
        "CFBundleExecutable": _app_launcher().name,
        "CFBundleIconFile": f"{NAME}.icns",
        "NSHighResolutionCapable": True,
        "CFBundleDocumentTypes": [
            opens("Image", ["public.image"]),
            opens("Movie", ["public.movie"]),
            opens("Folder", ["public.folder"]),
        ],
    }


def _icns() -> bytes:
    *smaller, largest = map(logo, _ICNS_SIDES)
    stream = io.BytesIO()
    largest.save(stream, "ICNS", append_images=smaller)
    return stream.getvalue()


def _remove_empty_app() -> None:
    contents = _app() / "Contents"
    for folder in (contents / "Resources", contents / "MacOS", contents, _app()):
        try:
            folder.rmdir()
        except OSError:
            return  # someone keeps more in it, or it is not there
