"""The button that keeps a search in the sidebar, under a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.errors import is_of_a_person
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
from src.gui.theme.theme import Theme
from src.gui.widgets.controls import Button
from src.gui.widgets.name_dropdown import NameDropdown

SAVE_SEARCH = "Save search"


class SaveSearchButton(Button):
    """Opens an entry for the name; Enter saves, Escape does not."""

    def __init__(
        self, master: Any, theme: Theme, session: Session, text: Callable[[], str]
    ) -> None:
        """Make it.

        Args:
            text: gives the search as it is written now; empty while there is none.
        """
        super().__init__(master, theme, SAVE_SEARCH, self.open, icon_name="bookmark", height=32)
        self._session, self._text = session, text
        session.only_to_write(self)

    def open(self) -> None:
        """Ask for the name, with the search itself as a first proposal."""
        text = self._text()
        if not text or not self._session.is_open:
            return
        library = self._session.library

        def failed(exc: Exception) -> None:
            if not is_of_a_person(exc) or not dropdown.winfo_exists():
                raise exc  # to the window's error handler
            dropdown.say_wrong(as_sentence(str(exc)))

        def saved() -> None:
            dropdown.close()

        def save(name: str) -> None:
            self._session.change_saved_searches(
                lambda: library.save_search(name, text),
                saved,
                failed,
                "Couldn't save the search",
            )

        dropdown = NameDropdown(self, self.theme, "Name of the search", text, save)
