"""The tab "Rank": segments that are like those with a label, to be accepted or rejected."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from typing import Any

from src.gui.cards.card_grid import CardGrid
from src.gui.cards.card_view import CardActions
from src.gui.core.wording import explained
from src.gui.label.answering import Answering
from src.gui.label.card_attributes import CardAttributes
from src.gui.label.in_place import InPlace
from src.gui.label.label_tab import LabelTab, LabelTools
from src.gui.label.rank_head import DOUBTFUL, RankHead
from src.gui.label.rank_keys import HINTS, RankKeys
from src.gui.label.rank_list import RankList
from src.gui.label.rank_requests import LIMIT, Ranked, RankRequests, Wanted
from src.gui.label.rank_strip import RankStrip
from src.gui.label.rank_words import words_in_place
from src.gui.panel.panel import PanelContext
from src.gui.theme.theme import LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.widgets.popup import show_menu
from src.label_records import Label, RankingOrder
from src.records import SearchHit

CANDIDATE_MENU = "candidate"
# The width wished for of a card, and that in a narrow window, in pixels of the design.
CARD, SMALL_CARD, _NARROW = 112, 92, 600
# Answers after which it is ranked again, where the ranking itself does not say.
EVERY = 10

NO_EXAMPLES = "Search for something, or select segments with Space, and press S to start from it."


class RankTab(LabelTab):
    """A strip, a line about the ranking, and the candidates; or what to do where there are none."""

    name = "Rank"
    key_hints = HINTS

    def __init__(self, master: Any, context: PanelContext, tools: LabelTools) -> None:
        super().__init__(master, context, tools)
        theme, session = context.theme, context.session
        self._seeds: tuple[str, ...] = ()
        self.ranked: Ranked | None = None
        self._since = 0  # answers since it was ranked last
        self._limit = LIMIT
        self._is_stale = False
        self.failed: tuple[str, str] | None = None
        self.list = RankList(session.missing.has)
        self.answering = Answering(
            self.list,
            tools.acts,
            lambda: session.library.labels,
            self._show_answers,
            self._count_answers,
            self._return_to,
        )
        self.requests = RankRequests(session, self._show_ranking, self._ranking_failed)
        self._work = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        top = ctk.CTkFrame(self._work, fg_color="transparent", corner_radius=0)
        top.pack(fill="x", padx=(LEFT, RIGHT), pady=(24, 4))
        self.strip = RankStrip(top, theme, self.accept_top)
        self.strip.pack(fill="x")
        self.attributes = CardAttributes(top, self)
        self.head = RankHead(top, theme, lambda _: self.rank_again(from_start=True))
        self.head.pack(fill="x", pady=(4, 0))
        self.grid_view = CardGrid(
            self._work,
            theme,
            context.painter,
            context.thumbnails,
            CardActions(
                self._open,
                lambda place: self.answering.accept([self.list.candidates[place].segment_id]),
                self._menu,
                lambda _: None,
                end_seen=self._end_seen,
                click=self._clicked,
            ),
            kind="crop",
            wish=CARD,
        )
        self.grid_view.pack(fill="both", expand=True)
        tkinter.Misc.bind(self, "<Configure>", lambda e: self._fit(e.width), "+")
        # which card the keys are about is to be seen, however the keyboard came here
        self.grid_view.canvas.bind("<FocusIn>", lambda _: self.grid_view.show_focus(True), "+")
        self.keys = RankKeys(self)
        self.in_place = InPlace(self, theme)
        self.models_failed = False
        session.signals.models_ready.append(self._models_ready)
        session.signals.models_failed.append(self._models_are_missing)
        session.signals.missing_changed.append(self.grid_view.refresh)

    # -- what the panel tells

    def shown(self) -> None:
        """Rank where that was not done yet, or again where the library has changed."""
        self._show_state()
        if self._is_stale or self.ranked is None:
            self.rank_again(from_start=self.ranked is None)
        self.take_keys()

    def labels_changed(self) -> None:
        label = self.label
        name = "" if label is None else label.name
        if name != self.answering.label:
            self.answering.label, self._seeds, self.ranked = name, (), None
            self.list.begin(())
            self.grid_view.show(self.list)
            self.failed = None
            self.rank_again(from_start=True)
        self.attributes.offer()
        self._show_strip()
        self._show_state()

    def content_changed(self) -> None:
        """Rank again when somebody looks next, or at once where there was nothing to look at."""
        self._is_stale = True
        if not len(self.list):
            self.rank_again(from_start=True)

    @property
    def label(self) -> Label | None:
        return self.tools.chosen()

    @property
    def card_grid(self) -> CardGrid | None:
        return self.grid_view if self._work.winfo_manager() else None

    def step_back(self) -> bool:
        if not self.grid_view.selection:
            return False
        self.grid_view.select(frozenset())
        return True

    def take_keys(self) -> None:
        """Give the keyboard to the candidates."""
        if self._work.winfo_manager():
            self.grid_view.canvas.focus_set()
            self.grid_view.show_focus(True)
        else:
            self.in_place.take_keys()

    def _models_ready(self) -> None:
        self.models_failed = False
        self._show_state()
        if self.winfo_viewable():
            self.rank_again(from_start=True)

    def _models_are_missing(self) -> None:
        self.models_failed = True
        self._show_state()

    # -- rankings

    def rank_again(self, from_start: bool) -> None:
        """Rank in another thread; what is shown stays until the answer is there."""
        label = self.label
        if not self.winfo_viewable():
            self._is_stale = True  # until somebody looks
            return
        if label is None or not self.session.is_open or not self.session.models_ready:
            return
        self._since, self._is_stale, self.failed = 0, False, None
        if from_start:
            self._limit = LIMIT
        order: RankingOrder = "doubtful" if self.head.order == DOUBTFUL else "best"
        self.requests.ask(Wanted(label.name, self._seeds, order, from_start, self._limit))
        self._show_strip()
        self._show_state()

    def _show_ranking(self, found: Ranked) -> None:
        if found.wanted.label != self.answering.label:
            return
        self.ranked, self.failed = found, None
        grid, hits = self.grid_view, found.ranking.candidates
        if found.wanted.from_start or not len(self.list):
            self.list.begin(hits)
            grid.show(self.list)
            grid.focused = 0 if hits else None
        else:
            self.list.exchange(hits, self._looked_at())
            grid.show(self.list, keep_place=True)
        self._show_strip()
        self._show_answers()
        self._show_state()
        if self._keys_are_free():
            self.take_keys()

    def _ranking_failed(self, wanted: Wanted, exc: Exception) -> None:
        if wanted.label == self.answering.label:
            self.failed = explained(exc)
            self._is_stale = True
            if len(self.list):
                self.tools.say(f"Couldn't rank again. {self.failed[0]}")
            self._show_strip()
            self._show_state()

    def _looked_at(self) -> int:
        """Return how many cards a new ranking leaves where they are.

        A person reads by rows, and looks at the next one while the hand is still at this one: so
        both stay, and all above them. Rows further down change in their places, before anybody
        has read them. Of a person who works with the pointer, the row under it counts as well.
        """
        grid, layout = self.grid_view, self.grid_view.layout
        over = None if self.theme.shows_focus else grid.pointer_over
        places = [place for place in (grid.focused, over, *grid.selection) if place is not None]
        row = max((layout.place(place)[0] for place in places), default=-1)
        return layout.first_of(row + 2) if row >= 0 else 0

    def _end_seen(self) -> None:
        """Rank more, where there is more than is shown."""
        ranked = self.ranked
        if ranked is None or self.requests.is_busy or self._is_stale:
            return
        if len(ranked.ranking.candidates) >= self._limit:
            self._limit *= 2
            self.rank_again(from_start=False)

    def start_from_examples(self) -> None:
        """Rank by what is selected here, or by what the last search found."""
        selected = self.chosen_ids() if self.grid_view.selection else []
        self.start_from(selected or [hit.segment.id for hit in self.tools.examples()])

    def start_from(self, segment_ids: Sequence[str]) -> None:
        """Rank by segments that are examples, as long as there are no answers."""
        ranking = None if self.ranked is None else self.ranked.ranking
        here = self.list.count("accepted") + self.list.count("rejected")
        if not segment_ids:
            self.tools.say(NO_EXAMPLES)
        elif here or (ranking is not None and (ranking.accepted or ranking.rejected)):
            self.tools.say("This label is ranked by your answers already.")
        else:
            self._seeds = tuple(segment_ids)
            self.grid_view.select(frozenset())
            self.rank_again(from_start=True)

    # -- answers

    def chosen_ids(self) -> list[str]:
        """Return the selected candidates, or the one that has the focus."""
        grid = self.grid_view
        places = sorted(grid.selection) or ([] if grid.focused is None else [grid.focused])
        return [self.list.candidates[n].segment_id for n in places if n < len(self.list)]

    def answer(self, answer: Callable[[Sequence[str]], None]) -> None:
        """Answer for what is chosen, and go on to the next card without an answer."""
        ids, grid = self.chosen_ids(), self.grid_view
        if not ids:
            return
        last = max(grid.selection, default=grid.focused)
        grid.select(frozenset())
        answer(ids)
        self._go_on(last)

    def accept_row(self) -> None:
        """Accept what has no answer yet in the row of the card that has the focus."""
        grid, layout = self.grid_view, self.grid_view.layout
        if grid.focused is None or not len(self.list):
            return
        row, _ = layout.place(grid.focused)
        first, end = layout.first_of(row), layout.first_of(row + 1)
        opened = [each.segment_id for each in self.list.candidates[first:end] if not each.answer]
        self.answering.accept(opened)
        self._go_on(end - 1)

    def accept_top(self) -> None:
        """Accept the best together, as many as the ranking answers for."""
        hits = self._acceptable()
        if not hits:
            self.tools.say(self.strip.why_not_offered)
        else:
            self.answering.accept_together(hits)
            self._go_on(self.grid_view.focused)
            self.take_keys()

    def give_by_key(self, number: int) -> None:
        """Give the label of a key, 1 to 9, in place of the one that is asked about."""
        labels = self.tools.labels()
        if number <= len(labels):
            name = labels[number - 1].name
            self.answer(lambda ids: self.answering.give(ids, name))

    def _acceptable(self) -> Sequence[SearchHit]:
        """Return the best of the ranking that have no answer since."""
        if self.ranked is None or self.ranked.wanted.label != self.answering.label:
            return ()
        answered = {each.segment_id for each in self.list.candidates if each.answer}
        return [hit for hit in self.ranked.best if hit.segment.id not in answered]

    def _go_on(self, place: int | None) -> None:
        """Go to the next card without an answer, with the row after it in sight."""
        grid = self.grid_view
        following = self.list.next_open(-1 if place is None else place)
        if following is not None:
            grid.focused = following
            grid.scroll_to_card(min(following + grid.columns, len(self.list) - 1))
            grid.scroll_to_card(following)
        grid.show_focus(True)
        grid.refresh()
        self.attributes.show()

    def _return_to(self, segment_ids: Sequence[str]) -> None:
        """Go to the first card whose answer was taken back, to be answered anew."""
        ids = [each.segment_id for each in self.list.candidates]
        places = [ids.index(segment_id) for segment_id in segment_ids if segment_id in ids]
        if places:
            self.grid_view.focused = min(places)
            self.grid_view.scroll_to_card(min(places))
            self._show_answers()

    def _show_answers(self) -> None:
        self.grid_view.refresh()
        self.head.show(self.label, self.list.count("accepted"), self.list.count("rejected"))
        self._show_strip()

    def _count_answers(self, answers: int) -> None:
        """Rank again after some answers, or after as many were taken back."""
        self._since += answers
        if abs(self._since) >= self._every:
            self.rank_again(from_start=False)
        self._show_strip()
        self._show_state()

    @property
    def _every(self) -> int:
        ranked = self.ranked
        return EVERY if ranked is None else ranked.ranking.ranks_again_in or EVERY

    # -- cards

    def _open(self, place: int) -> None:
        self.tools.open_hits([each.hit for each in self.list.candidates], place)

    def open_chosen(self) -> None:
        """Show the card that has the focus in its frame."""
        if self.grid_view.focused is not None:
            self._open(self.grid_view.focused)

    def _clicked(self, place: int) -> None:
        self.grid_view.show_focus(True)
        self.attributes.show()

    def _menu(self, place: int, x: int, y: int) -> None:
        self.grid_view.show_focus(True)
        show_menu(self.grid_view.canvas, self.theme, self.context.menu(CANDIDATE_MENU), x, y)

    # -- what is seen

    def _keys_are_free(self) -> bool:
        """Whether nothing that a person uses has the keyboard, such as an entry or the list."""
        focus = str(self.focus_get() or "")
        waits = focus in ("", ".", "None") or f"{focus}.".startswith(f"{self.in_place}.")
        return waits and self.winfo_viewable()

    def _fit(self, width_px: int) -> None:
        """Show smaller cards in a narrow window, or there would be few."""
        wish = CARD if width_px >= self.theme.px(_NARROW) else SMALL_CARD
        if wish != self.grid_view.wish:
            self.grid_view.set_wish(wish)

    def _show_strip(self) -> None:
        label, ranked = self.label, self.ranked
        ranking = None
        if ranked is not None and label is not None and ranked.wanted.label == label.name:
            ranking = ranked.ranking
        left = 0 if self.requests.is_busy else max(0, self._every - abs(self._since))
        self.strip.show(ranking, label, len(self._acceptable()), left)

    def _show_state(self) -> None:
        """Show the candidates, or in their place what there is to say."""
        words, *ways = words_in_place(self)
        if words is None:
            self.in_place.pack_forget()
            if not self._work.winfo_manager():
                self._work.pack(fill="both", expand=True)
            return
        self._work.pack_forget()
        self.in_place.say(*words, *ways)
        if not self.in_place.winfo_manager():
            self.in_place.pack(fill="both", expand=True)
