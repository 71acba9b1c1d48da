"""The real program on a screen that nobody sees, driven by pointer and keys as a person does."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageColor, ImageGrab

from src.config import APPLICATION_FOLDER, LibraryPaths
from src.gui.app.probe import ASKED, ASKED_FOR_S
from src.gui.main_window import FRAME_WH
from src.gui.theme.theme import DARK, FIRST_WH
from src.settings import Settings
from src.starter.scenes import draw_scene

Found = TypeVar("Found")
State = dict[str, Any]
Box = Sequence[int]
Start = Callable[..., "Window"]
Popen = Callable[..., subprocess.Popen[Any]]

# Only what hangs takes so long: a busy machine has taken a minute to start a window.
DEADLINE_S = 180
LOOK_EVERY_S = 0.02
KEEP_EVERY_S = 0.5
OLD_LOOK_S = 1.0  # how long a busy window is waited for before what it showed is taken
STILL_LOOKS = 5  # of the probe: what is the same so often has stopped moving
FAST = Settings(points_per_side=6, duplicate_distance=-1)
ADD = "Add Images/Videos"
ADD_BUTTON = [ImageColor.getrgb(DARK.selection), ImageColor.getrgb(DARK.selection_hover)]
SYSTEM_PYTHON = "/usr/bin/python3"
GTK = "import gi; gi.require_version('Gtk', '3.0')"


def missing_packages() -> list[str]:
    """Debian's names of what a driven window needs and this machine lacks."""
    missing = [name.lower() for name in ("Xvfb", "openbox", "xdotool") if not shutil.which(name)]
    try:
        gtk = subprocess.run([SYSTEM_PYTHON, "-c", GTK], capture_output=True, timeout=DEADLINE_S)
        found = gtk.returncode == 0
    except OSError:
        found = False
    return missing if found else [*missing, "python3-gi", "gir1.2-gtk-3.0"]


def statistic(state: State, name: str) -> str:
    """The number at the window's side that has a name; empty before it is there."""
    texts = state["texts"]
    return str(texts[texts.index(name) + 1]) if name in texts[:-1] else ""


def wait_until(what: str, condition: Callable[[], Found]) -> Found:
    """Wait for a state, with a deadline."""
    found = look_for(condition, DEADLINE_S)
    assert found, f"waited {DEADLINE_S} s for {what}"
    return found


def look_for(condition: Callable[[], Found], seconds: float) -> Found:
    """Give what the condition gives as soon as that is true, or when the time is up."""
    until = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
    return found


class Screen:
    """An X server with a window manager; what happens on it is kept in pictures.

    Args:
        popen: how programs are started on it.
    """

    def __init__(self, folder: Path, popen: Popen = subprocess.Popen) -> None:
        self.folder, self.popen = folder, popen
        self.windows: list[Window] = []
        self._steps: list[tuple[str, Image.Image]] = []
        self._kept_at = -KEEP_EVERY_S
        reading, writing = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
            pass_fds=[writing],
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as number:
            self.display = f":{number.readline().strip()}"
        left_out = (  # of whoever runs the tests
            "WAYLAND_DISPLAY",
            "MEDIA_LIBRARY",
            "MEDIA_LIBRARY_MODELS",
            "MEDIA_LIBRARY_MODELS_MIRROR",
            "GDK_SCALE",
        )
        self.environment = {k: v for k, v in os.environ.items() if k not in left_out} | {
            "DISPLAY": self.display,
            "GDK_BACKEND": "x11",
            "NO_AT_BRIDGE": "1",
            "PYTHONFAULTHANDLER": "1",
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        self._stand_in_for_xclip()
        managing = folder / "managing"
        self._manager = subprocess.Popen(
            ["openbox", "--startup", f"touch {shlex.quote(str(managing))}"],
            env=self.environment,
            stderr=subprocess.DEVNULL,
        )
        wait_until("the window manager", managing.exists)

    def _stand_in_for_xclip(self) -> None:
        """Put a program first on the path that writes what it is given to `copied`."""
        script, self.copied = self.folder / "bin" / "xclip", self.folder / "copied.png"
        script.parent.mkdir()
        script.write_text(
            f"#!/bin/sh\ncat > {shlex.quote(str(self.copied))}.part\n"
            f"mv {shlex.quote(str(self.copied))}.part {shlex.quote(str(self.copied))}\n"
        )
        script.chmod(0o755)
        self.environment["PATH"] = f"{script.parent}{os.pathsep}{self.environment['PATH']}"

    def clear(self) -> None:
        """End what a test that failed has left."""
        for window in self.windows:
            window.kill()

    def close(self) -> None:
        self.clear()
        for process in (self._manager, self._server):
            process.terminate()
            process.wait(DEADLINE_S)

    def do(self, *words: object) -> None:
        """Let xdotool do something: words as on its command line."""
        command = ["xdotool", *map(str, words)]
        subprocess.run(
            command, env=self.environment, check=True, timeout=DEADLINE_S, stdout=subprocess.DEVNULL
        )

    def activate(self, title: str) -> None:
        """Let keys go to the window of a title, as soon as there is one.

        The window manager may pass over one request while another window comes or goes, and then
        xdotool's own waiting takes fifteen seconds to end: so it is asked again instead.
        """

        def is_active() -> bool:
            for window in self._ask("search", "--onlyvisible", "--name", title).split()[:1]:
                self._ask("windowactivate", window)
            return bool(re.search(title, self._ask("getactivewindow", "getwindowname")))

        wait_until(f"a window “{title}” that has the keys", is_active)

    def _ask(self, *words: str) -> str:
        """What xdotool prints; nothing where a window has gone meanwhile."""
        return subprocess.run(
            ["xdotool", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        ).stdout

    def wait_still(self) -> None:
        """Wait until nothing on the screen moves: what is just coming loses what is typed."""
        looks: list[bytes] = []

        def still() -> bool:
            looks.append(self.picture().tobytes())
            return len(looks) >= STILL_LOOKS and len(set(looks[-STILL_LOOKS:])) == 1

        wait_until("a screen on which nothing moves", still)

    def picture(self) -> Image.Image:
        return ImageGrab.grab(xdisplay=self.display)

    def keep(self, step: str) -> None:
        """Remember what the screen shows at a step, for the case that the test fails.

        Not twice within a moment: hundreds of tests have twenty steps each, and most take none.
        """
        now = time.monotonic()
        if now - self._kept_at >= KEEP_EVERY_S:
            self._kept_at = now
            self._steps.append((step, self.picture()))

    def save_steps(self, test: str) -> Path:
        folder = self.folder / "".join(c if c.isalnum() else "_" for c in test)
        folder.mkdir(exist_ok=True)
        if self._server.poll() is None:
            self._steps.append(("at the end", self.picture()))
        for number, (step, picture) in enumerate(self._steps):
            name = "".join(c if c.isalnum() else "_" for c in step)[:60]
            picture.save(folder / f"{number:02}_{name}.png")
        return folder

    def forget_steps(self) -> None:
        self._steps.clear()

    @contextlib.contextmanager
    def helper(self, script: str, *words: object) -> Iterator[subprocess.Popen[str]]:
        """Run a GTK program beside the window, from when it says that it is ready."""
        process = subprocess.Popen(
            [SYSTEM_PYTHON, str(Path(__file__).with_name(script)), *map(str, words)],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        deadline = threading.Timer(DEADLINE_S, process.kill)
        deadline.start()
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", f"{script} did not start"
            yield process
        finally:
            deadline.cancel()
            process.kill()
            process.communicate()


MOST_SAID = 20_000  # characters, in the message of a test that waited in vain


class Window:
    """A started program. What it shows comes from its probe, what is done to it from X."""

    def __init__(
        self, screen: Screen, library: Path, media: Sequence[Path] = (), opens: bool = True
    ) -> None:
        self.screen, self.library = screen, library
        library.mkdir(parents=True, exist_ok=True)
        if not (library / "settings.json").exists():
            FAST.save(library / "settings.json")
        self._probe = library / "probe.json"
        self._probe.unlink(missing_ok=True)
        self._asked, self._asked_at = library / f"probe.json{ASKED}", 0.0
        self._said = library / "said.txt"
        screen.clear()
        self.process = self._run(media)
        screen.windows.append(self)
        # the probe tells of the window before it has its size and place
        self.wait_still(
            "the window",
            lambda s: (
                s["open"] is opens and s["window"][2] >= FIRST_WH[0] - FRAME_WH[0] and s["window"]
            ),
        )
        self.focus()

    def _run(self, media: Sequence[Path]) -> subprocess.Popen[bytes]:
        with self._said.open("ab") as said:
            return self.screen.popen(
                [sys.executable, "main.py", "--library", str(self.library), *map(str, media)],
                cwd=APPLICATION_FOLDER,
                env=self.screen.environment | {"MEDIA_LIBRARY_PROBE": str(self._probe)},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    # -- looking

    def state(self) -> State:
        """What the window shows; empty before it shows anything.

        Its probe looks while it is asked. What it saw before nobody asked for a while is old, so
        the next look is waited for, unless the window is busy.
        """
        before, now = self._asked_at, time.time()
        if now - before > ASKED_FOR_S / 4:
            self._asked_at = now
            self._asked.touch()
        if now - before > ASKED_FOR_S / 2:
            look_for(self._has_looked, OLD_LOOK_S)
        try:
            found: State = json.loads(self._probe.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def _has_looked(self) -> bool:
        return self._probe.exists() and self._probe.stat().st_mtime >= self._asked_at

    def wait(self, what: str, condition: Callable[[State], Found]) -> Found:
        """Wait until the window shows something, and give what the condition gives."""
        until = time.monotonic() + DEADLINE_S
        state: State = {}
        while time.monotonic() < until:
            state = self.state()
            assert not state.get("errors"), f"before {what}: {state['errors']}"
            found = condition(state) if state else None
            if found:
                self.screen.keep(what)
                return found
            assert self.process.poll() is None, f"ended before {what}: {self.said()}"
            time.sleep(LOOK_EVERY_S)
        raise AssertionError(
            f"waited {DEADLINE_S} s for {what}; {self._where_it_is()} the window shows {state}"
        )

    def _where_it_is(self) -> str:
        """Say when the window was looked at last, and, by faulthandler, where its threads are."""
        age = time.time() - self._probe.stat().st_mtime if self._probe.exists() else -1.0
        self.process.send_signal(signal.SIGABRT)
        self.process.wait(DEADLINE_S)
        return f"its probe looked {age:.1f} s ago; {self.said()[-MOST_SAID:]}"

    def wait_still(self, what: str, look: Callable[[State], Found]) -> Found:
        """Wait until something is there and moves no more."""
        seen: list[Found] = []
        touched = 0

        def still(state: State) -> Found | None:
            nonlocal touched
            before, touched = touched, self._probe.stat().st_mtime_ns
            if touched == before:  # the window is busy, and its probe says what was before
                return None
            seen.append(look(state))
            last = seen[-STILL_LOOKS:]
            return last[0] if len(last) == STILL_LOOKS and all(x == last[0] for x in last) else None

        found = self.wait(what, still)
        assert found is not None
        return found

    def wait_text(self, *texts: str) -> None:
        self.wait(" and ".join(texts), lambda state: set(texts) <= set(state["texts"]))

    def card(self, name: str, state: str = "ready") -> State:
        """Wait for a file's card in a state: ready, waiting, busy, failed."""
        return self.wait_still(
            f"the card of {name}, {state}",
            lambda s: next((c for c in s["cards"] if (c["name"], c["state"]) == (name, state)), {}),
        )

    def wait_pictures(self) -> None:
        """Wait until every card that is seen whole shows more than a plain ground."""

        def shown() -> bool:
            screen, (_, top, _, height) = self.screen.picture(), self.state()["window"]
            boxes = [card["box"] for card in self.state()["cards"]]
            inner = [(x + 9, y + 9, x + w - 9, y + h - 9) for x, y, w, h in boxes]
            whole = [box for box in inner if box[3] < top + height]
            return bool(whole) and all(
                len(screen.crop(box).getcolors(1 << 20) or ()) > 4 for box in whole
            )

        wait_until("the pictures of all cards", shown)

    def said(self) -> str:
        return self._said.read_text(encoding="utf-8", errors="replace")

    # -- doing

    def focus(self) -> None:
        """Let keys go to the window: other windows may have come and gone."""
        self.screen.activate("^Media Library")

    def key(self, *keys: str) -> None:
        self.screen.do("key", *keys)

    def type(self, text: str) -> None:
        self.screen.do("type", "--delay", 10, text)

    def click(self, text: str) -> None:
        """Click on the button or row of these words."""
        self.click_at(self.wait_still(f"“{text}” to click on", lambda s: s["buttons"].get(text)))

    def point_at(self, text: str) -> None:
        """Let the pointer rest on the button or row of these words."""
        x, y, width, height = self.wait_still(text, lambda s: s["buttons"].get(text))
        self.screen.do("mousemove", x + width // 2, y + height // 2)

    def click_at(self, box: Box, *, holding: str | None = None, button: int = 1) -> None:
        """Click into the middle of a box on the screen."""
        self._wait_for_cover()
        x, y, width, height = box
        click = ["mousemove", x + width // 2, y + height // 2, "click", button]
        held = ["keydown", holding, *click, "keyup", holding] if holding else click
        self.screen.do(*held)

    def _wait_for_cover(self) -> None:
        """Wait until the screen too shows that a dialog is there, or that none is.

        The probe knows of it before the X server, and a click would go to what was there before.
        """

        def shown() -> bool:
            state = self.state()  # a dialog may come or go meanwhile
            if ADD not in state["buttons"]:  # a window that only reads has nothing so bright
                return True
            left, top, _, _ = state["buttons"][ADD]
            pixel = self.screen.picture().convert("RGB").getpixel((left + 12, top + 6))
            return (pixel in ADD_BUTTON) != state["dialog"]

        wait_until("the cover of a dialog, or none, as the window says", shown)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag with the button held, over a place half way."""
        half = (start[0] + end[0]) // 2, (start[1] + end[1]) // 2
        moves = ["mousemove", *start, "mousedown", 1, "mousemove", *half, "mousemove", *end]
        self.screen.do(*moves, "mouseup", 1)

    def answer_file_dialog(self, title: str, path: Path) -> None:
        """Type a file's name into the desktop's dialog."""
        self.screen.activate(f"^{title}$")
        self.screen.wait_still()
        self.screen.keep(title)
        self.type(str(path))
        self.key("Return")

    def hand_over(self, *media: Path) -> int:
        """Start the program again on the same library; returns the exit code."""
        return self._run(media).wait(DEADLINE_S)

    def go_home(self) -> None:
        """Back to the library, with nothing open or selected."""
        self.focus()
        state = self.state()
        if state["dialog"] or state["selected"]:
            self.key("Escape")
            self.wait("no dialog", lambda s: not s["dialog"] and not s["selected"])
        if state["panel"] != "library":
            self.click("Library")
            self.wait("the library", lambda s: s["panel"] == "library")

    def close(self) -> None:
        """Close as the window manager's button does; it ends well, and nothing was amiss."""
        self.wait("no job, a download neither", lambda s: not s["busy"])  # before, closing asks
        self.focus()
        self.ask_to_close()
        self.ends()

    def ask_to_close(self) -> None:
        """Press what closes a window; where that has no answer, say so and press it again.

        It was seen to go by, a few times, right after a dialog had gone.
        """

        def answered() -> bool:
            state = self.state()
            return self.process.poll() is not None or state["closing"] or state["dialog"]

        for _ in range(6):
            self.key("alt+F4")
            if look_for(answered, DEADLINE_S / 6):
                return
            warnings.warn("alt+F4 had no answer", stacklevel=2)
        raise AssertionError(f"the window does not close; it shows {self.state()}")

    def ends(self) -> None:
        """Wait until the program has ended by itself, without a complaint."""
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.screen.keep("it does not end")
            self.process.send_signal(signal.SIGABRT)  # faulthandler says where its threads are
            code = self.process.wait(DEADLINE_S)
        assert code == 0, self.said()
        self.is_sound()

    def is_sound(self) -> None:
        """No error in the window, in its log, or on its stderr."""
        log = LibraryPaths(self.library).log.read_text(encoding="utf-8")
        assert self.state()["errors"] == [] and " ERROR " not in log, log
        for sign in ("Traceback", "main thread is not in main loop", "TclError"):
            assert sign not in self.said(), self.said()

    def kill(self) -> None:
        """End it, and the index that it may have started, if it has not ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(DEADLINE_S)


def draw_photo(path: Path, seed: int) -> Path:
    """A photo that no other test has."""
    scene = draw_scene(np.random.default_rng([8, seed]), (160, 120), count=3, calm=True)
    Image.fromarray(scene.image_rgb).save(path)
    return path
