"""Where media is processed: here, or on a cluster, with an address and the folders there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from src.cluster_address import AUTO, LOCAL, parse_cluster, parse_root, ray_is_installed
from src.gui.core.wording import as_sentence
from src.gui.dialogs.server_entry import Say, ServerEntry, Try
from src.gui.theme.theme import Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.text_box import TextBox

OFF, HERE = "Off", "Only this machine"
OWN, ELSEWHERE = "The cluster it belongs to", "Another cluster"
NOT_CONFIRMED = "Not confirmed"
_FIXED = {HERE: LOCAL, OWN: AUTO}
_WITH_FOLDERS = (OWN, ELSEWHERE)
INSTALL = "Ray is not installed. To install it: pip install -r requirements-cluster.txt"
_HINTS = {
    OFF: "Ray shares the work among machines",
    HERE: "Ray is started here for each job, and shares the work among the cores",
    OWN: "The Ray cluster that this machine is part of. It must be one that you trust with your "
    "pictures",
    ELSEWHERE: "A Ray cluster that you trust: it gets your pictures, and runs programs",
}


class ClusterChoice:
    """The right side of two rows: what is chosen, with its address and Test, and the folders."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        cluster: str | None,
        roots: Sequence[str],
        is_confirmed: bool,
        on_test: Try,
        say: Say,
        say_of_folders: Say,
        on_folders: Callable[[bool], None],
        width: int,
    ) -> None:
        """Make what shows the library's choice; see `show`.

        Args:
            cluster, roots: see Settings.
            is_confirmed: whether this user has named the cluster; one that came with somebody
                else's library is not used before it is chosen here.
            on_test: asks a cluster, and never holds up the window.
            say, say_of_folders: show a sentence in place of the explanation of a row.
            on_folders: called with whether folders are to be asked for.
        """
        self._say, self._say_of_folders, self._on_folders = say, say_of_folders, on_folders
        self._named = cluster if not is_confirmed else None
        self._kept_roots = tuple(roots)
        self.frame = ctk.CTkFrame(master, fg_color="transparent")
        self.frame.grid_columnconfigure(0, weight=1)
        self.menu = MenuButton(
            self.frame,
            theme,
            [OFF, HERE, OWN, ELSEWHERE],
            lambda _: self.show(),
            width=width,
            height=28,
            value=NOT_CONFIRMED if self._named is not None else _choice_for(cluster),
        )
        self.menu.grid(row=0, column=0, sticky="e")
        typed = cluster if _choice_for(cluster) == ELSEWHERE else None
        self.server = ServerEntry(
            self.frame, theme, "ray://HOST:10001", typed, on_test, self._say_or_explain
        )
        self.server.grid(row=1, column=0, sticky="ew")
        self.folders = TextBox(master, theme, self._folders_changed, lines=2)
        self.folders.set("\n".join(roots))

    @property
    def is_made(self) -> bool:
        """Whether a person has chosen; else a library's own cluster stays named, and not used."""
        return self.menu.value != NOT_CONFIRMED

    @property
    def roots(self) -> tuple[str, ...]:
        """Where folders of media are on the workers, as typed."""
        return tuple(line.strip() for line in self.folders.text.splitlines() if line.strip())

    def read(self) -> tuple[str | None, tuple[str, ...]] | None:
        """Return the cluster and the folders; None where they can't be used, which it shows."""
        if not self.is_made:
            return self._named, self.roots
        if self.menu.value == OFF:
            return None, self._roots_to_keep()
        try:
            cluster = parse_cluster(self.server.address or "")
        except ValueError as exc:
            typed = self.server.address is not None
            self.server.show_wrong(as_sentence(str(exc)) if typed else "Type its address.")
            return None
        problem = _problem_of(self.roots)
        if problem and self.menu.value in _WITH_FOLDERS:
            self.folders.set_error(True)
            self._say_of_folders(problem, True)
            return None
        return cluster, self._roots_to_keep()

    def _roots_to_keep(self) -> tuple[str, ...]:
        """Return what is typed; where that is wrong, which may be hidden, what there was before."""
        return self._kept_roots if _problem_of(self.roots) else self.roots

    def show(self) -> None:
        """Ask for what the choice needs, and explain it."""
        choice = self.menu.value
        is_on = choice not in (OFF, NOT_CONFIRMED)
        self.server.grid() if is_on else self.server.grid_remove()
        self.server.fix(_FIXED.get(choice))
        self._on_folders(choice in _WITH_FOLDERS)

    def _say_or_explain(self, sentence: str, is_wrong: bool) -> None:
        choice = self.menu.value
        if sentence:
            self._say(sentence, is_wrong)
        elif not ray_is_installed():
            self._say(INSTALL, choice != OFF)
        elif choice == NOT_CONFIRMED:
            self._say(
                f"This library names {self._named}. You have not chosen it on this machine, so "
                "it is not used",
                True,
            )
        else:
            self._say(_HINTS[choice], False)

    def _folders_changed(self) -> None:
        self.folders.set_error(False)
        self._say_of_folders("", False)


def _problem_of(roots: Sequence[str]) -> str:
    """Return what is wrong with folders, as a sentence; "" where nothing is."""
    try:
        for each in roots:
            parse_root(each)
    except ValueError as exc:
        return as_sentence(str(exc))
    return ""


def _choice_for(cluster: str | None) -> str:
    """Return what stands in the menu for a cluster."""
    if cluster is None:
        return OFF
    return next((choice for choice, fixed in _FIXED.items() if fixed == cluster), ELSEWHERE)
