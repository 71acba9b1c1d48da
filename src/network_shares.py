"""Whether a folder lies on a network share, and whether locks there hold on other machines."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Kinds of file system by what the system calls them, and whether other machines see locks of ours
# unless the mount says otherwise. A folder of a virtual machine's host is like one of a server.
_KINDS = {
    "nfs": ("NFS", True),
    "nfs4": ("NFS", True),
    "cifs": ("SMB", True),
    "smb3": ("SMB", True),
    "smbfs": ("SMB", True),
    "ceph": ("CephFS", True),
    "afs": ("AFS", True),
    "gpfs": ("GPFS", True),
    "afpfs": ("AFP", False),
    "lustre": ("Lustre", False),
    "davfs": ("WebDAV", False),
    "webdav": ("WebDAV", False),
    "fuse.davfs2": ("WebDAV", False),
    "fuse.sshfs": ("sshfs", False),
    "fuse.rclone": ("rclone", False),
    "fuse.glusterfs": ("GlusterFS", False),
    "9p": ("9P", False),
    "virtiofs": ("virtiofs", False),
    "vboxsf": ("VirtualBox", False),
    "fuse.vmhgfs-fuse": ("VMware", False),
}
# Options of a mount that keep locks on the machine that takes them.
_LOCAL_LOCKS = re.compile(r"(^|,)(nolocks?|local_lock=(all|flock)|nobrl|noflock|localflock)(,|$)")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_MOUNT_OF_MACOS = re.compile(r"(?P<source>.*) on (?P<point>/.*) \((?P<kind>[^,)]+)(?P<rest>.*)\)")
_FUSE_OF_MACOS = ("macfuse", "osxfuse")
_REMOTE_DRIVE = 4  # DRIVE_REMOTE of GetDriveType
_MOUNT_S = 5.0


@dataclass(frozen=True)
class NetworkShare:
    """A kind of network share.

    Attributes:
        name: as people call it, "NFS".
        shares_locks: a file that is locked here is locked on other machines.
    """

    name: str
    shares_locks: bool = False


def network_share(folder: Path) -> NetworkShare | None:
    """Return on which kind of network share a folder lies; None: on none that can be told."""
    path = os.path.realpath(folder)
    if sys.platform == "win32":
        import ctypes

        return share_of_drive(path, ctypes.windll.kernel32.GetDriveTypeW)
    try:
        if sys.platform == "darwin":
            table = subprocess.run(["/sbin/mount"], capture_output=True, timeout=_MOUNT_S).stdout
            return share_in_mounts(os.fsdecode(table), path)
        with open("/proc/self/mountinfo", "rb") as stream:
            return share_in_mountinfo(os.fsdecode(stream.read()), path)
    except (OSError, subprocess.SubprocessError):
        return None


def share_in_mountinfo(table: str, path: str) -> NetworkShare | None:
    """Find the share of a path, which holds no links, in Linux's table of mounts.

    A mount hides what was mounted below its place before, so the way down is followed from mount
    to mount as the system does.
    """
    mounts = [mount for line in table.splitlines() if (mount := _Mount.read(line)) is not None]
    ids = {mount.id for mount in mounts}
    here: _Mount | None = None
    under = [each for each in mounts if each.parent not in ids - {each.id}]
    while on_the_way := [each for each in under if _is_under(path, each.point)]:
        here = min(on_the_way, key=lambda each: len(each.point))  # the one that is come to first
        mounts.remove(here)
        under = [each for each in mounts if each.parent == here.id]
    return None if here is None else _share(here.kind, here.options)


def share_in_mounts(table: str, path: str) -> NetworkShare | None:
    """Find the share of a path, which holds no links, in what `mount` prints on macOS."""
    found, longest = None, -1
    for line in table.splitlines():
        mount = _MOUNT_OF_MACOS.fullmatch(line)
        if mount is None or not _is_under(path, mount["point"]) or len(mount["point"]) < longest:
            continue
        longest = len(mount["point"])
        kind = mount["kind"]
        if kind in _FUSE_OF_MACOS and ":" in mount["source"]:
            kind = "fuse.sshfs"  # else a disk of this machine in another program's format
        found = _share(kind, mount["rest"].replace(" ", ""))
    return found


def share_of_drive(path: str, kind_of_drive: Callable[[str], int]) -> NetworkShare | None:
    """Find the share of a path on Windows, by its drive or the server that it names.

    Args:
        kind_of_drive: GetDriveType, called with "Z:\\".
    """
    plain = path.removeprefix("\\\\?\\")
    if plain.startswith(("\\\\", "UNC\\")):
        return NetworkShare("SMB", True)
    drive = re.match(r"[A-Za-z]:", plain)
    if drive is not None and kind_of_drive(f"{drive[0]}\\") == _REMOTE_DRIVE:
        return NetworkShare("SMB", True)
    return None


@dataclass(frozen=True)
class _Mount:
    id: int
    parent: int
    point: str
    kind: str
    options: str

    @classmethod
    def read(cls, line: str) -> _Mount | None:
        fields, dash, rest = line.partition(" - ")
        first, last = fields.split(" "), rest.split(" ")
        if not dash or len(first) < 6 or not (first[0] + first[1]).isdecimal():
            return None
        point = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), first[4])
        return cls(int(first[0]), int(first[1]), point, last[0], last[2] if len(last) > 2 else "")


def _share(kind: str, options: str) -> NetworkShare | None:
    if kind not in _KINDS:
        return None
    name, shares_locks = _KINDS[kind]
    return NetworkShare(name, shares_locks and _LOCAL_LOCKS.search(options) is None)


def _is_under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
