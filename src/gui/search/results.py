"""Hits of a search as cards: what both search panels ask for and show."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from src.counting import counted, place_in_file
from src.errors import MediaLibraryError, is_of_a_person
from src.events import Event, FrameStored
from src.gui.cards.card_grid import WISH, CardGrid
from src.gui.cards.card_view import CardActions, CardView
from src.gui.core.job_state import JobState
from src.gui.core.wording import as_sentence
from src.gui.panel.panel import PanelContext
from src.gui.theme.theme import LEFT, NORMAL, RIGHT, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label
from src.gui.widgets.mask_quality import EDGE, MaskQuality
from src.gui.widgets.tooltip import Tooltip
from src.records import SearchHit, SearchResult
from src.search.filters import Filter
from src.search.leaves import segment_filter
from src.stopping import stopped_by
from src.worker import JobEnded

MODELS_FAILED = "The models couldn't be loaded, so there is no search. See Models for the reason."
NO_WORDS = "Nothing found. Try other words, or add more photos and videos."
STILL_ADDING = "Nothing found yet. Files are still being added."
EMPTY = "Your library is empty. Add photos or videos to search them."
NEW_SEGMENTS, NEW_IN_SHORT = "New segments: search again", "Update"
SearchRequest = Callable[[Filter], SearchResult]
# More than a person looks through, and found as fast as ten.
N_RESULTS = 100


class Hits:
    """A grid's source of search hits."""

    def __init__(
        self, hits: Sequence[SearchHit], is_missing: Callable[[Path], bool] = lambda _: False
    ) -> None:
        self.hits, self._is_missing = tuple(hits), is_missing
        # the bar compares hits of one search: the best fills nine tenths
        self._full = max((hit.score or 0.0 for hit in self.hits), default=1.0) / 0.9 or 1.0

    def __len__(self) -> int:
        return len(self.hits)

    def views(self, first: int, last: int) -> list[CardView]:
        return [self._view(hit) for hit in self.hits[first:last]]

    def _view(self, hit: SearchHit) -> CardView:
        segment = hit.segment
        page = segment.frame_index
        facts = place_in_file(page, segment.timestamp_s, has_pages=page > 0) or "Photo"
        if segment.kind == "frame":
            facts += " · whole image"
        if hit.tagged_so:
            facts += " · tagged by you"
        is_missing = self._is_missing(segment.media_path)
        return CardView(
            segment.id,
            segment.crop_path,
            segment.media_path.name,
            f"Missing · {facts}" if is_missing else facts,
            "error" if is_missing else "text_2",
            score=hit.score,
            score_share=max(0.0, hit.score or 0.0) / self._full,
            action="similar",
        )


class ResultsView(ctk.CTkFrame):
    """A line with their number, and the cards; or a sentence when there are none.

    A newer request makes the answer to an older one void. The last one is asked again when the
    person asks for better or for worse masks, and when the library changed since.
    """

    def __init__(
        self,
        master: Any,
        context: PanelContext,
        on_open: Callable[[Sequence[SearchHit], int], None],
        on_similar: Callable[[SearchHit], None],
        margins: tuple[int, int] = (LEFT, RIGHT),
        wish: int = WISH,
    ) -> None:
        theme, session = context.theme, context.session
        super().__init__(master, fg_color=theme.colours.window, corner_radius=0)
        self.theme, self._session = theme, session
        self.hits = Hits(())
        self._asked = 0
        self._request: tuple[SearchRequest, Callable[[SearchResult], None]] | None = None
        self._is_stale = self._keeps_place = self._is_empty = False
        self._line = ctk.CTkFrame(self, fg_color="transparent", height=36)
        # the track of the slider ends where the cards do, its focus ring does not
        self._line.pack(fill="x", padx=(margins[0], margins[1] - EDGE))
        self._line.pack_propagate(False)
        self._count = label(self._line, theme, "", weight="medium")
        self._count.pack(side="left")
        self._where = label(self._line, theme, "", colour=theme.colours.text_2)
        self._where.pack(side="left", padx=8)
        self.quality = MaskQuality(self._line, theme, self._ask_again)
        self._again = Button(self._line, theme, NEW_SEGMENTS, self.refresh, kind="link", height=24)
        Tooltip(self._again, theme, NEW_SEGMENTS)
        self._wheres = [""]  # the longest first
        self._can_choose = False
        tkinter.Misc.bind(self._line, "<Configure>", lambda _: self._fit(), "+")
        self.grid_view = CardGrid(
            self,
            theme,
            context.painter,
            context.thumbnails,
            CardActions(
                lambda place: on_open(self.hits.hits, place),
                lambda place: on_similar(self.hits.hits[place]),
            ),
            kind="hit",
            margins=margins,
            wish=wish,
        )
        self._sentence = label(self, theme, "", colour=theme.colours.text_2, justify="center")
        self._shows_grid = False
        self.say("")
        session.signals.content_changed.append(self._content_changed)
        session.signals.job_ended.append(self._job_ended)
        session.signals.missing_changed.append(self.grid_view.refresh)
        session.signals.job_event.append(self._job_event)

    # -- asking

    @property
    def masks(self) -> Filter:
        """Which masks are good enough for the person."""
        return segment_filter(min_predicted_iou=self.quality.least)

    def ask(
        self,
        request: SearchRequest,
        show: Callable[[SearchResult], None],
        arrived: Callable[[], None] | None = None,
    ) -> None:
        """Search in another thread, and show the answer here.

        Args:
            request: gets what the person wants to have left out.
            show: gets the answer, now and whenever the same is asked again.
            arrived: called once, before the first answer is shown.
        """
        self._request = request, show
        self._ask(request, show, arrived, failed=partial(self._failed, request))

    def _ask(
        self,
        request: SearchRequest,
        show: Callable[[SearchResult], None],
        arrived: Callable[[], None] | None = None,
        keep_place: bool = False,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._is_stale = False
        self._again.pack_forget()
        self._asked += 1
        asked, library, where = self._asked, self._session.library, self.masks

        def answered(found: tuple[SearchResult, tuple[float, float] | None, bool]) -> None:
            if asked == self._asked:
                result, qualities, self._is_empty = found
                self._can_choose = self.quality.offer(qualities)
                if arrived is not None:
                    arrived()
                self._keeps_place = keep_place
                show(result)

        def search() -> tuple[SearchResult, tuple[float, float] | None, bool]:
            with stopped_by(self._is_wanted(asked)):
                return request(where), library.browse.quality_range(), library.browse.is_empty()

        self._session.main_thread.run(search, answered, failed, "Couldn't search", is_search=True)

    def _is_wanted(self, asked: int) -> Callable[[], bool]:
        """Return what says, in any thread, whether somebody still waits for a request."""
        return lambda: asked == self._asked and not self._session.is_closing

    def forget(self) -> None:
        """Cancel the request; an answer that is still to come is not shown."""
        self._asked += 1
        self._request = None
        self._again.pack_forget()
        self._can_choose = False

    def _ask_again(self) -> None:
        if self._request is not None:
            request, show = self._request
            self._ask(request, show, failed=partial(self._failed, request))

    def _failed(self, request: SearchRequest, exc: Exception) -> None:
        """Show in place what can't be searched for; anything else goes to the error handler."""
        if not is_of_a_person(exc):
            raise exc
        if self._request is not None and self._request[0] is request:
            self.forget()
            self.say(as_sentence(str(exc)))

    def refresh(self) -> None:
        """Search again where the library changed, now that the panel comes to the front."""
        request = self._request
        if not self._is_stale or request is None:
            return

        def failed(exc: Exception) -> None:
            if not isinstance(exc, MediaLibraryError):
                raise exc
            if self._request is request:  # shown in place: no person has asked just now
                self.forget()
                self.say(str(exc))

        self._ask(*request, keep_place=True, failed=failed)

    def _content_changed(self) -> None:
        self._is_stale = True
        if self.winfo_viewable():
            self.refresh()

    def _job_ended(self, job: JobState, _ended: JobEnded) -> None:
        """Keep the hits that are on the screen, until the panel is shown again."""
        if job.kind in ("add", "segment", "switch"):
            self._is_stale = True

    def _job_event(self, _job: JobState, event: Event) -> None:
        """Offer to search again, once there is more to find than before."""
        if isinstance(event, FrameStored) and self._request is not None:
            self._is_stale = True
            if not self._again.winfo_manager():
                self._again.pack(side="left", after=self._where)
                self._fit()

    # -- showing

    def show(
        self,
        hits: Sequence[SearchHit],
        like: str = "",
        none: str = NO_WORDS,
        total: int | None = None,
        has_more: bool = False,
    ) -> None:
        """Show hits, best first, in one step.

        Args:
            like: what goes on the line that counts them.
            none: what to say where there are none, and nothing else explains it.
            total: how many there are in all, where that is known and may be more.
            has_more: that there are more, and not how many; see count.
        """
        self.hits = Hits(hits, self._session.missing.has)
        if not hits:
            self.say(self.why_none(none))
            return
        files = len({hit.segment.media_file_id for hit in hits})
        found = f"{len(hits):,}+ results" if has_more else counted_of(len(hits), total)
        self._count.configure(text=found)
        self._wheres = [f"in {counted(files, word)}{like}" for word in ("media file", "file")]
        self._sentence.place_forget()
        if not self._shows_grid:
            self.grid_view.pack(fill="both", expand=True)
            self._shows_grid = True
        self.grid_view.show(self.hits, keep_place=self._keeps_place)
        self._place_quality()

    def count(self, count: Callable[[Callable[[], bool]], int]) -> None:
        """Count behind the window how many there are in all, and show it with the hits.

        Args:
            count: gets what says whether the number is still wanted.
        """
        wanted, session = self._is_wanted(self._asked), self._session

        def counted_all(total: int) -> None:
            if wanted():
                self._count.configure(text=counted_of(len(self.hits), total))
                self._fit()

        session.main_thread.run(lambda: count(wanted), counted_all, fails="Couldn't count")

    def why_none(self, none: str) -> str:
        """Return why nothing was found: what keeps hits away comes before the request itself."""
        if self._session.jobs:
            return STILL_ADDING
        if self._is_empty:
            return EMPTY
        if self.quality.least:
            return "Nothing found at this mask quality. Move the slider to the left to see more."
        return none

    def say(self, sentence: str) -> None:
        """Show a sentence in place of cards."""
        self.hits = Hits(())
        self.grid_view.show(self.hits)
        self._count.configure(text="")
        self._wheres = [""]
        if self._shows_grid:
            self.grid_view.pack_forget()
            self._shows_grid = False
        self._sentence.configure(text=sentence)
        self._sentence.place(relx=0.5, rely=0.42, anchor="center")
        self._place_quality()

    def _place_quality(self) -> None:
        """Offer the choice of masks beside hits, and where it may be why there are none."""
        if self._can_choose and (len(self.hits) or self.quality.least):
            self.quality.pack(side="right", before=self._count)
        else:
            self.quality.pack_forget()
        self._fit()

    def _fit(self) -> None:
        """Divide the line: words are shortened, so that the offer and the slider stay whole."""
        px, theme = self.theme.px, self.theme
        font, medium = theme.canvas_font(self, NORMAL), theme.canvas_font(self, NORMAL, "medium")
        width = self._line.winfo_width() - medium.measure(self._count.cget("text")) - px(16)
        offers_again = self._again.winfo_manager()
        again = {text: medium.measure(text) + px(24) for text in (NEW_SEGMENTS, NEW_IN_SHORT)}
        if self.quality.winfo_manager():
            wide = again[NEW_SEGMENTS] if offers_again else 0
            width -= self.quality.fit(width - wide - font.measure(self._wheres[0]))
        if offers_again:
            text = NEW_SEGMENTS if again[NEW_SEGMENTS] <= width else NEW_IN_SHORT
            self._again.set_text(text)
            width -= again[text]
        fitting = (text for text in self._wheres if font.measure(text) <= width)
        text = next(fitting, self._wheres[-1])
        # a few letters say nothing
        self._where.configure(text=shorten(text, font, width) if width >= px(48) else "")


def counted_of(shown: int, total: int | None) -> str:
    """Count the hits that are shown, and how many there are in all where that is known."""
    more = total is not None and total > shown
    return f"{shown:,} of {total:,} results" if more else counted(shown, "result")
