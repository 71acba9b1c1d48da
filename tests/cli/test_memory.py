"""Too little memory is said in a sentence, and costs nothing that was stored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER
from src.processing.file_errors import format_error


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces the limit")
def test_a_limit_under_what_the_program_needs_is_one_line(tmp_path: Path) -> None:
    limited = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))\n"
        "from main import main\n"
        f"sys.exit(main(['--library', {str(tmp_path / 'library')!r}, 'ingest', {str(tmp_path)!r}]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", limited], cwd=APPLICATION_FOLDER, capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert "not enough memory" in ran.stderr and "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "exc", [MemoryError(), RuntimeError("err == 0. DefaultCPUAllocator: can't allocate memory: x")]
)
def test_a_file_there_is_no_memory_for_is_told_so(exc: Exception) -> None:
    assert "not enough memory" in format_error(exc)
