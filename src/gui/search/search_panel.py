"""Search by words, examples and conditions: the entry, suggestions, an image, and the hits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from src.errors import QueryError
from src.gui.cards.card_grid import WISH, CardGrid
from src.gui.core.query_parts import (
    QueryParts,
    images_of,
    in_one_line,
    split,
)
from src.gui.filters.filter_row import FilterRow
from src.gui.models.models_controller import ModelsController
from src.gui.panel.panel import Panel, PanelContext
from src.gui.search import answers
from src.gui.search.answer_view import AnswerView
from src.gui.search.chosen_hits import HitActions
from src.gui.search.hit_cards import each_of
from src.gui.search.image_column import ImageColumn, ImageColumnActions
from src.gui.search.query_entry import QueryEntry
from src.gui.search.results import MODELS_FAILED, ResultsView
from src.gui.search.search_notices import SearchNotices
from src.gui.search.segment_names import name_parts
from src.gui.search.suggestions import Suggestions
from src.gui.search.way_back import Earlier, Elsewhere, Searched, WayBack
from src.gui.theme.theme import LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, panel_header
from src.records import SearchHit, SearchResult
from src.search.examples import mark_examples
from src.search.filters import EVERYTHING, Filter, all_of
from src.search.query import Image, ImageFile, Like, Query, Term
from src.search.query_text import parse_query

BY_WORDS, BY_IMAGE = "text", "image"  # the ways in, by the keys of their rows in the sidebar
_WISH_BESIDE = 168  # width of a card beside the image


class SearchPanel(Panel):
    """Searches on Enter; a newer search discards an older answer.

    There are two ways into it: by words, and by an image, which is shown beside the hits then.
    """

    drop_sentence = "Drop to search by this image"

    def __init__(
        self,
        context: PanelContext,
        actions: HitActions,
        on_models: Callable[[], None],
        work: ModelsController,
        on_choose: Callable[[], None],
        on_paste: Callable[[], None],
        on_way: Callable[[str], None],
    ) -> None:
        """Make it, with nothing to show.

        Args:
            on_choose: asks for an image file and searches for it.
            on_paste: searches for the image on the clipboard.
            on_way: shows the panel as one of its ways in leads to it.
        """
        super().__init__(context)
        theme, session = context.theme, context.session
        self.way = BY_WORDS
        self._on_way = on_way
        self._waiting: Query | None = None
        self._shown: Searched | None = None  # whose hits are shown
        header = panel_header(self, theme, "Search", ring_below=True)
        hint = context.hint("step-back")
        self.way_back = WayBack(header, theme, session, hint, self.step_back, lambda: self.query)
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
        self.notices = SearchNotices(
            self, theme, work, on_models, lambda: self._body, lambda: session.index_away
        )
        self._body = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        self._body.pack(fill="both", expand=True)
        self.image = ImageColumn(
            self._body,
            theme,
            session,
            ImageColumnActions(on_choose, on_paste, self.use_image, self._refuse_image),
        )
        self.results = ResultsView(self._body, context, actions)
        self.results.pack(side="left", fill="both", expand=True)
        self._answer = AnswerView(session, self.entry, self.suggestions, self.notices, self.results)
        self.results.say(self._invitation())
        self._place_chips()
        session.signals.models_ready.append(self._models_ready)
        session.signals.models_failed.append(self._models_failed)
        session.signals.opened.append(self.suggestions.opened)

    def enter(self, way: str) -> None:
        """Show or hide the image beside the hits; what is searched for stays."""
        if way == self.way:
            return
        self.way = way
        if way == BY_IMAGE:
            self.image.stand_beside(self.results)
            self._show_image()
            self.winfo_toplevel().focus_set()  # an entry would take the paste of an image
        else:
            self.image.pack_forget()
        self.results.grid_view.set_wish(_WISH_BESIDE if way == BY_IMAGE else WISH)
        if self.results.visit() is None and self._waiting is None:
            self.results.say(self._invitation())
        self._place_chips()

    def shown(self) -> None:
        """Update the suggestions, now that the panel comes to the front."""
        self.suggestions.refresh()
        self.results.refresh()
        if self.way == BY_WORDS:
            self.entry.select_all()
        self.results.along.return_keys()

    def refresh_thumbnails(self) -> None:
        self.results.refresh_thumbnails()
        self.entry.chips.refresh()

    @property
    def card_grid(self) -> CardGrid:
        return self.results.grid_view

    def ask_for_label(self) -> None:
        if (chosen := self.results.chosen) is not None:
            chosen.label()

    def undo(self) -> None:
        self.results.selection.labelling.undo()

    def redo(self) -> None:
        self.results.selection.labelling.redo()

    @property
    def found(self) -> Sequence[SearchHit]:
        return each_of(self.results.hits.hits)

    @property
    def examples(self) -> Sequence[SearchHit]:
        """Hits that show what somebody looks for: the selected ones, else those above the line."""
        results = self.results
        return results.selection.hits or results.result.hits[: results.strong]

    # -- what is searched for

    def search(self, typed: str) -> None:
        """Search for what the entry holds: its chips, and what was typed beside them."""
        typed = in_one_line(typed)
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

    def run_query(self, query: Query, back: Callable[[], object] | None = None) -> None:
        """Search for a whole query; what the entry held is gone.

        Args:
            back: shows where this was asked for; the way back leads there.
        """
        self._search(*split(query), begun_in=None if back is None else Elsewhere(back))

    @property
    def query(self) -> str:
        """The text form of the query whose hits are shown; "" where it has none."""
        return self._answer.text

    @property
    def readable_query(self) -> str:
        """The same for a person to read; "" where it names something by an id."""
        return self._answer.readable

    @property
    def asked(self) -> Query | None:
        """The query whose hits are shown; None without any."""
        return None if self._shown is None else self._shown.parts.query(self._shown.words)

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
        self._show_image()
        self.suggestions.hide()  # nobody has typed it

    def search_similar(self, segment_id: str, path: Path, found: Callable[[], None]) -> None:
        """Search for what is like a segment of a file.

        Args:
            found: called once, before the hits are shown.
        """
        self.entry.name(segment_id, path.name, None)
        self._search("", QueryParts((Like(segment_id),)), found)

    def take_file(self, path: Path) -> bool:
        """Search for what is like an image that was dropped.

        By words it is one part more of the search. By an image, the one that is shown makes room.
        """
        if self.way == BY_IMAGE:
            self.image.use_file(path)
        else:
            self.add_term(ImageFile(path))
        return True

    def use_image(self, image: Image | ImageFile | None) -> None:
        """Search for an image, or for a part of it, in the place of the one that is shown.

        Where none is shown a new search begins, under the same filters.

        Args:
            image: None for none any more.
        """
        held = self._held()
        if held is None:
            return
        words, parts = held
        if images_of(self._parts.terms):
            self._search(words, parts.with_image(image))
        elif image is not None:
            self._search("", QueryParts((image,), filter=self.filters.owned))

    def _show_image(self) -> None:
        """Show the image that is searched for, where there is a place for it."""
        if self.way == BY_IMAGE:
            self.image.follow(next(iter(images_of(self.entry.parts.terms)), None))

    def _refuse_image(self, why: str) -> None:
        self.results.forget()
        self.results.say(why)

    def add_hit(self, hit: SearchHit, weight: float) -> None:
        """Search for more like a hit, or for less, beside what is searched for already."""
        segment = hit.segment
        self.entry.name(segment.id, segment.media_path.name, segment.crop_path)
        self.add_term(Like(segment.id, weight=weight))

    def add_term(self, term: Term) -> None:
        """Search for a term beside what is searched for already."""
        if (held := self._held()) is not None:
            words, parts = held
            self._search(words, parts.with_term(term))

    def _parts_changed(self) -> None:
        """Search again, now that a person has changed a chip."""
        if self._shown is not None:
            self.search(self.entry.text)

    def _search(
        self,
        words: str,
        parts: QueryParts,
        found: Callable[[], None] | None = None,
        begun_in: Elsewhere | None = None,
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
            self._shown = Searched(words, parts, self.way)
            if before is not None and not before.searched.is_same(self._shown):
                self.way_back.remember(before)
            if begun_in is not None:
                self.way_back.remember(begun_in)

        self.results.ask(
            lambda limit: mark_examples(
                query, library.find(replace(query, limit=limit, one_of_each=True), count=False)
            ),
            partial(self._show, query),
            arrived,
        )
        name_parts(self._session, self.entry, parts)

    def _show_nothing(self) -> None:
        """Wait for something to search for."""
        self.filters.show(EVERYTHING)
        self._show_image()
        self.results.forget()
        self.results.say(self._invitation())
        self._place_chips()
        self.entry.focus_field()

    # -- going back

    def _here(self) -> Earlier | None:
        visit = self.results.visit()
        return None if self._shown is None or visit is None else Earlier(self._shown, visit)

    def step_back(self) -> bool:
        """Go back to all results, the search before or where it began; returns whether it could."""
        if self.results.step_back():
            return True
        if (earlier := self.way_back.pop()) is None:
            return False
        self._waiting = None
        if isinstance(earlier, Elsewhere):
            earlier.go()
            return True
        searched = self._shown = earlier.searched
        if searched.way != self.way:
            self._on_way(searched.way)
        self._show_query(searched.words, searched.parts)
        self.results.return_to(earlier.visit)
        return True

    # -- what was found

    def _show(self, query: Query, result: SearchResult) -> None:
        self._answer.show(query, result)
        self.way_back.place()
        self._place_chips()

    def _say_wrong(self, exc: QueryError) -> None:
        self._waiting = None
        self._answer.say_wrong(exc)

    # -- suggestions

    def _place_chips(self) -> None:
        """Show suggestions as long as there are no hits, which need their place."""
        shown = not self.results.result.hits and self.way == BY_WORDS
        self.suggestions.place_chips(shown, self.filters)

    def _typed(self, text: str) -> None:
        if self._waiting is not None and in_one_line(text) != split(self._waiting)[0]:
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
        return answers.IMAGES_HERE if self.way == BY_IMAGE else answers.INVITATION
