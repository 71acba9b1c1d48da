"""Search by words, examples and conditions: the entry, suggestions, and the hits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from src.errors import QueryError
from src.gui.core.wording import as_sentence, listed
from src.gui.filters.filter_row import FilterRow
from src.gui.models.models_controller import ModelsController
from src.gui.models.offer_notice import OfferNotice
from src.gui.panel.panel import PanelContext
from src.gui.search.chosen_hits import HitActions
from src.gui.search.query_entry import QueryEntry
from src.gui.search.query_parts import QueryParts, has_ids, split
from src.gui.search.results import MODELS_FAILED, ResultsView, Visit
from src.gui.search.save_search import SaveSearchButton
from src.gui.search.search_panel import SearchPanel
from src.gui.search.suggestions import Suggestions
from src.gui.theme.theme import LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, panel_header
from src.gui.widgets.notice import Notice
from src.gui.widgets.tooltip import Tooltip
from src.records import SearchHit, SearchResult
from src.search.filters import EVERYTHING, Filter, all_of
from src.search.query import ImageFile, Like, Query, Term
from src.search.query_text import parse_query, write_query

NO_FIT = "Nothing in your library fits these conditions."
MOST_BACK = 50  # searches that one can go back to


@dataclass(frozen=True)
class Earlier:
    """A search that a person can return to."""

    words: str
    parts: QueryParts
    visit: Visit


class TextSearchPanel(SearchPanel):
    """Searches on Enter; a newer search discards an older answer."""

    drop_sentence = "Drop to search by this image"

    def __init__(
        self,
        context: PanelContext,
        actions: HitActions,
        on_models: Callable[[], None],
        work: ModelsController,
    ) -> None:
        super().__init__(context)
        theme, session = context.theme, context.session
        self._on_models = on_models
        self._waiting: Query | None = None
        self.query = ""
        self._shown: tuple[str, QueryParts] | None = None  # whose hits are shown
        self._earlier: list[Earlier] = []
        header = panel_header(self, theme, "Search", ring_below=True)
        self.back = Button(
            header, theme, "Back", self.step_back, kind="quiet", icon_name="left", height=32
        )
        Tooltip(self.back, theme, context.hint("step-back"))
        self.save = SaveSearchButton(header, theme, session, lambda: self.query)
        line = ctk.CTkFrame(self, fg_color="transparent")
        line.pack(fill="x", padx=(LEFT, RIGHT - 4))
        self.entry = QueryEntry(
            line,
            theme,
            context.thumbnails,
            "What are you looking for?",
            on_enter=self.search,
            on_change=self._typed,
            on_parts=self._parts_changed,
        )
        self.entry.pack(side="left", fill="x", expand=True, pady=4)
        self.button = Button(
            line, theme, "Search", lambda: self.search(self.entry.text), kind="main"
        )
        self.button.pack(side="left", padx=(4, 0))
        # a condition alone is a search, too
        self.filters = FilterRow(self, theme, session, lambda _: self.search(self.entry.text))
        # a Canvas is not scaled by CustomTkinter
        inside = theme.px(LEFT - RING), theme.px(RIGHT - RING)
        self.filters.pack(fill="x", padx=inside, pady=(theme.px(4), theme.px(4)))
        self.suggestions = Suggestions(self, theme, session, self.entry, self.run)
        self.notice = Notice(self, theme)
        self.offer = OfferNotice(self, theme, work, on_models, self._place_notice)
        self.offer.want(False)
        self.results = ResultsView(self, context, actions, has_quality=False)
        self.results.pack(fill="both", expand=True)
        self.results.say(self._invitation())
        self._place_chips()
        session.signals.models_ready.append(self._models_ready)
        session.signals.models_failed.append(self._models_failed)
        session.signals.opened.append(self.suggestions.opened)

    def shown(self) -> None:
        """Update the suggestions, now that the panel comes to the front."""
        self.suggestions.refresh()
        super().shown()
        self.entry.select_all()

    def refresh_thumbnails(self) -> None:
        super().refresh_thumbnails()
        self.entry.chips.refresh()

    # -- what is searched for

    def search(self, typed: str) -> None:
        """Search for what the entry holds: its chips, and what was typed beside them."""
        typed = _in_one_line(typed)
        if typed != self.entry.text:
            self.entry.set(typed)  # where a fault is is said of what stands there
        self.suggestions.hide()
        if (held := self._held()) is not None:
            self._search(*held)

    def _held(self) -> tuple[str, QueryParts] | None:
        """Read what the entry holds: words, and all else; None where it can't be read."""
        try:
            return self._parts.joined(parse_query(self.entry.text))
        except QueryError as exc:
            self._say_wrong(exc)
            return None

    def run(self, text: str) -> None:
        """Search for a whole query in its text form; what the entry held is gone."""
        try:
            words, parts = split(parse_query(text))
        except QueryError as exc:
            self._show_query(text, QueryParts())
            self._say_wrong(exc)
            return
        self._search(words, parts)

    def show_only(self, where: Filter) -> None:
        """Show all that a filter leaves; what the entry held is gone."""
        self._search("", QueryParts(filter=where))

    @property
    def _parts(self) -> QueryParts:
        """What is searched for beside the words: chips, and the buttons of the filter row."""
        chips = self.entry.parts
        return replace(chips, filter=all_of([self.filters.owned, chips.filter]))

    def _show_query(self, words: str, parts: QueryParts) -> None:
        """Show a query: what a button says is no chip."""
        self.filters.show(parts.filter)
        self.entry.show(words, replace(parts, filter=self.filters.unowned))
        self.suggestions.hide()  # nobody has typed it

    def search_similar(self, segment_id: str, path: Path, found: Callable[[], None]) -> None:
        """Search for what is like a segment of a file.

        Args:
            found: called once, before the hits are shown.
        """
        self.entry.name(segment_id, path.name, None)
        self._search("", QueryParts((Like(segment_id),)), found)

    def take_file(self, path: Path) -> bool:
        """Search for what is like an image that was dropped, and like what is there already."""
        self.add_term(ImageFile(path))
        return True

    def add_hit(self, hit: SearchHit, weight: float) -> None:
        """Search for more like a hit, or for less, beside what is searched for already."""
        segment = hit.segment
        self.entry.name(segment.id, segment.media_path.name, segment.crop_path)
        self.add_term(Like(segment.id, weight=weight))

    def add_term(self, term: Term) -> None:
        """Search for a term beside what is searched for already."""
        if (held := self._held()) is not None:
            words, parts = held
            others = (each for each in parts.terms if each != replace(term, weight=each.weight))
            self._search(words, replace(parts, terms=(*others, term)))

    def _parts_changed(self) -> None:
        """Search again, now that a person has changed a chip."""
        if self._shown is not None:
            self.search(self.entry.text)

    def _search(
        self, words: str, parts: QueryParts, found: Callable[[], None] | None = None
    ) -> None:
        if not words and not parts:
            self._show_nothing()
            return
        try:
            query = parts.query(words)
        except QueryError as exc:  # what stood before "with" was taken away
            self._say_wrong(exc)
            return
        if found is None:
            self._show_query(words, parts)
        if not self._session.models_ready and query.terms:
            self._waiting = query
            self.results.say("The models are still loading. Your search will start in a moment.")
            return
        self._waiting = None
        library, before = self._session.library, self._here()

        def arrived() -> None:
            if found is not None:
                found()
                self._show_query(words, parts)
            if before is not None and (before.words, before.parts) != (words, parts):
                self._earlier = [*self._earlier, before][-MOST_BACK:]
            self._shown = words, parts
            self._place_back()

        self.results.ask(
            lambda where, limit: library.find(
                replace(query, filter=query.filter & where, limit=limit, one_of_each=True),
                count=False,
            ),
            partial(self._show, query),
            arrived,
        )
        self._name_segments(parts)

    def _show_nothing(self) -> None:
        """Wait for something to search for."""
        self.filters.show(EVERYTHING)
        self.results.forget()
        self.results.say(self._invitation())
        self._place_chips()
        self.entry.focus_field()

    def _name_segments(self, parts: QueryParts) -> None:
        """Look up the files and crops of segments that are searched for, where not known yet."""
        library = self._session.library
        ids = [term.segment_id for term in parts.terms if isinstance(term, Like)]
        ids = [each for each in ids if not self.entry.knows(each)]
        if not ids:
            return

        def looked_up(found: SearchResult) -> None:
            for hit in found:
                segment = hit.segment
                self.entry.name(segment.id, segment.media_path.name, segment.crop_path)

        self._session.main_thread.run(
            lambda: library.segments(ids), looked_up, fails="Couldn't look up the segment"
        )

    # -- going back

    def _here(self) -> Earlier | None:
        visit = self.results.visit()
        return None if self._shown is None or visit is None else Earlier(*self._shown, visit)

    def step_back(self) -> bool:
        """Go back to all results, or to the search before; returns whether there was any."""
        if super().step_back():
            return True
        if not self._earlier:
            return False
        earlier = self._earlier.pop()
        self._waiting = None
        self._shown = earlier.words, earlier.parts
        self._show_query(earlier.words, earlier.parts)
        self.results.return_to(earlier.visit)
        self._place_back()
        return True

    def _place_back(self) -> None:
        """Show the way back where there is one, and the way to keep what is shown."""
        if not self.save.winfo_manager():
            self.save.pack(side="right")
        if self._earlier and not self.back.winfo_manager():
            self.back.pack(side="right")
        elif not self._earlier:
            self.back.pack_forget()

    # -- what was found

    def _show(self, query: Query, result: SearchResult) -> None:
        self._show_result(query, result)
        self._place_chips()

    def _show_result(self, query: Query, result: SearchResult) -> None:
        self.query = write_query(query)
        if not has_ids(query):  # an id says nothing later
            self.suggestions.remember(self.query)
        self.suggestions.show_chips(self.query)
        if result.unknown_words:
            words = listed([f"“{word}”" for word in result.unknown_words])
            known = " ".join(result.known_words)
            if known and len(query.terms) == 1:
                searched = f"for “{known}” only"
            else:
                searched = "without it" if len(result.unknown_words) == 1 else "without them"
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
            self.results.show(result, none=NO_FIT)
            if result.has_more:
                count = self._session.library.browse.count_left
                self.results.count(partial(count, self.query, self.results.masks))
            return
        words = query.words
        if result.hits or result.known_words or not words:
            self.results.show(result, _similar_to(query, result))
            return
        hint = "Try colours, shapes and textures: “something red”, “a blue circle”."
        none = "" if result.has_words else f"There is no word in “{words}” to search for.\n"
        self.results.say(none + hint)

    def _say_wrong(self, exc: QueryError) -> None:
        """Say what is wrong under the word it is in; what was found before stays."""
        self._waiting = None
        if exc.span is not None:
            self.entry.show_fault(exc.span, as_sentence(exc.short))
        else:
            self.results.forget()
            self.results.say(as_sentence(str(exc)))

    def _place_notice(self, notice: Notice) -> None:
        notice.pack(fill="x", padx=(LEFT, RIGHT), before=self.results)

    # -- suggestions

    def _place_chips(self) -> None:
        """Show suggestions as long as there are no hits, which need their place."""
        chips, shown = self.suggestions.chips, not self.results.result.hits
        if shown and not chips.winfo_manager():
            px = self.theme.px
            margins = px(LEFT), px(RIGHT)
            chips.pack(fill="x", padx=margins, pady=(0, px(4)), after=self.filters)
        elif not shown:
            chips.pack_forget()

    def _typed(self, text: str) -> None:
        if self._waiting is not None and _in_one_line(text) != split(self._waiting)[0]:
            self._waiting = None  # its search would overwrite what is being typed
            self.results.say(self._invitation())
        self.suggestions.typed()

    def _models_ready(self) -> None:
        if self._waiting is not None:
            self._search(*split(self._waiting))

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


def _similar_to(query: Query, result: SearchResult) -> str:
    """Write what hits are similar to, where they are searched for by one segment alone."""
    only = query.terms[0] if len(query.terms) == 1 else None
    if not isinstance(only, Like):
        return ""
    names = (hit.segment.media_path.name for hit in result if hit.segment.id == only.segment_id)
    return f", similar to a segment of {next(names, 'your library')}"
