"""Whether files are where they were, asked without waiting for a drive that does not answer."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

# Here; gone, while the drive that it lay on is there; away with its drive, or it does not answer.
Presence = Literal["here", "gone", "away"]
WAIT_S = 2.0
# Files whose folders have so many parts in common are taken to lie on one drive.
_PLACE = 4
# Where systems mount drives, and those where each user has a folder for them.
MOUNT_FOLDERS = frozenset(map(Path, ("/media", "/run/media", "/mnt", "/Volumes", "/net")))
USERS_FOLDERS = frozenset(map(Path, ("/media", "/run/media")))


class FilePresence:
    """Looks for files in threads, one for each place: one that hangs keeps no other waiting."""

    def __init__(self) -> None:
        self._looking: dict[tuple[str, ...], tuple[threading.Thread, float]] = {}

    def look(self, paths: Iterable[Path], wait_s: float = WAIT_S) -> dict[Path, Presence]:
        """Look whether files are there.

        Args:
            wait_s: a place that says nothing for so long is given up, and its files are away.
        """
        found: dict[Path, Presence] = dict.fromkeys(paths, "away")
        places: dict[tuple[str, ...], list[Path]] = {}
        for path in found:
            places.setdefault(path.parent.parts[:_PLACE], []).append(path)
        started, begun = [], time.monotonic()
        for place, some in places.items():
            before, since = self._looking.get(place, (None, 0.0))
            if before is not None and before.is_alive() and time.monotonic() - since > wait_s:
                continue  # it hangs: one thread of it is enough
            answers: dict[Path, Presence] = {}
            thread = threading.Thread(target=_look_at, args=(some, answers), daemon=True)
            self._looking[place] = thread, time.monotonic()
            thread.start()
            started.append((thread, answers))
        for thread, answers in started:
            known = 0
            thread.join(max(0.0, wait_s - (time.monotonic() - begun)))
            while thread.is_alive() and len(answers) > known:
                known = len(answers)
                thread.join(wait_s)
            found.update(answers.copy())
        return found


def _look_at(paths: Iterable[Path], answers: dict[Path, Presence]) -> None:
    absent: dict[Path, Presence] = {}  # by folder, what its files are that are not there
    for path in paths:
        known = absent.get(path.parent)
        if known is not None and _is_absent(path):
            answers[path] = known
            continue
        answers[path] = state = presence_of(path)
        if state != "here" and _is_absent(path):
            absent[path.parent] = state


def _is_absent(path: Path) -> bool:
    """Return whether there is nothing of this name; not where that can't be told."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        pass
    return False


def presence_of(path: Path) -> Presence:
    """Look whether a file is there; its drive may keep one waiting."""
    try:
        return "here" if stat.S_ISREG(path.stat().st_mode) else "gone"
    except (FileNotFoundError, NotADirectoryError):
        return "away" if _is_drive_gone(path) else "gone"
    except OSError:  # nothing is known of it
        return "away"
    except ValueError:  # a name that no file can have
        return "gone"


def _is_drive_gone(path: Path) -> bool:
    """Return whether a file that is not there lay on a drive that is not there either.

    A drive that is gone takes the folder in which it was mounted with it, or leaves it empty.
    """
    folder = next((each for each in path.parents if os.path.isdir(each)), None)
    if folder is None or folder in MOUNT_FOLDERS:
        return True
    if os.path.ismount(folder):
        return False
    if folder.parent in USERS_FOLDERS:
        return True
    is_for_drives = folder.parent in MOUNT_FOLDERS or str(folder) in _mounted_at_start()
    return is_for_drives and not any(os.scandir(folder))


def _mounted_at_start() -> set[str]:
    """List where a Linux system is configured to mount drives."""
    with suppress(OSError), open("/etc/fstab", encoding="utf-8", errors="replace") as lines:
        fields = (line.split() for line in lines if not line.lstrip().startswith("#"))
        return {words[1] for words in fields if len(words) > 1}
    return set()
