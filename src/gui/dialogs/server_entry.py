"""An entry for a server's address, with a button that tries it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.gui.core.wording import as_sentence
from src.gui.theme.theme import Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button
from src.gui.widgets.inputs import Entry

# Shows a sentence on an address, and whether it is an error; "" for none.
Say = Callable[[str, bool], None]
# Called with an address and with what to call then.
Try = Callable[[str, Say], None]


class ServerEntry(ctk.CTkFrame):
    """One line: the address, and Test. The address can be a fixed one, which is not shown."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        placeholder: str,
        address: str | None,
        on_test: Try,
        say: Say,
    ) -> None:
        """Make it.

        Args:
            on_test: asks the server, and never holds up the window.
        """
        super().__init__(master, fg_color="transparent")
        self._on_test, self._say = on_test, say
        self._fixed: str | None = None
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
        """The fixed one, or what is typed; None where nothing is."""
        return self._fixed or self._entry.text.strip() or None

    def fix(self, address: str | None) -> None:
        """Stand for an address that is chosen elsewhere; None takes what is typed again."""
        self._fixed = address
        self._entry.grid() if address is None else self._entry.grid_remove()
        self._changed("")

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
        self._on_test(address, lambda said, is_wrong: self._answered(address, said, is_wrong))

    def _answered(self, address: str, said: str, is_wrong: bool) -> None:
        if not self.winfo_exists() or self.address != address:
            return  # another address is typed by now
        self._button.set_enabled(True)
        self._entry.set_error(is_wrong)
        self._say(as_sentence(said), is_wrong)
