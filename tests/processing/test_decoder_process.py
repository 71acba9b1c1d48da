"""The decoders' processes: what one costs that crashes, hangs, eats memory or is orphaned."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.config import APPLICATION_FOLDER
from src.errors import MediaReadError
from src.processing import decoder_process
from src.processing.decoder_process import DecoderPool
from src.stopping import StoppedError, stopped_by

POSIX = pytest.mark.skipif(os.name == "nt", reason="stopped by a signal")
DECODE = {"verb": "decode", "pixel_limit": 10**6, "draft_side": None, "page": None}


@pytest.fixture
def pool() -> Iterator[DecoderPool]:
    pool = DecoderPool()
    yield pool
    pool.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    noise = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    Image.fromarray(noise).save(path)
    return path


def idle_pid(pool: DecoderPool) -> int:
    (decoder,) = pool._idle
    return decoder.pid


def test_pixels_come_over_whole(pool: DecoderPool, picture: Path) -> None:
    answer, pixels = pool.ask(picture, DECODE)
    assert pixels is not None and answer["captured_at"] is None
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(picture)))


@POSIX
def test_a_child_that_hangs_is_killed_and_replaced(
    pool: DecoderPool, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.ask(picture, DECODE)
    hung = idle_pid(pool)
    os.kill(hung, signal.SIGSTOP)
    monkeypatch.setattr(decoder_process, "time_limit_s", lambda pixels: 0.3)
    with pytest.raises(MediaReadError, match="took more than 0 s and was stopped"):
        pool.ask(picture, DECODE)
    monkeypatch.undo()
    with pytest.raises(ProcessLookupError):
        os.kill(hung, 0)
    assert pool.ask(picture, DECODE)[1] is not None
    assert idle_pid(pool) != hung


@POSIX
def test_a_child_is_not_waited_for_once_its_picture_is_not(
    pool: DecoderPool, picture: Path
) -> None:
    pool.ask(picture, DECODE)
    hung, asked = idle_pid(pool), list[bool]()
    os.kill(hung, signal.SIGSTOP)

    def go_on() -> bool:
        asked.append(True)
        return len(asked) < 2

    with stopped_by(go_on), pytest.raises(StoppedError):
        pool.ask(picture, DECODE)
    with pytest.raises(ProcessLookupError):
        os.kill(hung, 0)
    assert pool.ask(picture, DECODE)[1] is not None


@POSIX
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_child_that_crashes_costs_one_file(
    pool: DecoderPool, picture: Path, number: signal.Signals
) -> None:
    pool.ask(picture, DECODE)
    crashing = idle_pid(pool)
    os.kill(crashing, signal.SIGSTOP)  # so that the request is with it when it dies

    def crash() -> None:
        os.kill(crashing, number)
        os.kill(crashing, signal.SIGCONT)

    timer = threading.Timer(0.2, crash)
    timer.start()
    with pytest.raises(MediaReadError, match=f"the decoder crashed .{number.name}"):
        pool.ask(picture, DECODE)
    timer.join()
    assert pool.ask(picture, DECODE)[1] is not None


@POSIX
def test_a_child_that_died_while_idle_costs_nothing(pool: DecoderPool, picture: Path) -> None:
    pool.ask(picture, DECODE)
    os.kill(idle_pid(pool), signal.SIGKILL)
    pool._idle[0]._child.wait()
    assert pool.ask(picture, DECODE)[1] is not None


def test_many_threads_share_a_few_children(picture: Path) -> None:
    pool = DecoderPool(most=2)
    seen: list[bool] = []

    def ask() -> None:
        for _ in range(5):
            seen.append(pool.ask(picture, DECODE)[1] is not None)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 30
    assert 1 <= len(pool._idle) <= 2
    pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory and files")
@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("_limit(0); bytes(3 << 30)", "MemoryError"),
        ("_limit(10**7); bytes(3 << 28); print('enough')", "enough"),
        ("_limit(25 * 10**7); bytes(3 << 30)", "MemoryError"),
        ("_limit(10**9); bytes(9 << 29); print('enough')", "enough"),
        ("forbid_files(); open('out', 'wb').write(b'x' * 9999)", "File too large"),
    ],
)
def test_a_child_limits_itself(tmp_path: Path, code: str, ending: str) -> None:
    program = f"from src.processing.decoder_server import _limit, forbid_files\n{code}"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(APPLICATION_FOLDER)},
        capture_output=True,
        text=True,
    )
    assert ending in ran.stdout + ran.stderr
    assert not (tmp_path / "out").exists() or (tmp_path / "out").stat().st_size == 0


def test_a_child_starts_without_what_few_files_need() -> None:
    program = "import sys, src.processing.decoder_server; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=APPLICATION_FOLDER, capture_output=True, text=True
    )
    assert "PIL" in ran.stdout.split()
    assert not {"tifffile", "imagecodecs", "cv2"} & set(ran.stdout.split())


@POSIX
def test_a_child_does_not_outlive_its_parent(picture: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from src.processing.decoder_process import DECODERS\n"
        f"DECODERS.ask(Path(sys.argv[1]), {DECODE!r})\n"
        "print(DECODERS._idle[0].pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, picture], cwd=APPLICATION_FOLDER, capture_output=True
    )
    until = time.monotonic() + 30
    while _runs(int(ran.stdout)):
        assert time.monotonic() < until, "the child is still there"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
