"""What a person can do in the window by keys, in the sidebar or in a menu, each declared once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from src.gui.app.panel_list import PANELS, PanelSpec
from src.gui.app.saved_searches import SAVED_MENU
from src.gui.detail.detail_panel import DetailPanel
from src.gui.label.chosen_label import ChosenLabel
from src.gui.label.label_panel import LABEL_MENU
from src.gui.label.rank_tab import CANDIDATE_MENU, RankTab
from src.gui.library.chosen_card import ChosenCard
from src.gui.library.library_panel import CARD_MENU
from src.gui.search.chosen_hits import ChosenHits
from src.gui.search.results import HIT_MENU

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
        menu: the context menu that it is in; "" for none.
        enabled: whether it can be done now; else its keys do nothing, and no menu has it.
        needs_library: where the library can't be opened, it shows that instead.
        in_dialogs: its keys work while a dialog is open, too.
        writes: it changes the library, and is not there where that is open for reading only.
    """

    key: str
    name: str
    run: Callable[[MainWindow], object]
    keys: str = ""
    icon: str = ""
    menu: str = ""
    enabled: Callable[[MainWindow], bool] = _always
    needs_library: bool = False
    in_dialogs: bool = False
    writes: bool = False

    def can_run(self, window: MainWindow) -> bool:
        """Return whether it can be done now."""
        return not (self.writes and window.session.read_only) and self.enabled(window)

    @property
    def hint(self) -> str:
        """Its name with its keys, for a tooltip."""
        return self.hint_for(self.name)

    def hint_for(self, name: str) -> str:
        """Write a tooltip for a button that does the same under a name of its own."""
        return f"{name} ({self.keys})" if self.keys else name


ADD = Action(
    "add",
    "Add Images/Videos",
    lambda window: window.import_controller.choose_files(),
    "Ctrl O",
    needs_library=True,
    writes=True,
)
SETTINGS = Action(
    "settings",
    "Settings",
    lambda window: window.dialogs.settings(),
    "Ctrl ,",
    needs_library=True,
    writes=True,
)
BACK = Action("back", "Go back", lambda window: window.escape(), "Escape", in_dialogs=True)


def _on_card(
    key: str,
    name: str,
    run: Callable[[ChosenCard], object],
    can_run: Callable[[ChosenCard], bool] = lambda _: True,
    writes: bool = False,
) -> Action:
    """Declare an entry of a card's menu, which is about the card that the menu was opened on."""

    def do(window: MainWindow) -> None:
        if (card := window.panels.library.chosen) is not None:
            run(card)

    def enabled(window: MainWindow) -> bool:
        card = window.panels.library.chosen
        return card is not None and can_run(card)

    return Action(key, name, do, menu=CARD_MENU, enabled=enabled, writes=writes)


def _on_hits(
    key: str,
    name: str,
    run: Callable[[ChosenHits], object],
    keys: str = "",
    can_run: Callable[[ChosenHits], bool] = lambda _: True,
    writes: bool = False,
) -> Action:
    """Declare an entry of the menu of search hits: it is about those that are chosen."""

    def chosen(window: MainWindow) -> ChosenHits | None:
        results = window.panels.results
        return results.chosen if results is not None and results.has_keyboard else None

    def do(window: MainWindow) -> None:
        if (hits := chosen(window)) is not None:
            run(hits)

    def enabled(window: MainWindow) -> bool:
        hits = chosen(window)
        return hits is not None and can_run(hits)

    return Action(key, name, do, keys, menu=HIT_MENU, enabled=enabled, writes=writes)


def _on_frame(key: str, name: str, run: Callable[[DetailPanel], object], keys: str) -> Action:
    """Declare what changes the masks of the frame that is shown."""

    def enabled(window: MainWindow) -> bool:
        panels = window.panels
        return panels.here == "detail" and panels.detail.can_edit and not panels.is_typing

    return Action(
        key, name, lambda window: run(window.panels.detail), keys, enabled=enabled, writes=True
    )


def _on_label(
    key: str,
    name: str,
    run: Callable[[ChosenLabel], object],
    can_run: Callable[[ChosenLabel], bool] = lambda _: True,
) -> Action:
    """Declare an entry of a label's menu, which is about the chosen one."""

    def do(window: MainWindow) -> None:
        if (label := window.panels.label.chosen_label) is not None:
            run(label)

    def enabled(window: MainWindow) -> bool:
        label = window.panels.label.chosen_label
        return label is not None and can_run(label)

    return Action(key, name, do, menu=LABEL_MENU, enabled=enabled, writes=True)


def _on_candidates(key: str, name: str, run: Callable[[RankTab], object]) -> Action:
    """Declare an entry of the menu of segments that a label is given to."""
    return Action(key, name, lambda window: run(window.panels.label.rank), menu=CANDIDATE_MENU)


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
    Action("step-back", "Back", lambda window: window.panels.step_back(), "Alt Left"),
    Action(
        "undo",
        "Undo",
        lambda window: window.panels.undo(),
        "Ctrl Z",
        enabled=lambda window: not window.panels.has_typed,
    ),
    Action(
        "redo",
        "Redo",
        lambda window: window.panels.redo(),
        "Ctrl Shift Z",
        enabled=lambda window: not window.panels.has_typed,
    ),
    Action(
        "label-selected",
        "Label what is selected",
        lambda window: window.panels.ask_for_label(),
        "L",
        enabled=lambda window: not window.panels.is_typing,
        writes=True,
    ),
    Action("previous", "Previous", lambda window: window.panels.step(-1), "Page Up"),
    Action("next", "Next", lambda window: window.panels.step(1), "Page Down"),
    Action(
        "remove-selected",
        "Remove the selected from the library",
        lambda window: window.panels.library.remove_selected(),
        "Delete",
        enabled=lambda window: window.panels.library.has_keyboard,
        writes=True,
    ),
    BACK,
    Action(
        "full-screen", "Full screen", lambda window: window.full_screen(), "F11", in_dialogs=True
    ),
    _on_frame("edit-mask", "Edit mask", lambda detail: detail.edit_mask(), "E"),
    _on_frame("new-segment", "New segment", lambda detail: detail.new_segment(), "N"),
    _on_hits("open-hit", "Open", lambda hits: hits.open()),
    _on_hits("similar", "Find similar", ChosenHits.find_similar, "F", lambda hits: hits.is_one),
    _on_hits("more-like", "Add to the search", lambda hits: hits.add_term(1), "+"),
    _on_hits("less-like", "Subtract from the search", lambda hits: hits.add_term(-1), "-"),
    _on_hits("label-hits", "Label…", lambda hits: hits.label(), writes=True),
    _on_hits("copy-crop", "Copy crop", ChosenHits.copy_crop, "Ctrl C", lambda hits: hits.is_one),
    _on_hits("save-crops", "Save crop…", ChosenHits.save_crops, "Ctrl S"),
    _on_hits("hit-in-folder", "Show in folder", ChosenHits.show_in_folder),
    _on_card("show-error", "Show error", ChosenCard.open, lambda card: card.has_failed),
    _on_card("retry", "Retry", ChosenCard.retry, lambda card: card.has_failed, True),
    _on_card("open", "Open", ChosenCard.open, lambda card: card.can_open),
    _on_card("label-card", "Label…", lambda card: card.label(), lambda card: card.can_open, True),
    _on_card(
        "continue", "Continue with this file", ChosenCard.retry, lambda card: card.is_stopped, True
    ),
    _on_card("copy-image", "Copy image", ChosenCard.copy_image, lambda card: card.can_open),
    _on_card("show-in-folder", "Show in folder", ChosenCard.show_in_folder),
    _on_card("remove", "Remove from library…", ChosenCard.remove, writes=True),
    _on_card(
        "remove-missing",
        "Remove all missing files…",
        ChosenCard.remove_all_missing,
        lambda card: card.is_missing,
        writes=True,
    ),
    _on_label("rename-label", "Rename", ChosenLabel.rename),
    _on_label("label-colour", "Colour…", ChosenLabel.colour),
    _on_label("label-attributes", "Attributes…", ChosenLabel.attributes),
    _on_label("merge-label", "Merge into…", ChosenLabel.merge, lambda label: label.can_merge),
    _on_label(
        "label-up", "Move up", lambda label: label.move(-1), lambda label: label.can_move(-1)
    ),
    _on_label(
        "label-down", "Move down", lambda label: label.move(1), lambda label: label.can_move(1)
    ),
    _on_label("import-labels", "Import from a text file…", ChosenLabel.import_names),
    _on_label("remove-label", "Delete", ChosenLabel.remove),
    _on_candidates("accept", "Accept", lambda tab: tab.answer(tab.answering.accept)),
    _on_candidates("reject", "Reject", lambda tab: tab.answer(tab.answering.reject)),
    _on_candidates("accept-row", "Accept the row", lambda tab: tab.accept_row()),
    _on_candidates("clear-answer", "Clear the answer", lambda tab: tab.answer(tab.answering.clear)),
    _on_candidates("start-from", "Start from this", lambda tab: tab.start_from(tab.chosen_ids())),
    _on_candidates("open-candidate", "Open", lambda tab: tab.open_chosen()),
    Action(
        "rename-search",
        "Rename",
        lambda window: window.saved_searches.rename_chosen(),
        menu=SAVED_MENU,
        writes=True,
    ),
    Action(
        "remove-search",
        "Remove",
        lambda window: window.saved_searches.remove_chosen(),
        menu=SAVED_MENU,
        writes=True,
    ),
]


def actions() -> list[Action]:
    """Return all that can be done: going to each panel that has keys or a row, then the rest."""
    return [_go_to(spec) for spec in PANELS if spec.keys or spec.icon] + ACTIONS


def sidebar_rows() -> list[Action]:
    """Return what has a row in the sidebar, from above."""
    return [action for action in actions() if action.icon]


def shortcuts() -> list[Action]:
    """List what can be done by keys."""
    return [action for action in actions() if action.keys]


def menu_actions(menu: str, window: MainWindow) -> list[Action]:
    """List what a context menu holds now, from above."""
    return [action for action in actions() if action.menu == menu and action.can_run(window)]


def hint(key: str) -> str:
    """Look up the tooltip of an action."""
    return next(action.hint for action in actions() if action.key == key)


def is_for_window_first(keys: str) -> bool:
    """Return whether keys are the window's before they are of what has the keyboard."""
    return keys.startswith(("Ctrl ", "Alt "))


def key_sequence(keys: str) -> str:
    """Return what Tk calls keys: "Ctrl O" is <Control-o>, "Page Up" <Prior>."""
    *modifiers, key = [keys] if keys in _TK_KEYS else keys.split(" ")
    named = _TK_KEYS.get(key, key)
    if len(named) == 1 and "Shift" not in modifiers:
        named = named.lower()
    return f"<{'-'.join([*(_TK_MODIFIERS[modifier] for modifier in modifiers), named])}>"


_TK_MODIFIERS = {"Ctrl": "Control", "Shift": "Shift", "Alt": "Alt"}
_TK_KEYS = {
    ",": "comma",
    "?": "question",
    "+": "plus",
    "-": "minus",
    "Page Up": "Prior",
    "Page Down": "Next",
}


def _go_to(spec: PanelSpec) -> Action:
    def go(where: str, window: MainWindow) -> None:
        window.panels.go(where)

    return Action(
        spec.key, spec.title, partial(go, spec.key), spec.keys, spec.icon, writes=spec.writes
    )
