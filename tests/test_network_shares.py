"""Shares told apart from disks, by made-up tables of mounts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from src.network_shares import (
    NetworkShare,
    network_share,
    share_in_mountinfo,
    share_in_mounts,
    share_of_drive,
)

LINUX = r"""
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:5 / /proc rw - proc proc rw
30 22 0:40 / /mnt/nas rw,relatime shared:9 - nfs4 nas:/media rw,vers=4.2,local_lock=none
31 22 0:41 / /mnt/old rw - nfs old:/a rw,vers=3,nolock,local_lock=all
32 22 0:42 /pictures /mnt/with\040space rw - cifs //server/share rw,vers=3.1.1
33 22 0:43 / /mnt/windows rw - cifs //server/other rw,nobrl
34 22 0:44 / /home/me/far rw - fuse.sshfs me@studio:/srv rw,user_id=1000
35 30 8:1 / /mnt/nas/local rw - xfs /dev/sda1 rw
36 22 0:45 / /covered/share rw - nfs4 nas:/b rw
37 22 8:2 / /covered rw - ext4 /dev/sdb1 rw
38 22 0:46 / /net rw - autofs /etc/auto.net rw,fd=7
39 38 0:47 / /net/nas rw - nfs4 nas:/ rw
40 22 0:48 / /twice rw - ext4 /dev/sdc1 rw
41 40 0:49 / /twice rw - nfs4 nas:/c rw
42 22 0:50 / /mnt/stick rw - fuseblk /dev/sdd1 rw
a line that means nothing - nfs4
"""
NFS, SMB = NetworkShare("NFS", True), NetworkShare("SMB", True)


@pytest.mark.parametrize(
    ("path", "share"),
    [
        ("/", None),
        ("/home/me/library", None),
        ("/mnt/nas", NFS),
        ("/mnt/nas/a/library", NFS),
        ("/mnt/nas2/library", None),
        ("/mnt/nas/local/library", None),
        ("/mnt/old/library", NetworkShare("NFS", False)),
        ("/mnt/with space/library", SMB),
        ("/mnt/windows/library", NetworkShare("SMB", False)),
        ("/home/me/far/library", NetworkShare("sshfs", False)),
        ("/covered/share/library", None),  # hidden by what was mounted over it
        ("/net/nas/library", NFS),
        ("/net/other", None),
        ("/twice/library", NFS),
        ("/mnt/stick/library", None),
    ],
)
def test_a_share_is_found_in_linuxs_table(path: str, share: NetworkShare | None) -> None:
    assert share_in_mountinfo(LINUX, path) == share


def test_a_table_without_its_root_is_read_all_the_same() -> None:
    """In a container or a chroot the first mount's parent is not listed."""
    table = "500 499 0:40 /x /data rw - nfs4 nas:/x rw\n501 499 8:1 / /etc/hosts rw - ext4 a rw"
    assert share_in_mountinfo(table, "/data/library") == NFS
    assert share_in_mountinfo(table, "/elsewhere") is None
    assert share_in_mountinfo("", "/data") is None
    itself = "500 500 0:40 / / rw - nfs4 nas:/root rw\n501 500 8:1 / /home rw - ext4 a rw"
    assert share_in_mountinfo(itself, "/etc") == NFS
    assert share_in_mountinfo(itself, "/home/me") is None


MACOS = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//me@nas._smb._tcp.local/media on /Volumes/media (smbfs, nodev, nosuid, mounted by me)
nas:/export on /Volumes/export (nfs, nodev, nosuid, mounted by me)
old:/a on /Volumes/old (nfs, nolocks, nodev)
me@studio:/srv on /Users/me/far (macfuse, nodev, nosuid, synchronous, mounted by me)
/dev/disk5s1 on /Volumes/Stick (on the go) (macfuse, local)
/dev/disk4s1 on /Volumes/media/card (exfat, local, nodev)
"""


@pytest.mark.parametrize(
    ("path", "share"),
    [
        ("/Users/me/Pictures", None),
        ("/Volumes/media/library", SMB),
        ("/Volumes/media/card/library", None),
        ("/Volumes/export", NFS),
        ("/Volumes/old/x", NetworkShare("NFS", False)),
        ("/Users/me/far/library", NetworkShare("sshfs", False)),
        ("/Volumes/Stick (on the go)/library", None),
    ],
)
def test_a_share_is_found_in_what_macos_prints(path: str, share: NetworkShare | None) -> None:
    assert share_in_mounts(MACOS, path) == share


def test_a_share_is_found_by_its_drive_on_windows() -> None:
    def kind_of_drive(root: str) -> int:
        return {"C:\\": 3, "Z:\\": 4}[root]

    assert share_of_drive("C:\\Users\\me", kind_of_drive) is None
    assert share_of_drive("Z:\\library", kind_of_drive) == SMB
    for path in ("\\\\nas\\media\\library", "\\\\?\\UNC\\nas\\media"):
        assert share_of_drive(path, kind_of_drive) == SMB
    assert share_of_drive("\\\\?\\C:\\Users", kind_of_drive) is None


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's own table")
def test_this_machines_own_table_is_read() -> None:
    assert network_share(Path("/proc")) is None
