"""The child process that speaks with Ray, with another module in Ray's place."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from src.child_processes import start_child
from src.errors import ClusterError
from src.library import MediaLibrary
from src.processing.cluster import client
from src.processing.cluster.client import ClusterProcess
from src.stopping import StoppedError, result_of, stopped_by

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a module stands in Ray's place")

TWO_MACHINES = """
__version__ = "2.60.0"
def init(**how): pass
def shutdown(): pass
def nodes():
    return [
        {"Alive": True, "Resources": {"CPU": 16.0, "GPU": 3.0}},
        {"Alive": True, "Resources": {"CPU": 8.0}},
        {"Alive": False, "Resources": {"CPU": 99.0}},
    ]
"""
WAITS = """
import threading
def init(**how): threading.Event().wait()
"""
ENDS = """
import os
def init(**how): os._exit(1)
"""


@pytest.fixture
def as_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the module."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return tmp_path / "ray.py"


def test_what_is_there_is_said(as_ray: Path) -> None:
    as_ray.write_text(TWO_MACHINES)
    said = MediaLibrary.test_cluster(" auto ")
    assert said == "2 machines answer, with 24 cores and 3 GPUs (Ray 2.60.0)."
    assert MediaLibrary.test_cluster("local").startswith("Ray 2.60.0 is installed; each job starts")


def test_a_head_that_goes_while_it_is_looked_at_is_said(as_ray: Path) -> None:
    as_ray.write_text(TWO_MACHINES + "def nodes(): raise RuntimeError('lost it')\n")
    with pytest.raises(ClusterError, match=r"its head does not answer \(lost it\)"):
        MediaLibrary.test_cluster("auto")


def test_what_is_no_address_is_said(as_ray: Path) -> None:
    with pytest.raises(ClusterError, match=r"is no address of a Ray cluster; write ray://HOST"):
        MediaLibrary.test_cluster("studio")


def test_without_ray_a_sentence_says_what_to_install(as_ray: Path) -> None:
    as_ray.write_text("raise ImportError")
    for address in ("local", "auto"):
        with pytest.raises(ClusterError, match=r"not installed here; `pip install -r req"):
            MediaLibrary.test_cluster(address)


def test_a_cluster_that_never_answers_is_given_up(
    as_ray: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_ray.write_text(WAITS)
    monkeypatch.setattr(client, "TEST_CLUSTER_S", 1.0)
    with pytest.raises(ClusterError, match="it did not answer in 1 s; see whether"):
        MediaLibrary.test_cluster("auto")


def test_nobody_waits_any_more(as_ray: Path) -> None:
    as_ray.write_text(WAITS)
    with pytest.raises(StoppedError), stopped_by(lambda: False):
        MediaLibrary.test_cluster("auto")


@pytest.mark.parametrize("address", ["auto", "local"])
@pytest.mark.parametrize(
    ("module", "says"),
    [
        (WAITS, "it did not answer in 1 s"),
        (ENDS, "its head does not answer|it ended unexpectedly"),
        ("", "it can't be reached|no cluster could be started here"),
    ],
)
def test_a_job_that_can_not_begin_says_why_and_leaves_no_folder(
    as_ray: Path, monkeypatch: pytest.MonkeyPatch, address: str, module: str, says: str
) -> None:
    as_ray.write_text(module)
    monkeypatch.setattr(client, "CONNECT_S", 1.0 if module == WAITS else 60.0)
    monkeypatch.setenv("RAY_TMPDIR", str(as_ray.parent))
    process = ClusterProcess(address, b"", [], False)
    try:
        with pytest.raises(ClusterError, match=rf"can't be used: ({says})"):
            result_of(process.begun)
        with pytest.raises(ClusterError):
            process.ask("frame", b"")
    finally:
        process.close()
    left = threading.Event()
    while [*as_ray.parent.glob("media-ray-*")]:
        left.wait(0.05)


# Speaks as the server does, of one worker that finds no file.
FINDS_NO_FILE = """
import sys
from src.child_processes import answers_of_this_process, read_message, write_message
answers = answers_of_this_process()
read_message(sys.stdin.buffer)
write_message(answers, {"connected": True}, b"")
workers = [{"number": 0, "machine": "a", "device": "cpu"}]
write_message(answers, {"workers": workers, "problem": ""}, b"")
while (message := read_message(sys.stdin.buffer)) is not None:
    number, is_sent = message[0]["number"], "file" in message[0]
    write_message(answers, {"number": number, "state": "done", "by": 0, "sent": is_sent}, b"")
"""


def test_a_file_that_is_sent_several_times_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "finds_no_file.py").write_text(FINDS_NO_FILE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(client, "start_child", lambda _: start_child("finds_no_file"))
    process = ClusterProcess("auto", b"", [], False)
    try:
        result_of(process.begun)
        video, image = tmp_path / "film.mp4", tmp_path / "image.png"
        for file in (video, video, image, None):
            result_of(process.ask("span", b"", file))
        workers = process.workers
    finally:
        process.close()
    assert workers is not None and (workers.sent, workers.done) == (2, (4,))


# Says that a worker has begun, and reads nothing more.
STANDS_STILL = FINDS_NO_FILE.partition("while")[0] + "import threading\nthreading.Event().wait()\n"


def test_a_child_that_takes_nothing_any_more_keeps_nobody_from_leaving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stands_still.py").write_text(STANDS_STILL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(client, "start_child", lambda _: start_child("stands_still"))
    monkeypatch.setattr(client, "LEAVE_S", 0.2)
    process = ClusterProcess("auto", b"", [], False)
    result_of(process.begun)
    asking = threading.Thread(target=process.ask, args=("frame", bytes(8_000_000)), daemon=True)
    asking.start()
    while not process._sending.locked():
        asking.join(0.01)
    leaving = threading.Thread(target=process.close, daemon=True)
    leaving.start()
    leaving.join(60)
    asking.join(60)
    assert not leaving.is_alive() and not asking.is_alive()
