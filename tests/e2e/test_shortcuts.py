"""The window's shortcuts, whatever has the keyboard."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from src.config import APPLICATION_FOLDER
from tests.e2e.desktop import DEADLINE_S, Screen

# Each widget that answers keys is brought onto the screen by force: what has it in fact depends
# on what the library holds.
DRIVER = """
import json, sys, threading, time, tkinter
from pathlib import Path
from src.settings import Settings
from src.gui.app.actions import is_for_window_first, key_sequence, shortcuts
from src.gui.main_window import MainWindow, WindowOptions

begun, over = threading.Event(), threading.Event()


def open_library(on_progress):
    begun.set()
    over.wait(float(sys.argv[2]))
    raise OSError("the test is over")


def go_on(condition):
    until = time.monotonic() + float(sys.argv[2])
    while not condition() and time.monotonic() < until:
        window.update()
        time.sleep(0.01)


def all_in(widget):
    yield widget
    for child in widget.winfo_children():
        yield from all_in(child)


def answers_keys(widget):
    bound = tkinter.Misc.bind(widget)
    return isinstance(widget, tkinter.Entry | tkinter.Text) or any("Key" in each for each in bound)


def show(widget):
    while widget is not window:
        if not widget.winfo_ismapped():
            tkinter.Place.place_configure(widget, x=0, y=0, width=40, height=40)
        widget = widget.master


window = MainWindow(
    WindowOptions(Path(sys.argv[1]), Settings(), open_library, (), lambda: (), lambda _: None)
)
window.focus_force()
go_on(lambda: begun.is_set() and window.panels.seen == "library")  # all panels are built
done = []
window.do = lambda action: bool(done.append(action.key)) or True
wanted = [each for each in shortcuts() if is_for_window_first(each.keys)]
widgets = [each for each in all_in(window.panels._root) if each.winfo_toplevel() is window]
asked, swallowed = [], []
for widget in filter(answers_keys, widgets):
    show(widget)
    window.update()
    if not widget.winfo_viewable():
        continue
    if str(window.tk.call("focus")) != str(widget):
        came = []
        tkinter.Misc.bind(widget, "<FocusIn>", lambda _: came.append(True), "+")
        tkinter.Misc.focus_force(widget)
        go_on(lambda: came)
    asked.append(type(widget).__name__)
    for action in wanted:
        done.clear()
        widget.event_generate(key_sequence(action.keys))
        if done != [action.key]:
            swallowed.append([str(widget), type(widget).__name__, action.keys, done[:]])

def plain_keys(tag):
    # those without Control or Alt that are bound to a widget, or to a tag of ours
    if not tag.startswith(".") and " " not in tag:
        return []  # a class of Tk's own
    keys = [each for each in window.tk.splitlist(window.tk.call("bind", tag))
            if len(each) == 1 or each.startswith("<") and "Key-" in each]
    return [each for each in keys if not any(m in each for m in ("Control", "Alt", "Mod1"))]


tags = {tag for widget in all_in(window)
        for tag in window.tk.splitlist(window.tk.call("bindtags", str(widget)))}
plain = [(tag, key) for tag in sorted(tags) for key in plain_keys(tag)]
loose = [each for each in plain if "only_as_named" not in window.tk.call("bind", *each)]
print(json.dumps({
    "asked": asked,
    "plain": [key for _, key in plain],
    "loose": loose,
    "swallowed": swallowed,
    "keys": [action.keys for action in wanted],
}), flush=True)
del window.do
over.set()
window.close_unasked()
go_on(lambda: window.main_thread._closed)
"""


def test_no_key_of_a_widget_is_taken_with_a_modifier(screen: Screen, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path / "library"), str(DEADLINE_S)],
        env=screen.environment | {"PYTHONPATH": str(APPLICATION_FOLDER)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert ran.stdout, ran.stderr
    seen = json.loads(ran.stdout.splitlines()[0])
    assert {"Ctrl ,", "Ctrl O", "Alt Left", "Ctrl Shift Z"} <= set(seen["keys"])
    assert {"TimelineCanvas", "MapCanvas", "QueryChips", "Entry", "Slider"} <= set(seen["asked"])
    assert seen["swallowed"] == []
    # nor with another modifier: each key is bound by bind_key, which has its own test
    assert {"s", "j", ",", "1", "<Key-Delete>", "<Key-space>"} <= set(seen["plain"])
    assert seen["loose"] == []
