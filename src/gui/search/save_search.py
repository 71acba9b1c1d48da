"""The button that keeps a search in the sidebar, under a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.errors import is_of_a_person
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label
from src.gui.widgets.dropdown import Dropdown
from src.gui.widgets.inputs import Entry

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

    def open(self) -> None:
        """Ask for the name, with the search itself as a first proposal."""
        text = self._text()
        if not text or not self._session.is_open:
            return
        theme, c = self.theme, self.theme.colours
        dropdown = Dropdown(self, theme)
        body = ctk.CTkFrame(dropdown, fg_color=c.raised, corner_radius=0)
        body.pack(padx=theme.px(12), pady=theme.px(12))
        label(body, theme, "Name of the search", size=SMALL, colour=c.text_2).grid(
            row=0, column=0, columnspan=2, sticky="w", pady=(0, 4)
        )
        wrong = label(body, theme, "", size=SMALL, colour=c.error, wraplength=300, justify="left")

        def saved() -> None:
            dropdown.close()

        def failed(exc: Exception) -> None:
            if not is_of_a_person(exc) or not body.winfo_exists():
                raise exc  # to the window's error handler
            wrong.configure(text=as_sentence(str(exc)))
            entry.set_error(True)

        def save() -> None:
            name, library = entry.text.strip(), self._session.library
            if not name:
                return

            self._session.change_saved_searches(
                lambda: library.save_search(name, text),
                saved,
                failed,
                "Couldn't save the search",
            )

        entry = Entry(body, theme, "Name", height=32, on_enter=lambda _: save())
        entry.field.configure(width=220)
        entry.set(text)
        entry.grid(row=1, column=0, padx=(0, 4))
        Button(body, theme, "Save", save, height=32).grid(row=1, column=1)
        wrong.grid(row=2, column=0, columnspan=2, sticky="w", pady=(4, 0))
        x, y = self.winfo_rootx() + self.winfo_width(), self.winfo_rooty() + self.winfo_height()
        dropdown.open(x, y, self.winfo_rooty(), entry.field._entry, from_right=True)
        entry.focus_field()  # with all of it selected, to be typed over
