"""Hits of a search as cards: what the search panel asks for and shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from src.counting import counted
from src.gui.cards.card_grid import WISH, CardGrid
from src.gui.cards.card_view import CardActions
from src.gui.panel.panel import PanelContext
from src.gui.search.along_videos import AlongVideos
from src.gui.search.chosen_hits import ChosenHits, HitActions
from src.gui.search.hit_cards import HitCards, count_strong, in_files
from src.gui.search.hit_counts import counted_of, total_of, weaker_of
from src.gui.search.hit_selection import HitSelection
from src.gui.search.requests import Answer, Asked, SearchRequest, SearchRequests, Show
from src.gui.search.results_line import ALONG, ResultsLine
from src.gui.search.weaker_band import HEIGHT, WeakerBand
from src.gui.theme.theme import LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import label
from src.gui.widgets.popup import show_menu
from src.records import SearchHit, SearchResult

MODELS_FAILED = "The models couldn't be loaded, so there is no search. See Models for the reason."
NO_WORDS = "Nothing found. Try other words, or add more photos and videos."
STILL_ADDING = "Nothing found yet. Files are still being added."
EMPTY = "Your library is empty. Add photos or videos to search them."
HIT_MENU = "hit"
NOTHING = SearchResult(())
MOST_ALONG = 2000  # results that are asked for by scrolling along videos


@dataclass(frozen=True)
class Visit:
    """A search with its answer and how far a person had got in it, to return to."""

    asked: Asked
    result: SearchResult
    is_unfolded: bool
    scrolled: int


class ResultsView(ctk.CTkFrame):
    """A line with their number, and the cards; or a sentence when there are none.

    Hits that are likely chance are folded away under a line. The last search is asked again when
    the end of the cards is reached, and when the library has changed.
    """

    def __init__(
        self,
        master: Any,
        context: PanelContext,
        actions: HitActions,
    ) -> None:
        theme, session = context.theme, context.session
        super().__init__(master, fg_color=theme.colours.window, corner_radius=0)
        self.theme, self._session, self._menu_entries = theme, session, context.menu
        self._actions = actions
        self.hits = HitCards(())
        self.result = NOTHING
        self._group: SearchHit | None = None  # the one whose like are shown alone
        self._like = ""  # what goes on the line that counts hits
        self._is_unfolded = self._keeps_place = self._is_empty = False
        self._scrolled = 0  # where the cards were when a group was opened
        top = ctk.CTkFrame(self, fg_color="transparent")
        top.pack(fill="x")
        margins = LEFT, RIGHT
        self.line = ResultsLine(
            top, theme, margins, self.refresh, self.leave_group, lambda _: self._look_otherwise()
        )
        self._requests = SearchRequests(
            session,
            self._answered,
            self.say,
            self.line.offer_again,
            lambda: bool(self.winfo_viewable()),
        )
        self.grid_view = CardGrid(
            self,
            theme,
            context.painter,
            context.thumbnails,
            CardActions(
                lambda place: actions.open(self.hits.hits, place),
                lambda place: actions.similar(self.hits.hits[place]),
                self._menu,
                lambda cards: self.selection.changed(cards),
                self._open_group,
                self._end_seen,
            ),
            kind="hit",
            margins=margins,
            wish=WISH,
        )
        self.selection = HitSelection(self, context, self.line, self.grid_view, actions)
        self.band = WeakerBand(
            self.grid_view.canvas, theme, context.thumbnails, self._fold_or_unfold
        )
        self.grid_view.set_band(self.band, theme.px(HEIGHT))
        self.along = AlongVideos(
            self,
            theme,
            context.thumbnails,
            session,
            actions.open_timeline,
            self.line.say,
            self._end_seen,
        )
        self._sentence = label(self, theme, "", colour=theme.colours.text_2, justify="center")
        self._body: ctk.CTkFrame | None = None  # what is seen of the two
        self.say("")
        session.signals.missing_changed.append(self.grid_view.refresh)

    def refresh_thumbnails(self) -> None:
        self.grid_view.refresh()
        self.band.refresh()
        self.along.canvas.refresh()

    # -- asking

    def ask(
        self,
        request: SearchRequest,
        show: Show,
        arrived: Callable[[], None] | None = None,
    ) -> None:
        """Search in another thread, and show the answer here.

        Args:
            show: gets the answer, now and whenever the same is asked again.
            arrived: called once, before the first answer is shown.
        """

        def first_arrived() -> None:
            self._is_unfolded, self._group = False, None
            if arrived is not None:
                arrived()

        self._requests.ask(request, show, first_arrived)

    def _answered(self, answer: Answer) -> None:
        self._is_empty, self._keeps_place = answer.is_empty, answer.keeps_place

    def forget(self) -> None:
        """Cancel the request; an answer that is still to come is not shown."""
        self._requests.forget()

    def refresh(self) -> None:
        """Search again where the library changed, now that the panel comes to the front."""
        self._requests.refresh()

    def _end_seen(self) -> None:
        """Ask for more hits, once the last of those that are there is seen."""
        may_be_more = len(self.result.hits) >= self._requests.limit and self._group is None
        if self.is_along:
            all_strong = self.result.line is None or self.strong == len(self.result.hits)
            if may_be_more and all_strong and self._requests.limit < MOST_ALONG:
                self._requests.ask_for_more()
        elif may_be_more and not self._is_folded:
            self._requests.ask_for_more()

    # -- going back

    def visit(self) -> Visit | None:
        """Return what is shown, for `return_to`; None where no search is."""
        asked = self._requests.asked()
        if asked is None or self.result is NOTHING:
            return None
        scrolled = self._scrolled if self._group is not None else self.grid_view.place
        return Visit(asked, self.result, self._is_unfolded, scrolled)

    def return_to(self, visit: Visit) -> None:
        """Show an earlier search as it was; where the library changed since, it is asked again."""
        self._is_unfolded, self._group, self._keeps_place = visit.is_unfolded, None, False
        visit.asked.show(visit.result)
        self.grid_view.scroll_to(visit.scrolled)
        self._requests.return_to(visit.asked)

    # -- showing

    @property
    def is_along(self) -> bool:
        """Whether results are shown along their videos."""
        return self.line.ways.value == ALONG

    def _look_otherwise(self) -> None:
        """Show the same results the other way."""
        self.grid_view.select(frozenset())
        if self.result.hits:
            self._show_cards(keep_place=False)
            self._stand()

    def _stand(self) -> None:
        """Put what shows the results in its place."""
        body = self.along if self.is_along else self.grid_view
        if body is not self._body:
            if self._body is not None:
                self._body.pack_forget()
            body.pack(fill="both", expand=True)
            self._body = body

    @property
    def strong(self) -> int:
        """How many of the cards lie above the line."""
        return count_strong(self.result.hits)

    @property
    def _is_folded(self) -> bool:
        """Whether there are cards below the line that are not shown."""
        result = self.result
        return result.line is not None and not self._is_unfolded and self.strong < len(result.hits)

    def show(self, result: SearchResult, like: str = "", none: str = NO_WORDS) -> None:
        """Show hits, best first, in one step.

        Args:
            like: what goes on the line that counts them.
            none: what to say where there are none, and nothing else explains it.
        """
        self.result, self._like = result, like
        if not result.hits:
            self.say(self.why_none(none))
            return
        if self._group is not None:  # it may have changed, or be gone
            key = self._group.segment.id
            self._group = next(
                (hit for hit in result.hits if hit.segment.id == key and hit.alike), None
            )
        self._sentence.place_forget()
        self.line.offer_ways(True)
        self._stand()
        if self._keeps_place:
            self.selection.keep(lambda: self._show_cards(keep_place=True))
        else:
            self._show_cards(keep_place=False)

    def _show_cards(self, keep_place: bool) -> None:
        """Show the cards that are to be seen now, and count them."""
        result, is_missing = self.result, self._session.missing.has
        split: int | None = None
        if self.is_along:
            self._group, self.hits = None, HitCards(result.hits, is_missing)
            self.along.show(result.hits, result.line is not None, keep_place)
            return
        if self._group is not None:
            alone = replace(self._group, alike=())
            self.hits = HitCards((alone, *self._group.alike), is_missing)
            self.line.say(f"{len(self.hits):,} alike", [in_files(self.hits.hits)], in_group=True)
        else:
            strong = self.strong
            hits = result.hits[:strong] if self._is_folded else result.hits
            if result.line is not None and strong < len(result.hits):
                split = strong
                weakest = result.hits[strong:]
                weaker = weaker_of(result)
                self.band.show(
                    "Weaker hits" if weaker is None else counted(weaker, "weaker hit"),
                    _and_lower(weakest[0]),
                    [hit.segment.crop_path for hit in weakest[:10] if hit.segment.crop_path],
                    self._is_unfolded,
                )
            self.hits = HitCards(hits, is_missing)
            self._count_hits(strong)
        self.grid_view.show(self.hits, keep_place, split)

    def _count_hits(self, strong: int) -> None:
        result, like = self.result, self._like
        if result.line is None:
            shown = len(result.hits)
            found = (
                f"{shown:,}+ results" if result.has_more else counted_of(shown, total_of(result))
            )
            wheres = [f"{in_files(result.hits, word)}{like}" for word in ("media file", "file")]
        elif not result.strong:
            found, wheres = "No strong hits", [like.removeprefix(", ")]
        else:
            found = counted(result.strong, "strong hit")
            weaker = weaker_of(result)
            rest = like if weaker is None else f"{like} · {weaker:,} weaker"
            # of some that are not here yet it is not known in which files they are
            knows_files = strong < len(result.hits) or strong < self._requests.limit
            files = in_files(result.hits[:strong], "file") if knows_files else ""
            wheres = [f"{files}{rest}".removeprefix(" · "), rest.removeprefix(" · ")]
        self.line.say(found, wheres)

    def count(self, count: Callable[[Callable[[], bool]], int]) -> None:
        """Count behind the window how many there are in all, and show it with the hits.

        Args:
            count: gets what says whether the number is still wanted.
        """
        requests, session, result = self._requests, self._session, self.result
        number = requests.number

        def wanted() -> bool:
            return number == requests.number and not session.is_closing

        def counted_all(total: int) -> None:
            shown = self.result is result and self._group is None and not self.is_along
            if wanted() and shown:
                self.line.say(counted_of(len(result.hits), total), [in_files(result.hits)])

        session.main_thread.run(lambda: count(wanted), counted_all, fails="Couldn't count")

    def _fold_or_unfold(self) -> None:
        self._is_unfolded = not self._is_unfolded
        self._show_cards(keep_place=True)

    # -- some of them

    @property
    def chosen(self) -> ChosenHits | None:
        """The selected hits, or the one that has the focus; None where there is none."""
        grid, hits = self.grid_view, self.hits.hits
        focused = grid.focused
        places = sorted(grid.selection)
        if focused is not None and focused not in places:
            places = [focused]
        chosen = [hits[place] for place in places if place < len(hits)]
        if not chosen:
            return None
        first = places[0] if focused is None else focused
        return ChosenHits(
            chosen,
            self._actions,
            lambda: self._actions.open(self.hits.hits, first),
            lambda: self.selection.ask_for_label(places),
        )

    @property
    def has_keyboard(self) -> bool:
        """Whether keys are for the cards."""
        return self.focus_get() is self.grid_view.canvas

    def _menu(self, place: int, x: int, y: int) -> None:
        if self.chosen is not None:
            show_menu(self.grid_view.canvas, self.theme, self._menu_entries(HIT_MENU), x, y)

    def step_back(self) -> bool:
        """Clear the selection, or leave a group; returns whether there was either."""
        if self.grid_view.selection:
            self.grid_view.select(frozenset())
            return True
        return self.leave_group()

    def _open_group(self, place: int) -> None:
        """Show one by one what a card stands for."""
        self._scrolled = self.grid_view.place
        self._group = self.hits.hits[place]
        self._show_cards(keep_place=False)

    def leave_group(self) -> bool:
        """Return to all results; returns whether a group was shown."""
        if self._group is None:
            return False
        self._group = None
        self._show_cards(keep_place=False)
        self.grid_view.scroll_to(self._scrolled)
        return True

    def why_none(self, none: str) -> str:
        """Return why nothing was found: what keeps hits away comes before the request itself."""
        if self._session.jobs:
            return STILL_ADDING
        if self._is_empty:
            return EMPTY
        return none

    def say(self, sentence: str) -> None:
        """Show a sentence in place of cards."""
        self.result, self._group = NOTHING, None
        self.hits = HitCards(())
        self.grid_view.show(self.hits)
        self.along.forget()
        self.line.say("")
        self.line.offer_ways(False)
        if self._body is not None:
            self._body.pack_forget()
            self._body = None
        self._sentence.configure(text=sentence)
        self._sentence.place(relx=0.5, rely=0.42, anchor="center")


def _and_lower(hit: SearchHit) -> str:
    return "" if hit.strength is None else f"{hit.strength:.0%} and lower"
