"""Python programs that start with their imports done: torch takes some seconds, Chroma one.

One process imports what they need and then forks for each of them, so that a test whose point is
not the start pays for the imports once. In all else they are processes as subprocess.Popen makes
them, with arguments, pipes, an id and an exit status of their own.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# Not by src.config, which reads the environment when it is imported: that has to be the program's.
APPLICATION_FOLDER = Path(__file__).parents[1]
LONGEST_REQUEST = 1 << 20
# Names a folder for a program that need not cut and embed what others have.
CUT_ALREADY = "TESTS_CUT_ALREADY"
# What modules of the program read of the environment when they are imported: where one differs
# from the first process's, they are imported anew.
READ_WHEN_IMPORTED = ("MEDIA_LIBRARY_MODELS",)
# The program's own that hundreds of tests start.
CHILDREN = {"src.database.index_server", "src.processing.video_server"}


class WarmStart:
    """Starts programs by forking a process in which modules have been imported."""

    def __init__(self, *modules: str, children: WarmStart | None = None) -> None:
        """Name what to import.

        Args:
            children: starts the programs' own children, as with_warm_children does.
        """
        self._modules = modules
        self._server: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._children = children

    @classmethod
    def on(cls, line: int) -> WarmStart:
        """Ask a process that another one has started, on the descriptor of its line."""
        start = cls()
        start._line = socket.socket(fileno=line)
        return start

    def popen(self, command: Sequence[object], **options: Any) -> subprocess.Popen[Any]:
        """Start [sys.executable, FILE or -m MODULE, ARGUMENT ...] with options of Popen.

        preexec_fn, pass_fds and the like are not taken; Ctrl-C has its usual effect.
        """
        return _WarmPopen(self, list(map(str, command)), **options)

    def fork(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Have a process made; to the last descriptor go its id and, later, its wait status."""
        if self._children is not None:
            line = self._children.line().fileno()
            descriptors = [*descriptors[:-1], line, descriptors[-1]]
        socket.send_fds(self.line(), [json.dumps(request).encode()], descriptors)

    def line(self) -> socket.socket:
        """Where the process is asked; it is started first, if it is not there."""
        if self._line is None:
            self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.warm_start", str(theirs.fileno()), *self._modules],
                cwd=APPLICATION_FOLDER,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
            theirs.close()
        return self._line

    def close(self) -> None:
        if self._line is not None and self._server is not None:
            self._line.close()
            self._server.wait()
            self._line = self._server = None


class _WarmPopen(subprocess.Popen):  # type: ignore[type-arg]
    """A process that another one forks: only how it is made and waited for differs."""

    _waitpid_lock: threading.Lock  # Popen's own

    def __init__(self, start: WarmStart, command: list[str], **options: Any) -> None:
        self._start, self._options = start, options
        self._told, self._said = -1, b""
        super().__init__(command, **options)

    def _execute_child(self, args: list[str], *rest: Any, **_: Any) -> None:
        given, environment = self._options.get("cwd"), self._options.get("env")
        request = {
            "words": args[1:],
            "folder": os.fspath(given or os.getcwd()),
            "environment": dict(os.environ if environment is None else environment),
            "session": self._options.get("start_new_session", False),
        }
        pipes = rest[9:15]  # both ends of each of the three streams; -1 for what is inherited
        streams = [pipes[0], pipes[3], pipes[5]]
        self._told, writing = os.pipe()
        try:
            inherited = [own if own != -1 else number for number, own in enumerate(streams)]
            self._start.fork(request, [*inherited, writing])
        finally:
            os.close(writing)
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]
        self.pid = int(self._line())
        self._child_created = True

    def _line(self) -> bytes:
        """Read a line of what is told of the process; empty where its end can't be told."""
        while b"\n" not in self._said:
            more = os.read(self._told, 64)
            if not more:
                return b""
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return line

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        told = b"\n" in self._said or select.select([self._told], [], [], 0)[0]
        if wait_flags & os.WNOHANG and not told:
            return 0, 0
        status = int(self._line() or signal.SIGKILL)
        os.close(self._told)
        return self.pid, status

    def _internal_poll(self, _deadstate: int | None = None, **_: Any) -> int | None:
        if self.returncode is None and self._waitpid_lock.acquire(False):
            try:
                if self.returncode is None:
                    pid, status = self._try_wait(os.WNOHANG)
                    if pid:
                        self._handle_exitstatus(status)  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()
        return self.returncode


def with_warm_children(start: WarmStart) -> Any:
    """Make a `subprocess` for src/child_processes.py in which some children start by a fork."""

    path = os.environ.get("PYTHONPATH")

    def popen(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        # what is to be imported from elsewhere is not what was imported
        warm = CHILDREN.intersection(command) and options["env"].get("PYTHONPATH") == path
        return (start.popen if warm else subprocess.Popen)(command, **options)

    return SimpleNamespace(**vars(subprocess) | {"Popen": popen})


def serve(line: socket.socket) -> dict[str, Any] | None:
    """Fork for each request: gives it in the new process, and None once nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for those who asked
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who waits for a program leaves no zombie
    while True:
        content, descriptors, _, _ = socket.recv_fds(line, LONGEST_REQUEST, 5)
        if not content:
            return None
        if os.fork() == 0:
            line.close()
            if _forked(descriptors):
                request: dict[str, Any] = json.loads(content)
                return request | {"line": next(iter(descriptors[3:-1]), None)}
            os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def _forked(descriptors: list[int]) -> bool:
    """Fork once more, and wait for the end; True in the process that is to be the program."""
    streams, told = descriptors[:3], descriptors[-1]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid:
        for descriptor in descriptors[:-1]:
            os.close(descriptor)
        os.write(told, b"%d\n" % pid)
        os.write(told, b"%d\n" % os.waitpid(pid, 0)[1])
        return False
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    for descriptor in (*streams, told):
        os.close(descriptor)
    return True


def become(request: dict[str, Any]) -> None:
    """Run a program in this process as if it had been started."""
    if request["session"]:
        os.setsid()
    os.chdir(request["folder"])
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(request["environment"])
    if any(os.environ.get(name) != before.get(name) for name in READ_WHEN_IMPORTED):
        for name in [name for name in sys.modules if name.split(".")[0] in ("main", "src")]:
            del sys.modules[name]
    # those of the first process have found out what kind of files they write to
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)  # type: ignore[misc]
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    sys.__stderr__ = sys.stderr  # type: ignore[misc]
    if os.environ.get("PYTHONFAULTHANDLER"):
        faulthandler.enable()
    if request["line"] is not None:
        from src import child_processes

        used: Any = child_processes
        used.subprocess = with_warm_children(WarmStart.on(request["line"]))
    cut_already = os.environ.pop(CUT_ALREADY, None)  # the index, its child, has no use for it
    if cut_already is not None:
        from tests.remembering import remember_in

        remember_in(Path(cut_already), setattr)
    words = request["words"]
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        importlib.import_module(name)
    gc.freeze()  # or each program copies the memory of all these when it looks for garbage
    request = serve(line)
    if request is not None:
        become(request)


if __name__ == "__main__":
    main()
