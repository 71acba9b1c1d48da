"""Media files as cards: what a grid of the library shows, read page by page."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from src.counting import counted
from src.gui.cards.card_view import CardView, Colour
from src.gui.core.job_state import JobState, length
from src.gui.core.session import Session
from src.gui.core.wording import capital, reason_and_details
from src.records import MediaCard

_KEPT_CARDS = 2000


class MediaCards:
    """The grid's source: ids in their order, and cards read page by page."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.ids: list[int] = []
        self.stopped: frozenset[int] = frozenset()  # waiting since a person stopped adding them
        self.busy: tuple[Path, JobState] | None = None
        self._cards: OrderedDict[int, MediaCard] = OrderedDict()

    def __len__(self) -> int:
        return len(self.ids)

    def views(self, first: int, last: int) -> list[CardView]:
        wanted = self.ids[first:last]
        missing = [number for number in wanted if number not in self._cards]
        if missing:
            # a page is read in under a millisecond, so this thread may wait for it
            self._cards.update(self._session.library.browse.media_cards(missing))
        while len(self._cards) > _KEPT_CARDS:
            self._cards.popitem(last=False)
        return [self._view(number) for number in wanted]

    def card(self, place: int) -> MediaCard | None:
        if not 0 <= place < len(self.ids):
            return None
        self.views(place, place + 1)
        return self._cards.get(self.ids[place])

    def forget(self, path: Path | None = None) -> None:
        """Read cards again: one file's, or all."""
        if path is None:
            self._cards.clear()
            return
        for number in [n for n, card in self._cards.items() if card.media.path == path]:
            del self._cards[number]

    def _view(self, number: int) -> CardView:
        card = self._cards.get(number)
        if card is None:  # removed since the ids were listed
            return CardView(number, None, "", "")
        media = card.media
        picture = card.poster or (media.path if media.kind == "image" else None)
        name = media.path.name
        if self.busy is not None and self.busy[0] == media.path:
            job = self.busy[1]
            doing = f"Frame {job.file_frames}" if job.file_frames else "Reading…"
            if 0 < job.file_fraction < 1:
                doing += f" · {job.file_fraction:.0%}"
            return CardView(
                number, picture, name, doing, "accent", state="busy", progress=job.file_fraction
            )
        if media.status == "failed":
            why = reason_and_details(media.error or "could not be read")[0]
            return CardView(number, None, name, capital(why), "error", state="failed")
        if media.status in ("pending", "processing"):
            facts = "Stopped" if number in self.stopped else "Waiting"
            if card.segments:
                facts += f" · {counted(card.segments, 'segment')} so far"
            return CardView(number, picture, name, facts, state="waiting")
        kind = "Photo" if media.kind == "image" else "Video"
        facts = f"{kind} · {counted(card.segments, 'segment')}"
        for remark in (media.error, media.note):
            if remark:
                facts += f" · {reason_and_details(remark)[0]}"
        is_missing = self._session.missing.has(media.path)
        if is_missing:
            facts = f"Missing · {facts}"
        badge = length(media.duration_s) if media.kind == "video" and media.duration_s else None
        colour: Colour = "error" if is_missing else "text_2"
        return CardView(number, picture, name, facts, colour, badge)
