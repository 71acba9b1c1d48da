from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from src.child_processes import killed_after, read_message, write_in_parts, write_message
from src.database.index_process import IndexProcess


def test_messages_are_read_as_they_were_written() -> None:
    stream = io.BytesIO()
    write_message(stream, {"verb": "add"}, b"\n1\n")
    write_message(stream, {"verb": "count"})
    write_in_parts(stream, {"shape": [2, 2]}, 4, (bytes([i, i]) for i in range(2)))
    stream.seek(0)
    read = [read_message(stream) for _ in range(4)]
    assert read == [
        ({"verb": "add"}, b"\n1\n"),
        ({"verb": "count"}, b""),
        ({"shape": [2, 2]}, b"\0\0\1\1"),
        None,
    ]


@pytest.mark.parametrize("cut", [1, 5, 14])
def test_a_message_that_is_cut_is_none(cut: int) -> None:
    stream = io.BytesIO()
    write_message(stream, {}, b"1234")
    assert read_message(io.BytesIO(stream.getvalue()[:-cut])) is None


def test_a_child_that_takes_too_long_is_killed() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with killed_after(child, 0.2) as late:
        child.wait(30)
    assert late.is_set() and child.returncode != 0
    with killed_after(child, 60) as late:
        pass
    assert not late.is_set()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_index_of_tests_starts_with_its_imports_done(tmp_path: Path) -> None:
    process = IndexProcess(tmp_path / "index")
    process.ask({"verb": "open", "model": "m", "rows": 1})
    command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.close()
    assert b"tests.warm_start" in command  # hundreds of tests are a second longer without


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone limits memory")
def test_a_limit_never_goes_over_the_one_that_is_set_already() -> None:
    program = (
        "import resource\nfrom src.child_processes import limit_memory\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 33))\n"
        "limit_memory(1 << 40)\nprint(*resource.getrlimit(resource.RLIMIT_AS))\n"
        "limit_memory(1 << 32, for_good=True)\nprint(*resource.getrlimit(resource.RLIMIT_AS))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [str(1 << 33)] * 2 + [str(1 << 32)] * 2
