"""Hits of a search as cards: what both search panels show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import customtkinter as ctk

from src.gui.job_state import counted, moment
from src.gui.theme import LEFT, RIGHT, Theme
from src.gui.thumbnails import Thumbnails
from src.gui.widgets.card_face import CardActions, CardFace, CardPainter
from src.gui.widgets.card_grid import WISH, CardGrid
from src.gui.widgets.controls import label
from src.records import SearchHit

# More than anyone looks through, and found as fast as ten.
N_RESULTS = 100


class Hits:
    """A grid's source of search hits."""

    def __init__(self, hits: Sequence[SearchHit], query: str = "") -> None:
        self.hits = tuple(hits)
        self._query = query.casefold()
        # the bar compares hits of one search: the best fills nine tenths
        self._full = max((hit.score for hit in self.hits), default=1.0) / 0.9 or 1.0

    def __len__(self) -> int:
        return len(self.hits)

    def faces(self, first: int, last: int) -> list[CardFace]:
        return [self._face(hit) for hit in self.hits[first:last]]

    def _face(self, hit: SearchHit) -> CardFace:
        segment = hit.segment
        facts = "Photo" if segment.timestamp_s is None else moment(segment.timestamp_s)
        if segment.kind == "frame":
            facts += " · whole picture"
        if any(tag.source == "human" and tag.name.casefold() == self._query for tag in hit.tags):
            facts += " · tagged by you"
        return CardFace(
            segment.id,
            segment.crop_path,
            segment.media_path.name,
            facts,
            score=hit.score,
            score_share=max(0.0, hit.score) / self._full,
            action="similar",
        )


class ResultsView(ctk.CTkFrame):
    """A line that says how many, and the cards; or a sentence when there are none."""

    def __init__(
        self,
        master: Any,
        look: Theme,
        thumbnails: Thumbnails,
        painter: CardPainter,
        on_open: Callable[[Sequence[SearchHit], int], None],
        on_similar: Callable[[SearchHit], None],
        margins: tuple[int, int] = (LEFT, RIGHT),
        wish: int = WISH,
    ) -> None:
        super().__init__(master, fg_color=look.colours.window, corner_radius=0)
        self.look = look
        self.hits = Hits(())
        self._line = ctk.CTkFrame(self, fg_color="transparent", height=36)
        self._line.pack(fill="x", padx=margins)
        self._line.pack_propagate(False)
        self._count = label(self._line, look, "", weight="medium")
        self._count.pack(side="left")
        self._where = label(self._line, look, "", colour=look.colours.text_2)
        self._where.pack(side="left", padx=8)
        self.grid_view = CardGrid(
            self,
            look,
            painter,
            thumbnails,
            CardActions(
                lambda place: on_open(self.hits.hits, place),
                lambda place: on_similar(self.hits.hits[place]),
            ),
            kind="hit",
            margins=margins,
            wish=wish,
        )
        self._sentence = label(self, look, "", colour=look.colours.text_2, justify="center")
        self._shows_grid = False
        self.say("")

    def show(self, hits: Sequence[SearchHit], like: str = "", query: str = "") -> None:
        """Show hits, best first, in one step.

        Args:
            like: what goes on the line that counts them.
            query: the words searched for; a person's tag of the same words is marked.
        """
        self.hits = Hits(hits, query)
        if not hits:
            self.say("Nothing found. Try other words, or add more photos and videos.")
            return
        files = len({hit.segment.media_file_id for hit in hits})
        self._count.configure(text=counted(len(hits), "hit"))
        self._where.configure(text=f"in {counted(files, 'media file')}{like}")
        self._sentence.place_forget()
        if not self._shows_grid:
            self.grid_view.pack(fill="both", expand=True)
            self._shows_grid = True
        self.grid_view.show(self.hits)

    def say(self, sentence: str) -> None:
        """Show a sentence in the place of cards."""
        self.hits = Hits(())
        self.grid_view.show(self.hits)
        self._count.configure(text="")
        self._where.configure(text="")
        if self._shows_grid:
            self.grid_view.pack_forget()
            self._shows_grid = False
        self._sentence.configure(text=sentence)
        self._sentence.place(relx=0.5, rely=0.42, anchor="center")
