"""The tab "Rank": segments that are like those with a label, to be accepted or rejected."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from typing import Any

from src.gui.cards.card_grid import CardGrid
from src.gui.cards.card_view import CardActions
from src.gui.core.label_acts import Act
from src.gui.core.wording import explained
from src.gui.label.answering import Answering
from src.gui.label.attribute_row import AttributeRow, Value
from src.gui.label.in_place import InPlace, Way
from src.gui.label.label_tab import LabelTab, LabelTools
from src.gui.label.rank_head import DOUBTFUL, RankHead
from src.gui.label.rank_keys import HINTS, RankKeys
from src.gui.label.rank_list import RankList
from src.gui.label.rank_requests import LIMIT, Ranked, RankRequests, Wanted
from src.gui.label.rank_strip import RankStrip
from src.gui.panel.panel import PanelContext
from src.gui.theme.theme import LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.widgets.popup import show_menu
from src.label_records import Label
from src.records import SearchHit

CANDIDATE_MENU = "candidate"
CARD = 112  # the width wished for
# Answers after which it is ranked again, where the ranking itself does not say.
EVERY = 10

LOADING = ("Loading models", "Candidates will be here in a moment.")
MODELS_FAILED = ("The models couldn't be loaded", "See Models for the reason.")
EMPTY = ("Nothing to label yet", "Add photos or videos, and what is in them can be labelled.")
NO_LABELS = (
    "Make your first label",
    "Name something that is in your photos or videos, then say yes or no to a few segments: the "
    "rest is ranked by your answers.",
)
NO_EXAMPLES = "Search for something, or select segments with Space, and press S to start from it."


class RankTab(LabelTab):
    """A strip, a line about the ranking, and the candidates; or what to do where there are none."""

    name = "Rank"
    key_hints = HINTS

    def __init__(self, master: Any, context: PanelContext, tools: LabelTools) -> None:
        super().__init__(master, context, tools)
        theme, session = context.theme, context.session
        self._seeds: tuple[str, ...] = ()
        self._ranked: Ranked | None = None
        self._since = 0  # answers since it was ranked last
        self._limit = LIMIT
        self._is_stale = False
        self._failed: tuple[str, str] | None = None
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
        self.attributes = AttributeRow(top, theme, self._set_attribute)
        self.head = RankHead(top, theme, lambda _: self._ask(from_start=True))
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
        self.keys = RankKeys(self)
        self.in_place = InPlace(self, theme)
        session.signals.models_ready.append(self._models_changed)
        session.signals.models_failed.append(self._models_changed)
        session.signals.missing_changed.append(self.grid_view.refresh)
        self._models_failed = False
        session.signals.models_failed.append(lambda: setattr(self, "_models_failed", True))

    # -- what the panel tells

    def shown(self) -> None:
        """Rank where that was not done yet, or again where the library has changed."""
        self._show_state()
        if self._is_stale or self._ranked is None:
            self._ask(from_start=self._ranked is None)
        self.take_keys()

    def labels_changed(self) -> None:
        label = self.label
        name = "" if label is None else label.name
        if name != self.answering.label:
            self.answering.label, self._seeds, self._ranked = name, (), None
            self.list.begin(())
            self.grid_view.show(self.list)
            self._failed = None
            self._ask(from_start=True)
        self._offer_attributes()
        self._show_strip()
        self._show_state()

    def content_changed(self) -> None:
        self._is_stale = True

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

    def _models_changed(self) -> None:
        if self.winfo_viewable():
            self._show_state()
            self._ask(from_start=True)

    # -- rankings

    def _ask(self, from_start: bool) -> None:
        """Rank in another thread; what is shown stays until the answer is there."""
        label = self.label
        if label is None or not self.session.is_open or not self.session.models_ready:
            return
        self._since, self._is_stale = 0, False
        if from_start:
            self._limit = LIMIT
        order = "doubtful" if self.head.order == DOUBTFUL else "best"
        wanted = Wanted(label.name, self._seeds, order, from_start, self._limit)  # type: ignore[arg-type]
        self.requests.ask(wanted)
        self._show_strip()

    def _show_ranking(self, found: Ranked) -> None:
        if found.wanted.label != self.answering.label:
            return
        self._ranked, self._failed = found, None
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
        if self._has_keys():
            self.take_keys()

    def _ranking_failed(self, wanted: Wanted, exc: Exception) -> None:
        if wanted.label == self.answering.label:
            self._failed = explained(exc)
            self._is_stale = True
            if len(self.list):
                self.tools.say(f"Couldn't rank again. {self._failed[0]}")
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
        ranked = self._ranked
        if ranked is None or self.requests.is_busy or ranked.wanted.limit >= 2 * self._limit:
            return
        if len(ranked.ranking.candidates) >= self._limit:
            self._limit *= 2
            self._ask(from_start=False)

    def start_from_examples(self) -> None:
        """Rank by what is selected here, or by what the last search found."""
        selected = self.chosen_ids() if self.grid_view.selection else []
        self.start_from(selected or [hit.segment.id for hit in self.tools.examples()])

    def start_from(self, segment_ids: Sequence[str]) -> None:
        """Rank by segments that are examples, as long as there are no answers."""
        ranking = None if self._ranked is None else self._ranked.ranking
        if not segment_ids:
            self.tools.say(NO_EXAMPLES)
        elif ranking is not None and (ranking.accepted or ranking.rejected or self._since):
            self.tools.say("This label is ranked by your answers already.")
        else:
            self._seeds = tuple(segment_ids)
            self.grid_view.select(frozenset())
            self._ask(from_start=True)

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
        if hits := self._acceptable():
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
        if self._ranked is None or self._ranked.wanted.label != self.answering.label:
            return ()
        answered = {each.segment_id for each in self.list.candidates if each.answer}
        return [hit for hit in self._ranked.best if hit.segment.id not in answered]

    def _go_on(self, place: int | None) -> None:
        grid = self.grid_view
        following = self.list.next_open(-1 if place is None else place)
        if following is not None:
            grid.focused = following
            grid.scroll_to_card(following)
        grid.show_focus(True)
        grid.refresh()
        self._show_attributes()

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
        """Rank again after some answers."""
        self._since = max(0, self._since + answers)
        if self._since >= self._every:
            self._ask(from_start=False)
        self._show_strip()
        self._show_state()

    @property
    def _every(self) -> int:
        ranked = self._ranked
        return EVERY if ranked is None else ranked.ranking.ranks_again_in or EVERY

    # -- attributes

    def _offer_attributes(self) -> None:
        label = self.label
        attributes = () if label is None else label.attributes
        self.attributes.offer(attributes)
        if attributes and not self.attributes.winfo_manager():
            self.attributes.pack(fill="x", pady=(8, 0), after=self.strip)
        elif not attributes:
            self.attributes.pack_forget()
        self._show_attributes()

    def focus_moved(self) -> None:
        """Called when another card has the focus."""
        self._show_attributes()

    def _show_attributes(self) -> None:
        """Show the attributes of the chosen card, once they are known."""
        label, ids = self.label, self.chosen_ids()
        if label is None or not label.attributes or not ids:
            return
        labels, name = self.session.library.labels, label.name

        def found(values: Any) -> None:
            if self.chosen_ids() == ids:
                self.attributes.show(values.get(ids[0], {}).get(name, {}))

        self.session.main_thread.run(lambda: labels.attributes_of(ids[:1]), found)

    def _set_attribute(self, attribute: str, value: Value) -> None:
        """Set it on what is chosen; that it has the label is said by that."""
        label, ids = self.label, self.chosen_ids()
        if label is None or not ids:
            return
        labels, name = self.session.library.labels, label.name
        answers = self.list.answers_of(ids)
        if new := [key for key in ids if key in answers and answers[key].answer != "accepted"]:
            self.answering.accept(new)
        self.tools.acts.do(
            Act(
                lambda: labels.set_attribute(ids, name, attribute, value),
                done=self._show_attributes,
                undone=self._show_attributes,
            )
        )
        self.take_keys()

    # -- cards

    def _open(self, place: int) -> None:
        self.tools.open_hits([each.hit for each in self.list.candidates], place)

    def open_chosen(self) -> None:
        """Show the card that has the focus in its frame."""
        if self.grid_view.focused is not None:
            self._open(self.grid_view.focused)

    def _clicked(self, place: int) -> None:
        self.grid_view.show_focus(True)
        self.focus_moved()

    def _menu(self, place: int, x: int, y: int) -> None:
        self.grid_view.show_focus(True)
        show_menu(self.grid_view.canvas, self.theme, self.context.menu(CANDIDATE_MENU), x, y)

    # -- what is seen

    def _has_keys(self) -> bool:
        """Whether nothing else of the window has the keyboard, such as an entry."""
        focus = self.focus_get()
        return self.winfo_viewable() and not isinstance(focus, tkinter.Entry)

    def _show_strip(self) -> None:
        label, ranked = self.label, self._ranked
        ranking = None
        if ranked is not None and label is not None and ranked.wanted.label == label.name:
            ranking = ranked.ranking
        left = 0 if self.requests.is_busy else max(0, self._every - self._since)
        self.strip.show(ranking, label, len(self._acceptable()), left)

    def _show_state(self) -> None:
        """Show the candidates, or in their place what there is to say."""
        words, *ways = self._in_place()
        if words is None:
            self.in_place.pack_forget()
            if not self._work.winfo_manager():
                self._work.pack(fill="both", expand=True)
            return
        self._work.pack_forget()
        self.in_place.say(*words, *ways)
        if not self.in_place.winfo_manager():
            self.in_place.pack(fill="both", expand=True)

    def _in_place(self) -> tuple[tuple[str, str] | None, Way | None, Way | None]:
        """Return what is to be said in place of candidates, with what to do; None for nothing."""
        tools, label = self.tools, self.label
        if not self.session.is_open:
            return LOADING, None, None
        if tools.is_empty():
            return EMPTY, ("Add Images/Videos", tools.add_media), None
        if label is None:
            other = ("Import names from a text file", tools.import_names)
            return NO_LABELS, ("New label", tools.add_label), other
        if len(self.list):
            return None, None, None
        if self._models_failed:
            return MODELS_FAILED, None, None
        if not self.session.models_ready:
            return LOADING, None, None
        if self._failed is not None:
            retry = ("Try again", lambda: self._ask(from_start=True))
            words = f"Couldn't rank “{label.name}”", self._failed[0]
            return words, retry, ("Start from a search", tools.search)
        if self._ranked is None or self.requests.is_busy:
            return ("Ranking…", f"Looking for what is like “{label.name}”."), None, None
        said = f"Every segment has an answer for “{label.name}”."
        return ("Nothing left to answer", said), None, None
