"""An entry for a label: what is there already opens in a list under it, or above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from src.gui.theme.theme import Theme
from src.gui.widgets.completion_list import CompletionList
from src.gui.widgets.inputs import Entry
from src.gui.widgets.key_bindings import bind_key
from src.gui.widgets.switchable import Switchable
from src.search.completion import Suggestion


class LabelEntry(Switchable, Entry):
    """Enter gives the label that is typed or chosen; Tab takes it into the entry."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        placeholder: str,
        suggest: Callable[[str], Sequence[Suggestion]],
        on_label: Callable[[str], object],
        on_leave: Callable[[], object] | None = None,
        *,
        on_change: Callable[[str], object] = lambda _: None,
        height: int = 32,
        leaves_at_once: bool = False,
    ) -> None:
        """Make it empty.

        Args:
            suggest: what may be meant by what is typed so far, which may be nothing yet.
            on_label: gets the name that was typed or chosen.
            on_leave: gives the keyboard to what it was of before, when Escape leaves the entry;
                where there is none the window gets the key.
            leaves_at_once: whether Escape does so whatever stands in it.
            on_change: called with the text whenever that is another one.
        """
        super().__init__(master, theme, placeholder, height=height, on_change=self._typed)
        self._on_typed = on_change
        self._suggest, self._on_label, self._on_leave = suggest, on_label, on_leave
        self._leaves_at_once = leaves_at_once
        self.list = CompletionList(self.winfo_toplevel(), theme, self._choose)
        # of a class of their own, which comes before the keys of the entry
        keys, inner = f"completion of {self}", self.field._entry
        inner.bindtags((keys, *inner.bindtags()))
        for sequence, answer in (
            ("<Down>", lambda _: self._step(1)),
            ("<Up>", lambda _: self._step(-1)),
            ("<Tab>", lambda _: self._complete()),
            ("<Return>", lambda _: self._accept()),
            ("<KP_Enter>", lambda _: self._accept()),
            ("<Escape>", lambda _: self._escape()),
            ("<FocusIn>", lambda _: self.after_idle(self._offer)),
            ("<FocusOut>", lambda _: self.list.hide()),
        ):
            bind_key(partial(inner.bind_class, keys), sequence, answer)

    def _show_enabled(self) -> None:
        self.field.configure(state="normal" if self.enabled else "disabled")

    def _typed(self, text: str) -> None:
        self._on_typed(text)
        if self._has_focus:
            self._offer()

    def _offer(self) -> None:
        """Show what may be meant, below the entry, or above it where there is no room."""
        if self.focus_get() is not self.field._entry:
            return
        window, found = self.winfo_toplevel(), self._suggest(self.text)
        left, top = self.winfo_rootx() - window.winfo_rootx(), self.winfo_rooty()
        top -= window.winfo_rooty()
        below = top + self.winfo_height() + self.theme.px(4)
        high = self.list.height_of(len(found))
        fits = below + high <= window.winfo_height()
        self.list.show(found, left, below if fits else top - self.theme.px(4) - high)

    def _step(self, step: int) -> str:
        if not self.list.is_open:
            self._offer()
        else:
            self.list.step(step)
        return "break"

    def _complete(self) -> str | None:
        """Take a suggestion into the entry; with nothing typed or chosen, go on to what follows."""
        chosen = self.list.chosen
        if chosen is None and self.text and self.list.is_open:
            chosen = self.list.suggestions[0]
        if chosen is None or chosen.text == self.text:
            return None
        self.set(chosen.text)
        self.field.icursor("end")
        self.list.hide()
        return "break"

    def _accept(self) -> str:
        name = self.text if self.list.chosen is None else self.list.chosen.text
        self.list.hide()
        if name.strip():
            self._on_label(name)
        return "break"

    def _choose(self, suggestion: Suggestion) -> None:
        self.list.hide()
        self._on_label(suggestion.text)

    def _escape(self) -> str | None:
        """Close the list, else empty the entry, else leave it."""
        if self.text and not self._leaves_at_once:
            if self.list.is_open:
                self.list.hide()
            else:
                self.set("")
            return "break"
        self.list.hide()
        if self._on_leave is None:
            return None
        self._on_leave()
        return "break"
