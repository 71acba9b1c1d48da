"""An entry for a server's address, with a button that tries it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.gui.core.wording import as_sentence
from src.gui.theme.theme import Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button
from src.gui.widgets.inputs import Entry

# Called with an address and with what to call then: with what is wrong, or None.
Try = Callable[[str, Callable[[str | None], None]], None]


class ServerEntry(ctk.CTkFrame):
    """One line: the address, and Test."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        placeholder: str,
        address: str | None,
        on_test: Try,
        say: Callable[[str, bool], None],
    ) -> None:
        """Make it.

        Args:
            on_test: asks the server, and never holds up the window.
            say: shows a sentence on the address, and whether it is an error; "" for none.
        """
        super().__init__(master, fg_color="transparent")
        self._on_test, self._say = on_test, say
        self.grid_columnconfigure(0, weight=1)
        self._entry = Entry(
            self,
            theme,
            placeholder,
            height=32,
            on_enter=lambda _: self._test(),
            on_change=self._changed,
        )
        self._entry.grid(row=0, column=0, sticky="ew", padx=(4, 4))
        self._button = Button(self, theme, "Test", self._test, height=28)
        self._button.grid(row=0, column=1)
        if address is not None:  # else what it is for stays in it
            self._entry.set(address)
        self._button.set_enabled(address is not None)

    @property
    def address(self) -> str | None:
        """What is typed; None where nothing is."""
        return self._entry.text.strip() or None

    def show_wrong(self, problem: str) -> None:
        self._entry.set_error(True)
        self._say(problem, True)

    def _changed(self, _: str) -> None:
        self._entry.set_error(False)
        self._button.set_enabled(self.address is not None)
        self._say("", False)

    def _test(self) -> None:
        address = self.address
        if address is None or not self._button.enabled:
            return
        self._button.set_enabled(False)
        self._say("Waiting for an answer…", False)
        self._on_test(address, lambda problem: self._answered(address, problem))

    def _answered(self, address: str, problem: str | None) -> None:
        if not self.winfo_exists() or self.address != address:
            return  # another address is typed by now
        self._button.set_enabled(True)
        self._entry.set_error(problem is not None)
        said = "The server answers." if problem is None else as_sentence(problem)
        self._say(said, problem is not None)
