"""run.sh with a Python that only writes down what it is asked for: its own logic, no installs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER

STAND_IN = """#!/bin/sh
echo "$*" >> "$LOG"
pwd > "$LOG.folder"
case "$*" in
  *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *"-m pip"*) exit "${PIP_EXIT:-0}" ;;
esac
"""


class Checkout:
    """A folder with run.sh in it, and no real Python on its PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a checkout"
        self.bin = folder / "bin"
        self.log = folder / "log"
        (self.folder / "tests").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(APPLICATION_FOLDER / "run.sh", self.folder)
        (self.folder / "requirements.txt").write_text("one\n")
        (self.folder / "tests" / "requirements.txt").write_text("two\n")
        for tool in ("bash", "sh", "cat", "cp", "mv", "rm", "mkdir", "cmp", "dirname", "uname"):
            found = shutil.which(tool)
            assert found is not None
            (self.bin / tool).symlink_to(found)

    def add_python(self) -> None:
        self.add("python3", STAND_IN)

    def add(self, name: str, script: str) -> None:
        program = self.bin / name
        program.write_text(script)
        program.chmod(0o755)

    def run(self, *words: str, code: int = 0, **environment: str) -> tuple[list[str], str]:
        """Run it; returns what Python was asked for, and what was said."""
        self.log.write_text("")
        ran = subprocess.run(
            ["bash", str(self.folder / "run.sh"), *words],
            env={"PATH": str(self.bin), "LOG": str(self.log), **environment},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == code, ran.stderr
        return self.log.read_text().splitlines(), ran.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_without_a_python_it_names_the_package(checkout: Checkout) -> None:
    _, said = checkout.run(code=1)
    assert said.count("\n") == 1 and "apt install python3 python3-tk python3-venv" in said
    assert not (checkout.folder / ".venv").exists()


def test_the_first_start_sets_up_and_the_next_only_starts(checkout: Checkout) -> None:
    checkout.add_python()
    first, _ = checkout.run("stats", "--json")
    assert any("-m venv .venv" in line for line in first)
    assert any("-m pip install" in line and "-r requirements.txt" in line for line in first)
    start = f"{checkout.folder}/main.py"
    assert first[-1] == f"{start} stats --json"
    second, said = checkout.run("stats", "--json")
    assert second == [f"{start} stats --json"] and said == ""
    # paths are named from where it was called
    assert checkout.log.with_name("log.folder").read_text() == "/\n"


def test_changed_requirements_are_installed(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.run("stats")
    (checkout.folder / "requirements.txt").write_text("one\nmore\n")
    asked, _ = checkout.run("stats")
    assert ["pip" in line for line in asked] == [True, False]


def test_a_set_up_that_was_interrupted_starts_clean(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.run("stats", code=7, PIP_EXIT="7")
    (checkout.folder / ".venv" / "half").touch()
    asked, _ = checkout.run("stats")
    assert (
        any("-m venv" in line for line in asked) and asked[-1] == f"{checkout.folder}/main.py stats"
    )
    assert not (checkout.folder / ".venv" / "half").exists()


def test_without_a_display_it_shows_the_demo(checkout: Checkout) -> None:
    checkout.add_python()
    asked, said = checkout.run()
    assert asked[-1] == f"{checkout.folder}/main.py demo" and "DISPLAY" in said
    assert checkout.run(DISPLAY=":0")[0] == [f"{checkout.folder}/main.py"]


def test_the_checks_run_in_order_with_what_they_need(checkout: Checkout) -> None:
    checkout.add_python()
    asked, _ = checkout.run("test", "-k", "name with spaces")
    assert any("-r tests/requirements.txt" in line for line in asked)
    assert [line.split()[1] for line in asked[-5:] if line.startswith("-m")] == [
        "ruff",
        "ruff",
        "mypy",
        "pytest",
    ]
    assert asked[-1] == "-m pytest -k name with spaces"


def test_what_drives_the_window_is_installed_by_root_and_else_named(checkout: Checkout) -> None:
    checkout.add_python()
    asked, said = checkout.run("test")
    assert "apt install xvfb openbox xdotool" in said and asked[-1] == "-m pytest"
    checkout.add("Xvfb", "#!/bin/sh\n")
    checkout.add("apt-get", '#!/bin/sh\necho "apt-get $*" >> "$LOG"\n')
    asked, said = checkout.run("test")
    installed = [line for line in asked if line.startswith("apt-get -qq install openbox xdotool")]
    if os.geteuid() == 0:
        assert len(installed) == 1 and "installing openbox xdotool" in said
    else:
        assert not installed and "apt install openbox xdotool" in said
    assert asked[-1] == "-m pytest"
    checkout.add("apt-get", "#!/bin/sh\nexit 100\n")
    asked, said = checkout.run("test")
    assert "apt install openbox xdotool" in said and asked[-1] == "-m pytest"


def test_ci_calls_the_readmes_test_command() -> None:
    script = (APPLICATION_FOLDER / ".ci" / "run").read_text()
    assert "run.sh" in script and script.strip().endswith("test")
    assert os.access(APPLICATION_FOLDER / "run.sh", os.R_OK)
