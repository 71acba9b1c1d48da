"""What the tests of the window share: a screen, started windows, a library with four photos."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from src.config import APPLICATION_FOLDER
from src.gui.theme.toolkit import ctk
from tests.e2e.desktop import DEADLINE_S, FAST, Screen, Start, Window, missing_packages
from tests.warm_start import CUT_ALREADY, WarmStart

SCREEN = pytest.StashKey[Screen]()
FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def screen(
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    warm_program: WarmStart,
    cut_already: Path,
) -> Iterator[Screen]:
    if missing := missing_packages():
        pytest.skip(f"the window can't be driven here; apt install {' '.join(missing)}")
    screen = Screen(tmp_path_factory.mktemp("screen"), warm_program.popen)
    screen.environment[CUT_ALREADY] = str(cut_already)
    request.config.stash[SCREEN] = screen
    yield screen
    screen.close()


@pytest.fixture
def cold_start(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs import all they need, as at a person's: for tests of what happens meanwhile."""
    monkeypatch.setattr(screen, "popen", subprocess.Popen)


@pytest.fixture(scope="session")
def filled(
    screen: Screen,
    warm_program: WarmStart,
    cut_already: Path,
    tmp_path_factory: pytest.TempPathFactory,
    scene_files: list[Path],
) -> Path:
    """A library of four photos, to be copied."""
    folder = tmp_path_factory.mktemp("filled")
    FAST.save(folder / "settings.json")
    command = [sys.executable, "main.py", "--library", folder, "ingest", *scene_files]
    environment = os.environ | {CUT_ALREADY: str(cut_already)}
    process = warm_program.popen(
        command, cwd=APPLICATION_FOLDER, env=environment, stdout=subprocess.DEVNULL
    )
    assert process.wait(DEADLINE_S) == 0
    return folder


@pytest.fixture(scope="package")
def windows(screen: Screen) -> Iterator[list[Window]]:
    """The window that tests share, if one is open; none once a test has failed in it.

    It closes when other tests follow, beside which it would go on looking what is new.
    """
    shared: list[Window] = []
    yield shared
    while shared:
        shared.pop().close()


@pytest.fixture
def start(windows: list[Window], screen: Screen, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start windows: start(library, [media]). At the end each must close and be sound."""
    while windows:  # one window on the screen at a time
        windows.pop().close()
    started: list[Window] = []

    def start_one(library: Path, media: Sequence[Path] = (), opens: bool = True) -> Window:
        started.append(Window(screen, library, media, opens))
        return started[-1]

    yield start_one
    for window in started:
        if request.node.stash.get(FAILED, False):
            window.kill()
        elif window.process.poll() is None:
            window.close()


@pytest.fixture(scope="module")
def empty_window(screen: Screen) -> Iterator[Any]:
    """A window of this process for the tests of a module; each clears away what it put there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", screen.display)
        root: Any = ctk.CTk()
        root.update()
        yield root
        root.update()
        root.destroy()


@pytest.fixture
def window(
    windows: list[Window],
    screen: Screen,
    filled: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Window]:
    """A window that shows a library of at least four photos, ready to search."""
    if not windows:
        library = shutil.copytree(filled, tmp_path_factory.mktemp("shown") / "library")
        windows.append(Window(screen, library))
    window = windows.pop()
    window.go_home()
    window.wait_still(
        "models and cards",
        lambda s: s["cards"] if s["models_ready"] and len(s["cards"]) >= 4 else [],
    )
    yield window
    if request.node.stash.get(FAILED, False):
        window.kill()
    else:
        window.is_sound()
        windows.append(window)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the steps of a test that failed, and say where they are."""
    report = yield
    screen = item.config.stash.get(SCREEN, None)
    if screen is not None:
        if report.failed:
            item.stash[FAILED] = True
            report.sections.append(("screenshots", str(screen.save_steps(item.name))))
        if report.when == "teardown":
            screen.forget_steps()
    return report
