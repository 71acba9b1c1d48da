"""Search by words: an entry, suggestions, what is not understood, and the hits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from src.gui.core.wording import listed
from src.gui.models.models_controller import ModelsController
from src.gui.models.offer_notice import OfferNotice
from src.gui.panel.panel import PanelContext
from src.gui.search.results import MODELS_FAILED, N_RESULTS, ResultsView
from src.gui.search.search_panel import SearchPanel
from src.gui.theme.theme import LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.widgets.chips import ChipRow
from src.gui.widgets.controls import Button, panel_header
from src.gui.widgets.inputs import Entry
from src.gui.widgets.notice import Notice
from src.records import SearchHit, SearchResult
from src.search.query_text import parse_query
from src.settings import LONGEST_SEARCH, RECENT_SEARCHES

_REST_MS = 120
NO_FIT = "Nothing in your library fits these conditions."


class TextSearchPanel(SearchPanel):
    """Searches on Enter; a newer search discards an older answer."""

    def __init__(
        self,
        context: PanelContext,
        on_open: Callable[[Sequence[SearchHit], int], None],
        on_similar: Callable[[SearchHit], None],
        on_models: Callable[[], None],
        work: ModelsController,
    ) -> None:
        super().__init__(context)
        theme, session = context.theme, context.session
        self._on_models = on_models
        self._waiting: str | None = None
        self._typing: str | None = None  # Tcl's name of the callback for when typing rests
        self.query = ""
        self.recent: list[str] = []
        self._tags: dict[str, int] = {}
        panel_header(self, theme, "Search", ring_below=True)
        line = ctk.CTkFrame(self, fg_color="transparent")
        line.pack(fill="x", padx=(LEFT, RIGHT - 4))
        self.entry = Entry(
            line,
            theme,
            "What are you looking for?",
            icon_name="search",
            on_enter=self.search,
            on_change=self._typed,
            clearable=True,
        )
        self.entry.pack(side="left", fill="x", expand=True, pady=4)
        self.button = Button(
            line, theme, "Search", lambda: self.search(self.entry.text), kind="main"
        )
        self.button.pack(side="left", padx=(4, 0))
        self.chips = ChipRow(self, theme, self._chosen)
        margins = theme.px(LEFT), theme.px(RIGHT)  # a Canvas is not scaled by CustomTkinter
        self.chips.pack(fill="x", padx=margins, pady=theme.px(8))
        self.notice = Notice(self, theme)
        self.offer = OfferNotice(self, theme, work, on_models, self._place_notice)
        self.offer.want(False)
        self.results = ResultsView(self, context, on_open, on_similar)
        self.results.pack(fill="both", expand=True)
        self.results.say(self._invitation())
        session.signals.models_ready.append(self._models_ready)
        session.signals.models_failed.append(self._models_failed)
        session.signals.opened.append(self._opened)

    def _opened(self) -> None:
        self.recent = list(self._session.library.settings.recent_searches)

    def shown(self) -> None:
        """Update the suggestions, now that the panel comes to the front."""
        if self._session.is_open:
            library = self._session.library
            self._session.main_thread.run(library.tag_counts, self._counted)
        super().shown()
        self.entry.focus_field()

    def search(self, query: str) -> None:
        query = _in_one_line(query)
        if not query:
            self.entry.focus_field()
            return
        if query != self.entry.text:
            self.entry.set(query)
        if not self._session.models_ready:
            self._waiting = query
            self.results.say("The models are still loading. Your search will start in a moment.")
            return
        self._waiting = None
        library = self._session.library
        self.results.ask(
            lambda where: library.search(query, n_results=N_RESULTS, where=where, count=False),
            partial(self._show, query),
        )

    def search_similar(self, segment_id: str, path: Path, found: Callable[[], None]) -> None:
        """Search for what is like a segment of a file.

        Args:
            found: called once, before the hits are shown.
        """
        library, self._waiting = self._session.library, None

        def arrived() -> None:
            found()
            self.query = ""
            self.entry.set("")
            self.notice.pack_forget()

        self.results.ask(
            lambda where: library.similar(segment_id, N_RESULTS, where),
            lambda result: self.results.show(result.hits, f", similar to a segment of {path.name}"),
            arrived,
        )

    def _show(self, query: str, result: SearchResult) -> None:
        self.query = query
        self._remember(query)
        self._suggest()
        if result.unknown_words:
            words = listed([f"“{word}”" for word in result.unknown_words])
            known = " ".join(result.known_words)
            searched = f"for “{known}” only" if known else "without"
            rest = f" Showing results {searched}." if result.hits else ""
            self.notice.say(
                f"The starter models don't know {words}.{rest}",
                "warn",
                ("Get larger models", self._on_models),
            )
            self._place_notice(self.notice)
        else:
            self.notice.pack_forget()
        self.offer.want(not result.unknown_words)
        if result.left_by_filter is not None or result.has_more:
            total, has_more = result.left_by_filter, result.has_more
            self.results.show(result.hits, none=NO_FIT, total=total, has_more=has_more)
            if has_more:
                count = self._session.library.browse.count_left
                self.results.count(partial(count, query, self.results.masks))
            return
        words = parse_query(query).words
        if result.hits or result.known_words or not words:
            self.results.show(result.hits)
            return
        hint = "Try colours, shapes and textures: “something red”, “a blue circle”."
        none = "" if result.has_words else f"There is no word in “{words}” to search for.\n"
        self.results.say(none + hint)

    def _place_notice(self, notice: Notice) -> None:
        notice.pack(fill="x", padx=(LEFT, RIGHT), before=self.results)

    def _remember(self, query: str) -> None:
        """Put a search first among the recent ones, which are kept over a restart."""
        if len(query) <= LONGEST_SEARCH:
            others = (old for old in self.recent if old != query)
            self.recent = [query, *others][:RECENT_SEARCHES]
            self._session.keep(recent_searches=tuple(self.recent))

    def _typed(self, text: str) -> None:
        if self._waiting is not None and _in_one_line(text) != self._waiting:
            self._waiting = None  # its search would overwrite what is being typed
            self.results.say(self._invitation())
        # while typing goes on, not every key is answered
        if self._typing is not None:
            self.after_cancel(self._typing)
        self._typing = self.after(_REST_MS, self._rested)

    def _rested(self) -> None:
        self._typing = None
        self._suggest()

    def _chosen(self, text: str) -> None:
        self.entry.set(text)
        self.search(text)

    def _counted(self, tags: dict[str, int]) -> None:
        self._tags = tags
        self._suggest()

    def _suggest(self) -> None:
        typed = self.entry.text.casefold().split()
        last = typed[-1] if typed else ""
        fitting = [tag for tag in self._tags if tag.casefold().startswith(last) and tag != last]
        recent = [old for old in self.recent if old != self.entry.text]
        # what was typed before the last word stays; where no tag goes on with it, all are offered
        before = " ".join(self.entry.text.split()[:-1]) if fitting else ""
        offered = (fitting or list(self._tags))[:12]
        tags = [(f"{before} {tag}".strip(), f"{self._tags[tag]:,}") for tag in offered]
        self.chips.show([("Recent", [(old, "") for old in recent[:3]]), ("Tags", tags)])

    def _models_ready(self) -> None:
        if self._waiting is not None:
            self.search(self._waiting)

    def _models_failed(self) -> None:
        if self._waiting is not None:
            self._waiting = None
            self.results.say(MODELS_FAILED)

    def _invitation(self) -> str:
        return (
            "Type what you're looking for and press Enter:\n"
            "a colour, a shape, a texture or a tag of your own."
        )


def _in_one_line(text: str) -> str:
    """Take out spaces that say nothing; in quotation marks they may be those of a file's name."""
    return text.strip() if '"' in text else " ".join(text.split())
