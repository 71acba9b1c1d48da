"""A panel and an action from a module of their own: one registration each brings them in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from src.config import APPLICATION_FOLDER
from tests.e2e.desktop import Screen

MODULE = """
from src.gui.app.actions import ACTIONS, Action
from src.gui.app.panel_list import PANELS, PanelSpec
from src.gui.panel.panel import Panel
from src.gui.widgets.controls import panel_header

done = []


class Atlas(Panel):
    drop_sentence = "Drop on the atlas"

    def __init__(self, context):
        super().__init__(context)
        panel_header(self, self.theme, "An atlas of all photos")

    def shown(self):
        done.append("shown")


PANELS.append(PanelSpec("atlas", "Atlas", lambda panels: Atlas(panels.context), "grid", "Ctrl M"))
ACTIONS.append(
    Action(
        "shuffle",
        "Shuffle",
        lambda window: done.append("shuffled"),
        "Ctrl Shift K",
        "retry",
        menu="card",
        enabled=lambda window: window.panels.here == "atlas",
    )
)
"""

DRIVER = """
import json, sys, threading, time
from pathlib import Path
import map_panel
from src.settings import Settings
from src.gui.app.actions import shortcuts
from src.gui.main_window import MainWindow, WindowOptions

over = threading.Event()


def open_library(on_progress):
    over.wait(60)
    raise OSError("the test is over")


def go_on(condition):
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        window.update()
        time.sleep(0.01)


window = MainWindow(
    WindowOptions(Path(sys.argv[1]), Settings(), open_library, (), lambda: (), lambda _: None)
)
window.focus_force()
go_on(lambda: window.focus_get() is not None and window.panels.seen == "library")
window.event_generate("<Control-Shift-K>")
go_on(lambda: True)
before = list(map_panel.done)
window.event_generate("<Control-m>")
go_on(lambda: window.panels.seen == "atlas")
by_keys = window.panels.seen
window.event_generate("<Control-Shift-K>")
go_on(lambda: "shuffled" in map_panel.done)
window.panels.go("library")
go_on(lambda: window.panels.seen == "library")
rows = window.sidebar.rows
rows["atlas"]._text._label.event_generate("<Button-1>")
go_on(lambda: window.panels.seen == "atlas")
print(json.dumps({
    "before": before,
    "by_keys": by_keys,
    "by_row": window.panels.seen,
    "rows": [row._text.cget("text") for row in rows.values()],
    "done": map_panel.done,
    "drop": window.panels.drop_sentence(),
    "shortcuts": [(action.keys, action.name) for action in shortcuts()],
    "menu": [name for name, _ in window.panels.context.menu("card")],
    "hint": window.panels.context.hint("shuffle"),
}), flush=True)
over.set()
window.close_unasked()
go_on(lambda: window.main_thread._closed)
"""


@pytest.fixture(scope="module")
def seen(screen: Screen, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a window shows that was started with the module."""
    folder: Path = tmp_path_factory.mktemp("registered")
    (folder / "map_panel.py").write_text(MODULE)
    found = os.pathsep.join((str(folder), str(APPLICATION_FOLDER)))
    ran = subprocess.run(
        [sys.executable, "-c", DRIVER, str(folder / "library")],
        env=screen.environment | {"PYTHONPATH": found},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.stdout, ran.stderr
    shown: dict[str, Any] = json.loads(ran.stdout.splitlines()[0])
    return shown


def test_a_panel_needs_one_registration(seen: dict[str, Any]) -> None:
    assert seen["rows"][:4] == ["Library", "Search by Tag", "Search by Image", "Label"]
    assert seen["rows"].index("Atlas") == len(seen["rows"]) - 3, "behind the panels, with a row"
    assert seen["by_keys"] == "atlas" and seen["by_row"] == "atlas"
    assert ["Ctrl M", "Atlas"] in seen["shortcuts"]
    assert seen["done"].count("shown") == 2 and seen["drop"] == "Drop on the atlas"


def test_an_action_needs_one_registration(seen: dict[str, Any]) -> None:
    assert "Shuffle" in seen["rows"] and ["Ctrl Shift K", "Shuffle"] in seen["shortcuts"]
    assert "Shuffle" in seen["menu"] and seen["hint"] == "Shuffle (Ctrl Shift K)"
    assert seen["before"] == []  # it can't be done outside the atlas
    assert seen["done"].count("shuffled") == 1
