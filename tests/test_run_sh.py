"""run.sh with a Python that only writes down what it is asked for: its own logic, no installs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER
from src.database.lock import LibraryLock

TESTS = "-m pytest -n auto --maxprocesses 4 --dist worksteal --durations 10"
STAND_IN = """#!/bin/sh
echo "$*" >> "$LOG"
pwd > "$LOG.folder"
case "$*" in
  *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *"-m pip"*) sleep "${PIP_SLEEP:-0}"; exit "${PIP_EXIT:-0}" ;;
  *version_info*) exit "${FITS_EXIT:-0}" ;;
  *"import chromadb"*) exit "${IMPORT_EXIT:-0}" ;;
  *"-m mypy"*) exit "${MYPY_EXIT:-0}" ;;
  *"-m pytest"*) exit "${PYTEST_EXIT:-0}" ;;
esac
"""


TOOLS = "bash sh cat cp mv rm mkdir rmdir cmp dirname uname readlink sleep".split()


class Checkout:
    """A folder with run.sh in it, and no real Python on its PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a checkout"
        self.script = self.folder / "run.sh"
        self.prefix: list[str] = []
        self.bin = folder / "bin"
        self.log = folder / "log"
        (self.folder / "tests").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(APPLICATION_FOLDER / "run.sh", self.folder)
        (self.folder / "requirements.txt").write_text("one\n")
        (self.folder / "requirements.lock").write_text("one==1\n")
        (self.folder / "tests" / "requirements.txt").write_text("two\n")
        for tool in TOOLS:
            self.add_tool(tool)

    def add_tool(self, name: str) -> None:
        found = shutil.which(name)
        assert found is not None
        (self.bin / name).symlink_to(found)

    def add_python(self) -> None:
        self.add("python3", STAND_IN)

    def add(self, name: str, script: str) -> None:
        program = self.bin / name
        program.write_text(script)
        program.chmod(0o755)

    def run(self, *words: str, code: int = 0, **environment: str) -> tuple[list[str], str]:
        """Run it; returns what Python was asked for, and what was said."""
        self.log.write_text("")
        ran = self.begin(*words, **environment)
        said = ran.communicate(timeout=60)[1]
        assert ran.returncode == code, said
        return self.asked(), said

    def begin(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.prefix, "bash", str(self.script), *words],
            env={"PATH": str(self.bin), "LOG": str(self.log), **environment},
            cwd="/",
            stderr=subprocess.PIPE,
            text=True,
        )

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def wait_until_asked(self, words: str) -> None:
        until = time.monotonic() + 30
        while not any(words in line for line in self.asked()):
            assert time.monotonic() < until
            time.sleep(0.05)

    def make_own_environment(self) -> Path:
        """Make what `python -m venv .venv` makes, and put something into it; returns that."""
        python = self.folder / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(STAND_IN)
        python.chmod(0o755)
        mine = self.folder / ".venv" / "mine"
        mine.touch()
        return mine


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
    install = next(line for line in first if "-m pip install" in line)
    assert install.endswith("-r requirements.txt -c requirements.lock")
    start = f"{checkout.folder}/main.py"
    assert first[-1] == f"{start} stats --json"
    second, said = checkout.run("stats", "--json")
    assert second == [f"{start} stats --json"] and said == ""
    # paths are named from where it was called
    assert checkout.log.with_name("log.folder").read_text() == "/\n"


def test_changed_versions_are_installed(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.run("stats")
    (checkout.folder / "requirements.lock").write_text("one==2\n")
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


@pytest.mark.parametrize("to", ["{folder}/run.sh", "../a checkout/run.sh", "link to a link"])
def test_through_a_link_it_works_on_the_checkout_alone(checkout: Checkout, to: str) -> None:
    checkout.add_python()
    elsewhere = checkout.folder.parent / "elsewhere"
    (elsewhere / ".venv").mkdir(parents=True)
    (elsewhere / ".venv" / "mine").touch()
    (elsewhere / "link to a link").symlink_to(checkout.script)
    checkout.script = elsewhere / "run.sh"
    checkout.script.symlink_to(to.format(folder=checkout.folder))
    asked, _ = checkout.run("stats")
    assert asked[-1] == f"{checkout.folder}/main.py stats"
    assert (checkout.folder / ".venv" / "installed.txt").exists()
    assert [path.name for path in (elsewhere / ".venv").iterdir()] == ["mine"]


def test_an_environment_of_ones_own_is_used_and_stays(checkout: Checkout) -> None:
    checkout.add_python()
    mine = checkout.make_own_environment()
    asked, said = checkout.run("stats")
    assert not any("-m venv" in line for line in asked) and mine.exists()
    assert any("-m pip install" in line for line in asked)  # which leaves what is there
    assert "which run.sh has not made" in said
    assert asked[-1] == f"{checkout.folder}/main.py stats"
    assert checkout.run("stats") == ([asked[-1]], "")


def test_an_environment_of_ones_own_stays_when_pip_fails(checkout: Checkout) -> None:
    checkout.add_python()
    mine = checkout.make_own_environment()
    _, said = checkout.run("stats", code=3, PIP_EXIT="3", IMPORT_EXIT="1")
    assert "could not be installed" in said and mine.exists()
    asked, _ = checkout.run("stats", PIP_EXIT="3")
    assert asked[-1] == f"{checkout.folder}/main.py stats" and mine.exists()


def test_an_environment_that_does_not_fit_is_named_and_stays(checkout: Checkout) -> None:
    checkout.add_python()
    mine = checkout.make_own_environment()
    asked, said = checkout.run("stats", code=1, FITS_EXIT="1")
    assert said.startswith("run.sh: ") and said.count("\n") == 1
    assert "older than 3.11" in said and mine.exists()
    assert not any("-m pip" in line or "-m venv" in line for line in asked)
    mine.with_name("bin").joinpath("python").unlink()
    asked, said = checkout.run("stats", code=1)
    assert "holds no Python" in said and mine.exists() and not asked


def test_a_file_or_a_dead_link_in_the_environments_place_stays(checkout: Checkout) -> None:
    checkout.add_python()
    place = checkout.folder / ".venv"
    place.write_text("mine")
    assert "holds no Python" in checkout.run("stats", code=1)[1]
    assert place.read_text() == "mine"
    place.unlink()
    place.symlink_to(checkout.folder.parent / "gone")
    assert "holds no Python" in checkout.run("stats", code=1)[1] and place.is_symlink()


def test_an_empty_folder_is_no_environment(checkout: Checkout) -> None:
    checkout.add_python()
    (checkout.folder / ".venv").mkdir()
    assert any("-m venv" in line for line in checkout.run("stats")[0])


def test_what_a_link_leads_to_is_never_removed(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.run("stats", code=7, PIP_EXIT="7")
    place = checkout.folder / ".venv"
    theirs = place.rename(checkout.folder.parent / "theirs")
    place.symlink_to(theirs)
    _, said = checkout.run("stats", code=1)
    assert "remove the link" in said and (theirs / "bin" / "python").exists()


def test_requirements_that_can_not_be_installed_leave_what_works(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.run("stats")
    (checkout.folder / "requirements.lock").write_text("one==2\n")
    installed = checkout.folder / ".venv" / "installed.txt"
    for _ in range(2):
        asked, said = checkout.run("stats", PIP_EXIT="1")
        assert any("-m pip" in line for line in asked)
        assert asked[-1] == f"{checkout.folder}/main.py stats"
        assert "continuing with those in .venv" in said
        assert installed.read_text() == "one==1\n"
    asked, said = checkout.run("stats", code=1, PIP_EXIT="1", IMPORT_EXIT="1")
    assert "check your connection" in said.lower() and installed.exists()
    checkout.run("stats")
    assert installed.read_text() == "one==2\n"


@pytest.fixture(params=["flock", "no flock", "no flock and no ps"])
def locking(request: pytest.FixtureRequest, checkout: Checkout) -> Checkout:
    """A checkout on a system with some means to lock."""
    checkout.add_python()
    for tool in {"flock": ["flock"], "no flock": ["ps"]}.get(request.param, []):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool} here")
        checkout.add_tool(tool)
    return checkout


def test_starts_at_once_wait_for_each_other(locking: Checkout) -> None:
    starts = [locking.begin("stats", PIP_SLEEP="1") for _ in range(4)]
    said = [start.communicate(timeout=60)[1] for start in starts]
    assert [start.returncode for start in starts] == [0] * 4, said
    asked = locking.asked()
    assert sum("-m venv" in line for line in asked) == 1
    assert sum("-m pip" in line for line in asked) == 1
    assert sum(line.endswith("main.py stats") for line in asked) == 4
    assert sum("waiting for another start" in text for text in said) == 3
    assert not (locking.folder / ".venv.lock").exists()


@pytest.mark.skipif(os.name != "posix", reason="no folder can be locked there")
def test_an_open_library_in_the_checkout_holds_up_no_set_up(locking: Checkout) -> None:
    lock = LibraryLock(locking.folder / "library.lock")
    try:
        asked, _ = locking.run("stats")
    finally:
        lock.release()
    assert any("main.py stats" in line for line in asked)


def test_who_was_killed_holds_up_nobody(locking: Checkout) -> None:
    first = locking.begin("stats", PIP_SLEEP="2")
    locking.wait_until_asked("-m pip")
    first.kill()
    first.communicate(timeout=60)
    asked, _ = locking.run("stats")
    assert asked[-1] == f"{locking.folder}/main.py stats"
    assert sum("-m venv" in line for line in asked) == 1  # what was half made is made anew
    assert not (locking.folder / ".venv.lock").exists()


def test_a_lock_whose_number_belongs_to_another_process_now_holds_up_nobody(
    checkout: Checkout,
) -> None:
    checkout.add_python()
    checkout.add_tool("ps")
    lock = checkout.folder / ".venv.lock"
    lock.mkdir()
    (lock / "holder").write_text(f"{os.getpid()} Thu Jan  1 00:00:00 1970\n")
    assert checkout.run("stats")[0][-1] == f"{checkout.folder}/main.py stats"
    lock.mkdir()  # killed before it could write its name there
    checkout.script.with_name("requirements.lock").write_text("one==2\n")
    assert checkout.run("stats")[0][-1] == f"{checkout.folder}/main.py stats"


def test_a_folder_that_may_not_be_written_to_is_named(checkout: Checkout) -> None:
    checkout.add_python()
    if os.geteuid() == 0:  # who may write everywhere
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root can't give up its rights here")
        checkout.prefix = [setpriv, "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    checkout.folder.chmod(0o555)
    try:
        assert "may write" in checkout.run("stats", code=1)[1]
    finally:
        checkout.folder.chmod(0o755)


def test_without_a_display_it_shows_the_demo(checkout: Checkout) -> None:
    checkout.add_python()
    asked, said = checkout.run()
    assert asked[-1] == f"{checkout.folder}/main.py demo" and "DISPLAY" in said
    assert checkout.run(DISPLAY=":0")[0] == [f"{checkout.folder}/main.py"]


def test_the_checks_run_in_order_with_what_they_need(checkout: Checkout) -> None:
    checkout.add_python()
    asked, _ = checkout.run("test", "-k", "name with spaces")
    assert any("-r tests/requirements.txt -c requirements.lock" in line for line in asked)
    modules = [line.split()[1] for line in asked[-5:] if line.startswith("-m")]
    # types and imports are looked at beside the tests
    assert modules[:2] == ["ruff", "ruff"] and sorted(modules[2:]) == ["mypy", "pytest"]
    assert f"{TESTS} -k name with spaces" in asked


@pytest.mark.parametrize("wrong", ["PYTEST_EXIT", "MYPY_EXIT"])
def test_what_fails_of_the_tests_or_beside_them_is_told(checkout: Checkout, wrong: str) -> None:
    checkout.add_python()
    asked, _ = checkout.run("test", code=3, **{wrong: "3"})
    assert TESTS in asked and any(line.startswith("-m mypy") for line in asked)


def test_the_checks_can_be_run_without_the_tests(checkout: Checkout) -> None:
    checkout.add_python()
    asked, said = checkout.run("check")
    assert any("-r tests/requirements.txt -c requirements.lock" in line for line in asked)
    steps = [line.removeprefix("== ") for line in said.splitlines() if line.startswith("== ")]
    assert steps == ["format", "lint", "types", "imports"]
    assert not any(line.startswith("-m pytest") for line in asked) and "apt" not in said


def test_what_drives_the_window_is_installed_by_root_and_else_named(checkout: Checkout) -> None:
    checkout.add_python()
    asked, said = checkout.run("test")
    assert "apt install xvfb openbox xdotool" in said and TESTS in asked
    checkout.add("Xvfb", "#!/bin/sh\n")
    checkout.add("apt-get", '#!/bin/sh\necho "apt-get $*" >> "$LOG"\n')
    asked, said = checkout.run("test")
    installed = [line for line in asked if line.startswith("apt-get -qq install openbox xdotool")]
    if os.geteuid() == 0:
        assert len(installed) == 1 and "installing openbox xdotool" in said
        # and that is said before anything is done
        (checkout.folder / ".venv" / "installed.txt").write_text("")
        first, second = checkout.run("test")[1].splitlines()[:2]
        assert "will install system packages" in first and "openbox xdotool" in first
        assert "need them for a screen of their own" in first
        assert second == "installing the packages of requirements.txt"
        asked, _ = checkout.run("test", SYSTEM_PACKAGES="no")
        assert not any("apt-get" in line for line in asked) and TESTS in asked
    else:
        assert not installed and "apt install openbox xdotool" in said
    assert TESTS in asked
    checkout.add("apt-get", "#!/bin/sh\nexit 100\n")
    asked, said = checkout.run("test")
    assert "apt install openbox xdotool" in said and TESTS in asked


def test_ci_calls_the_readmes_test_command() -> None:
    script = (APPLICATION_FOLDER / ".ci" / "run").read_text()
    assert "run.sh" in script and script.strip().endswith("test")
    assert os.access(APPLICATION_FOLDER / "run.sh", os.R_OK)


def test_run_bat_removes_only_what_carries_the_mark_that_run_sh_leaves() -> None:
    """It can't be run here: what it says is held against what run.sh says."""
    text = (APPLICATION_FOLDER / "run.bat").read_text()
    script = (APPLICATION_FOLDER / "run.sh").read_text()
    mark = re.search(r"^unfinished=\$venv/(\S+)$", script, re.MULTILINE)
    parts = re.search(r'^parts="(.*)"$', script, re.MULTILINE)
    assert mark is not None and parts is not None
    assert f'set "parts={parts[1]}"' in text
    removing = text[: text.index("call :remove")].splitlines()
    assert removing[-3] == f'if exist ".venv\\{mark[1]}" ('
    assert text.count("call :remove") == text.count("rmdir /s") - 1 == 1  # one in a remark
    assert 'del ".venv\\installed.txt"' not in text
