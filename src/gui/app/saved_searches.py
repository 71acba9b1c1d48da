"""The saved searches of the library in the sidebar: listed, counted, run, renamed, removed."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from src.errors import GivenUp, MediaReadError, QueryError, is_of_a_person
from src.gui.app.saved_list import SavedList
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
from src.gui.theme.theme import Theme
from src.gui.widgets.popup import Entry, show_menu
from src.search.examples import mark_examples
from src.search.query_text import parse_query
from src.search.saved_searches import SavedSearch

if TYPE_CHECKING:
    from src.library import MediaLibrary

SAVED_MENU = "saved search"
LIST_AFTER_S = 0.2
# After something has changed, until all are counted again.
COUNT_AFTER_S = 2.0


class SavedSearches:
    """Keeps the list up to date; nothing is shown while there are none.

    Attributes:
        chosen: the name of the search whose menu was opened last.
    """

    def __init__(
        self,
        sidebar: tkinter.Misc,
        theme: Theme,
        session: Session,
        run: Callable[[str], object],
        menu: Callable[[str], Sequence[Entry]],
        make_room: Callable[[bool], object],
    ) -> None:
        """Listen for a library.

        Args:
            run: searches for a text.
            menu: lists what is in a context menu now, by its name.
            make_room: called with whether there is a list to be shown.
        """
        self._make_room = make_room
        self._sidebar, self._theme, self._session = sidebar, theme, session
        self._run, self._menu_entries = run, menu
        self.list: SavedList | None = None  # made when there is the first one
        self.chosen = ""
        self._texts: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._counting = self._count_again = self._waits = False
        signals = session.signals
        signals.opened.append(self._opened)
        signals.saved_searches_changed.append(self.refresh)
        signals.models_ready.append(self._count)
        signals.content_changed.append(self._count_soon)
        signals.job_ended.append(lambda job, ended: self._count_soon())

    def _opened(self) -> None:
        self._session.main_thread.after(LIST_AFTER_S, self.refresh)  # the cards come first

    def refresh(self) -> None:
        """Read them again."""
        self._session.main_thread.run(self._session.library.saved_searches, self._show_all)

    def run(self, name: str) -> None:
        self._run(self._texts[name])

    def rename(self, name: str, new: str) -> None:
        """Give one another name; where it can't have that, it is asked for again."""
        library = self._session.library

        def failed(exc: Exception) -> None:
            if not is_of_a_person(exc) or self.list is None or name not in self.list.names:
                raise exc  # to the window's error handler
            self.list.start_renaming(name, new, as_sentence(str(exc)))

        self._session.change_saved_searches(
            lambda: library.rename_search(name, new),
            failed=failed,
            fails="Couldn't rename the search",
        )

    def remove(self, name: str) -> None:
        library = self._session.library
        self._session.change_saved_searches(
            lambda: library.forget_search(name), fails="Couldn't remove the search"
        )

    def rename_chosen(self) -> None:
        """Ask for another name, in the place of the one whose menu is open."""
        if self.list is not None and self.chosen in self._texts:
            self.list.start_renaming(self.chosen)

    def remove_chosen(self) -> None:
        if self.chosen in self._texts:
            self.remove(self.chosen)

    # -- showing

    def _menu(self, name: str, x: int, y: int) -> None:
        self.chosen = name
        show_menu(self._sidebar, self._theme, self._menu_entries(SAVED_MENU), x, y)

    def _show_all(self, saved: Sequence[SavedSearch]) -> None:
        texts = {each.name: each.text for each in saved}
        changed = {name for name, text in texts.items() if self._texts.get(name) != text}
        self._texts = texts
        self._counts = {n: c for n, c in self._counts.items() if n in texts and n not in changed}
        self._show()
        if changed:
            self._count()

    def _show(self) -> None:
        if self._texts and self.list is None:
            self.list = SavedList(
                self._sidebar, self._theme, self.run, self._menu, self.rename, self.remove
            )
        if self.list is None:
            return
        self.list.show(list(self._texts), self._counts)
        if self._texts and not self.list.winfo_manager():
            px = self._theme.px
            self.list.pack(fill="both", expand=True, padx=px(16), pady=(px(12), px(8)))
            self._make_room(True)
        elif not self._texts:
            self.list.pack_forget()
            self._make_room(False)

    # -- counting

    def _count_soon(self) -> None:
        """Count again when what changes has come to rest; many changes make one count."""
        if self._texts and not self._waits:
            self._waits = True
            self._session.main_thread.after(COUNT_AFTER_S, self._count_waiting)

    def _count_waiting(self) -> None:
        self._waits = False
        self._count()

    def _count(self) -> None:
        """Count behind the window; one count at a time."""
        session = self._session
        if not self._texts or not session.is_open:
            return
        if self._counting:
            self._count_again = True
            return
        self._counting = True
        library, texts, has_models = session.library, dict(self._texts), session.models_ready

        def counting() -> dict[str, int]:
            found = {}
            for name, text in texts.items():
                if session.is_closing:
                    break
                if (count := found_by(library, text, session, has_models)) is not None:
                    found[name] = count
            return found

        session.main_thread.run(counting, self._counted, self._not_counted, is_search=True)

    def _counted(self, counts: dict[str, int]) -> None:
        self._counting = False
        self._counts = counts
        self._show()
        if self._count_again:
            self._count_again = False
            self._count()

    def _not_counted(self, exc: Exception) -> None:
        self._counting = self._count_again = False
        raise exc  # to the window's error handler


def found_by(library: MediaLibrary, text: str, session: Session, has_models: bool) -> int | None:
    """Count what a search finds: its strong hits, or all where it is a filter alone.

    Returns:
        None where that can't be told: no line is drawn, the models are not there, or what is
        searched for is gone.
    """
    try:
        query = parse_query(text, limit=1)
        if not query.terms:
            return library.browse.count_left(text, wanted=lambda: not session.is_closing)
        if not has_models:
            return None
        return mark_examples(query, library.find(query, count=False)).strong
    except (QueryError, MediaReadError, GivenUp):
        return None
