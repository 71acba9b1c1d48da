"""Child processes of this application: how they are started, asked, limited and ended.

A message is a line of JSON, followed by `bytes` raw bytes where the line says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedIOBase
from typing import IO, Any

from src.config import APPLICATION_FOLDER, NO_CONSOLE
from src.stopping import ASK_EVERY_S, GoOn

if sys.platform == "linux":
    import fcntl

# So much of an answer goes over at once on Linux, where 64 kB would; pictures have megabytes.
_PIPE_BYTES = 1 << 20
# A line of JSON, and the bytes behind it.
Message = tuple[dict[str, Any], bytearray]


def start_child(
    module: str, *arguments: str, variables: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a module of ours that answers on its standard output what comes on its input.

    Args:
        variables: of its environment, beside our own.

    Raises:
        OSError: the system can't start another process.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=APPLICATION_FOLDER,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # A Ctrl-C in the terminal is for the application: the child leaves with its pipe.
        start_new_session=True,
        creationflags=NO_CONSOLE,
    )
    if sys.platform == "linux" and child.stdout is not None:
        with suppress(OSError):  # the system allows a person no more: smaller parts do, too
            fcntl.fcntl(child.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return child


def answers_of_this_process() -> IO[bytes]:
    """Keep the real standard output for answers; what a library prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def read_message(stream: BufferedIOBase) -> Message | None:
    """Read a line of JSON and the bytes it announces; None at the end of the stream."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    message: dict[str, Any] = json.loads(line)
    payload = bytearray(message.pop("bytes", 0))
    return (message, payload) if stream.readinto(payload) == len(payload) else None


def write_message(stream: IO[bytes], message: dict[str, Any], payload: bytes = b"") -> None:
    """Write a line of JSON and the bytes that belong to it."""
    write_in_parts(stream, message, len(payload), [payload])


def write_in_parts(
    stream: IO[bytes], message: dict[str, Any], size: int, parts: Iterable[bytes | memoryview]
) -> None:
    """Write a line of JSON and bytes that are made while they are written.

    Args:
        size: of all parts together.
    """
    stream.write(json.dumps({**message, "bytes": size}).encode() + b"\n")
    for part in parts:
        stream.write(part)
    stream.flush()


@contextmanager
def killed_after(
    child: subprocess.Popen[bytes], limit_s: float, go_on: GoOn | None = None
) -> Iterator[threading.Event]:
    """Kill a child when the block takes longer; yields the event that is set then.

    Args:
        go_on: the child is killed as well once it says no; without it nothing asks.
    """
    late, over = threading.Event(), threading.Event()
    ends_at = time.monotonic() + limit_s

    def watch() -> None:
        while (left := ends_at - time.monotonic()) > 0:
            if over.wait(left if go_on is None else min(left, ASK_EVERY_S)):
                return
            if go_on is not None and not go_on():
                child.kill()
                return
        late.set()
        child.kill()

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield late
    finally:
        over.set()


def limit_memory(most: int, pid: int = 0, for_good: bool = False) -> None:
    """Limit the address space of a process, in bytes. Linux only.

    Args:
        pid: 0 for this one.
        for_good: it can't raise the limit again.

    Raises:
        ProcessLookupError: it has ended already.
    """
    if sys.platform == "linux":
        import resource

        _limit(resource.RLIMIT_AS, most, pid, for_good)


def forbid_files(pid: int = 0) -> None:
    """Forbid a process to write files, and to leave one when it crashes. Not on Windows.

    Args:
        pid: 0 for this one; that of another has no effect on systems other than Linux.

    Raises:
        ProcessLookupError: it has ended already.
    """
    if sys.platform == "linux" or (sys.platform != "win32" and not pid):
        import resource

        _limit(resource.RLIMIT_FSIZE, 0, pid, for_good=True)
        _limit(resource.RLIMIT_CORE, 0, pid, for_good=True)


def _limit(what: int, most: int, pid: int, for_good: bool) -> None:
    import resource

    hard = resource.getrlimit(what)[1] if not pid else resource.prlimit(pid, what)[1]
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    limits = (soft, soft if for_good else hard)
    if pid:
        resource.prlimit(pid, what, limits)
    else:
        resource.setrlimit(what, limits)


def cores() -> int:
    """Return how many cores this process, and with it its children, may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
