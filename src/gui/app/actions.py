"""What a person can do in the window by keys or in the sidebar; each is declared here once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from src.gui.app.panel_list import PANELS, PanelSpec

if TYPE_CHECKING:
    from src.gui.main_window import MainWindow


def _always(_: MainWindow) -> bool:
    return True


@dataclass(frozen=True)
class Action:
    """Something to be done in the window.

    Attributes:
        key: what the code calls it.
        name: what a person reads.
        run: does it.
        keys: as a person reads them: "Ctrl O", "Page Up"; "" where there are none.
        icon: of its row in the sidebar; "" for one without a row.
        enabled: whether it can be done now; its keys do nothing where it can't.
        needs_library: where the library can't be opened, it shows that instead.
        in_dialogs: its keys work while a dialog is open, too.
    """

    key: str
    name: str
    run: Callable[[MainWindow], object]
    keys: str = ""
    icon: str = ""
    enabled: Callable[[MainWindow], bool] = _always
    needs_library: bool = False
    in_dialogs: bool = False

    @property
    def hint(self) -> str:
        """Its name with its keys, for a tooltip."""
        return f"{self.name} ({self.keys})" if self.keys else self.name


ADD = Action(
    "add",
    "Add Images/Videos",
    lambda window: window.import_controller.choose_files(),
    "Ctrl O",
    needs_library=True,
)
SETTINGS = Action(
    "settings", "Settings", lambda window: window.dialogs.settings(), "Ctrl ,", needs_library=True
)
ACTIONS = [
    ADD,
    SETTINGS,
    Action(
        "export",
        "Export Dataset",
        lambda window: window.panels.export(),
        icon="export",
        needs_library=True,
    ),
    Action(
        "paste",
        "Search by the image on the clipboard",
        lambda window: window.panels.paste(),
        "Ctrl V",
        enabled=lambda window: not window.panels.is_typing,
        needs_library=True,
    ),
    Action("previous", "Previous hit or photo", lambda window: window.panels.step(-1), "Page Up"),
    Action("next", "Next hit or photo", lambda window: window.panels.step(1), "Page Down"),
    Action("back", "Go back", lambda window: window.escape(), "Escape", in_dialogs=True),
    Action(
        "full-screen", "Full screen", lambda window: window.full_screen(), "F11", in_dialogs=True
    ),
]


def actions() -> list[Action]:
    """All that can be done: going to each panel that has keys or a row, then the rest."""
    return [_go_to(spec) for spec in PANELS if spec.keys or spec.icon] + ACTIONS


def sidebar_rows() -> list[Action]:
    """What has a row in the sidebar, from above."""
    return [action for action in actions() if action.icon]


def shortcuts() -> list[tuple[str, str]]:
    """List what can be done by keys: the keys and the name of each."""
    return [(action.keys, action.name) for action in actions() if action.keys]


def key_sequence(keys: str) -> str:
    """What Tk calls keys: "Ctrl O" is <Control-o>, "Page Up" <Prior>."""
    *modifiers, key = [keys] if keys in _TK_KEYS else keys.split(" ")
    named = _TK_KEYS.get(key, key)
    if len(named) == 1 and "Shift" not in modifiers:
        named = named.lower()
    return f"<{'-'.join([*(_TK_MODIFIERS[modifier] for modifier in modifiers), named])}>"


_TK_MODIFIERS = {"Ctrl": "Control", "Shift": "Shift", "Alt": "Alt"}
_TK_KEYS = {",": "comma", "?": "question", "Page Up": "Prior", "Page Down": "Next"}


def _go_to(spec: PanelSpec) -> Action:
    def go(where: str, window: MainWindow) -> None:
        window.panels.go(where)

    return Action(spec.key, spec.title, partial(go, spec.key), spec.keys, spec.icon)
