"""The child process between the library and a Ray cluster: requests come in, results go out."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from io import BufferedReader
from typing import Any, NoReturn

from src.child_processes import answers_of_this_process, read_message, write_message
from src.processing.cluster.connection import ClusterTroubleError, looked_at
from src.processing.cluster.ray_cluster import RayCluster, started_thread
from src.processing.cluster.worker_pool import Request, Start

# Giving back what is used on a cluster takes a second; one that does not answer is left.
END_S = 10.0
# A program that removes a folder, and what is written into it in the next seconds.
_REMOVE = """
import shutil, sys, time
for _ in range(10):
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    time.sleep(1)
"""


def serve() -> None:
    """Answer until the input ends, which it does when the application does."""
    answers, requests = answers_of_this_process(), sys.stdin.buffer
    assert isinstance(requests, BufferedReader)
    lock = threading.Lock()

    def say(message: dict[str, Any], payload: bytes = b"") -> None:
        try:
            with lock:
                write_message(answers, message, payload)
        except OSError:
            pass  # nobody reads it any more: the input ends as well

    first = read_message(requests)
    if first is None:
        return
    message, setup = first
    if "look_at" in message:
        try:
            say({"found": looked_at(message["look_at"])})
        except ClusterTroubleError as exc:
            say({"trouble": str(exc)})
        return
    said = threading.Event()
    ended = threading.Event()

    def leave_at_the_end() -> None:
        """End in time whatever Ray does, once the application has gone."""
        ended.wait()
        if not said.wait(END_S):
            leave(message["folder"], 1)

    started_thread(leave_at_the_end)
    cluster: RayCluster | None = None

    def read_on() -> None:
        while (each := read_message(requests)) is not None:
            asked, work = each
            assert cluster is not None
            cluster.ask(Request(asked["number"], asked["verb"], bytes(work), asked.get("file")))
        ended.set()
        if cluster is None:  # what Ray has started ends with this process
            leave(message["folder"], 0)
        cluster.end()

    started_thread(read_on)  # whoever gives up while this still connects is heard, too
    try:
        cluster = RayCluster(
            Start(**message),
            bytes(setup),
            lambda request, state, made, worker: say(
                {
                    "number": request.number,
                    "state": state,
                    "by": worker,
                    "sent": request.with_content,
                },
                made,
            ),
            lambda workers, problem: say({"workers": workers, "problem": problem}),
            lambda: say({"connected": True}),
        )
        if not ended.is_set():
            cluster.run()
    except ClusterTroubleError as exc:
        say({"trouble": str(exc)})
    except Exception as exc:
        say({"trouble": f"unexpected: {type(exc).__name__}: {exc}"[:300]})
    finally:
        ended.set()
        if cluster is not None:
            cluster.close()
        said.set()
    leave(message["folder"], 0)


def leave(folder: str, code: int) -> NoReturn:
    """End at once: a thread of Ray's may be left, which would wait.

    What Ray has written is removed once its processes, which end with this one, write no more.
    """
    if folder:
        subprocess.Popen([sys.executable, "-c", _REMOVE, folder], start_new_session=True)
    os._exit(code)


if __name__ == "__main__":
    serve()
    os._exit(0)
