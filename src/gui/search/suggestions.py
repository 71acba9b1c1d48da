"""What a search panel suggests: recent searches and tags at first, and how words may go on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from src.gui.core.session import Session
from src.gui.search.query_entry import QueryEntry
from src.gui.theme.theme import LEFT, RIGHT, Theme
from src.gui.widgets.chips import ChipRow
from src.gui.widgets.completion_list import CompletionList
from src.gui.widgets.key_bindings import bind_key
from src.search.completion import SearchFacts, Suggestion, complete
from src.settings import LONGEST_SEARCH, RECENT_SEARCHES

REST_MS = 120
_RECENT, _TAGS = 3, 12


class Suggestions:
    """Chips below the entry, and a list that opens under it once the hand rests.

    While typing goes on, not every key is answered.
    """

    def __init__(
        self,
        panel: Any,
        theme: Theme,
        session: Session,
        entry: QueryEntry,
        run: Callable[[str], None],
    ) -> None:
        """Listen to an entry.

        Args:
            panel: in which chips and list lie.
            run: searches for a whole query.
        """
        self._panel, self._theme, self._session = panel, theme, session
        self._entry, self._run = entry, run
        self.facts = SearchFacts()
        self.recent: list[str] = []
        self._span = (0, 0)
        self._typing: str | None = None  # Tcl's name of the callback for when typing rests
        self.chips = ChipRow(panel, theme, run)
        self.list = CompletionList(panel, theme, self._choose)
        # of a class of their own, which comes before the keys of the entry: Return would search
        keys, inner = f"completion of {entry}", entry.field._entry
        inner.bindtags((keys, *inner.bindtags()))
        for sequence, answer in (
            ("<Down>", lambda _: self._step(1)),
            ("<Up>", lambda _: self._step(-1)),
            ("<Tab>", lambda _: self._accept(or_first=True)),
            ("<Return>", lambda _: self._accept(or_first=False)),
            ("<KP_Enter>", lambda _: self._accept(or_first=False)),
            ("<Escape>", lambda _: self._close()),
            ("<FocusOut>", lambda _: self.hide()),
        ):
            bind_key(partial(inner.bind_class, keys), sequence, answer)

    def opened(self) -> None:
        """Take the recent searches of the library that is open now."""
        self.recent = list(self._session.library.settings.recent_searches)

    def refresh(self) -> None:
        """Read again what there is to suggest."""
        if self._session.is_open:
            self._session.main_thread.run(self._session.library.search_facts, self.know)

    def know(self, facts: SearchFacts) -> None:
        self.facts = facts
        self.show_chips("")

    def remember(self, query: str) -> None:
        """Put a search first among the recent ones, which are kept over a restart."""
        if len(query) <= LONGEST_SEARCH:
            others = (old for old in self.recent if old != query)
            self.recent = [query, *others][:RECENT_SEARCHES]
            self._session.keep(recent_searches=tuple(self.recent))

    def place_chips(self, shown: bool, after: Any) -> None:
        """Show the chips below a widget, or hide them."""
        if shown and not self.chips.winfo_manager():
            px = self._theme.px
            margins = px(LEFT), px(RIGHT)
            self.chips.pack(fill="x", padx=margins, pady=(0, px(4)), after=after)
        elif not shown:
            self.chips.pack_forget()

    def show_chips(self, query: str) -> None:
        """Show what was searched for before, but for the query that is shown, and tags."""
        recent = [(old, "") for old in self.recent if old != query][:_RECENT]
        tags = [(name, f"{count:,}") for name, count in self.facts.tags.counts[:_TAGS]]
        self.chips.show([("Recent", recent), ("Tags", tags)])

    # -- while a person types

    def typed(self) -> None:
        """Suggest how it may go on, once the hand rests."""
        if self._typing is not None:
            self._panel.after_cancel(self._typing)
        self._typing = self._panel.after(REST_MS, self._rested)

    def hide(self) -> None:
        """Suggest nothing until more is typed."""
        if self._typing is not None:
            self._panel.after_cancel(self._typing)
            self._typing = None
        self.list.hide()

    def _rested(self) -> None:
        self._typing = None
        entry = self._entry
        if not entry.text.strip() or not entry.has_focus:
            self.list.hide()
            return
        completion = complete(entry.text, entry.cursor, self.facts)
        self._span = completion.span
        x, y = entry.place_under(completion.span[0], self._panel)
        self.list.show(completion.suggestions, x, y)

    def _step(self, step: int) -> str | None:
        if not self.list.is_open:
            return None
        self.list.step(step)
        return "break"

    def _accept(self, or_first: bool) -> str | None:
        """Take the suggestion that the keys have come to; Tab takes the first where none is."""
        chosen = self.list.chosen
        if chosen is None and or_first and self.list.is_open:
            chosen = self.list.suggestions[0]
        if chosen is None:
            self.hide()
            return None
        self._choose(chosen)
        return "break"

    def _close(self) -> str | None:
        if not self.list.is_open:
            return None
        self.hide()
        return "break"

    def _choose(self, suggestion: Suggestion) -> None:
        self.hide()
        if suggestion.kind == "recent":
            self._run(suggestion.text)
            return
        goes_on = suggestion.kind == "field"
        self._entry.replace_span(self._span, suggestion.text + ("" if goes_on else " "))
        if goes_on:
            self.typed()
