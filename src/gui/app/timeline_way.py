"""The way to the timeline of a video, and back to where one came from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from src.gui.app.panel_list import PANELS
from src.gui.detail.detail_panel import Origin
from src.gui.search.search_panel import BY_IMAGE, BY_WORDS
from src.search.query import Query
from src.search.query_text import parse_query

if TYPE_CHECKING:
    from src.gui.app.panels import Panels

TIMELINE, _DETAIL = "timeline", "detail"  # keys of panels


class TimelineWay:
    """Remembers one place: a frame that was opened from the timeline leads back to that."""

    def __init__(self, panels: Panels) -> None:
        self._panels = panels
        self.before = "library"  # the panel that it was opened from, be it by way of a segment
        self._origin = "Library"
        self._back: Callable[[], object] = partial(panels.go, self.before)

    def open(
        self,
        media_file_id: int,
        at_s: float | None = None,
        segment_id: str | None = None,
        query: Query | str | None = None,
    ) -> None:
        """Show a video over time; the way back leads to where one is now.

        Args:
            at_s: the moment to go to.
            segment_id: the segment whose track is chosen, and gone to where no moment is given.
            query: what the curve is of; None for what was searched for last.
        """
        panels = self._panels
        self._remember()
        if query is None:
            query = panels.search.asked
        elif isinstance(query, str):
            query = parse_query(query)
        if query is not None and not query.terms:
            query = None  # a filter alone scores nothing
        panels.go(TIMELINE)
        panels.timeline.open(media_file_id, self._origin, at_s, segment_id, query)

    def _remember(self) -> None:
        """Keep the way back, unless one comes from a frame that was opened on the timeline."""
        panels, here = self._panels, self._panels.here
        if here == TIMELINE or (here == _DETAIL and panels.before_detail == TIMELINE):
            return
        if here == _DETAIL:
            detail, before = panels.detail, panels.before_detail
            segment_id, origin = detail.segment_id, detail.origin
            self.before, self._origin = before, "Segment"
            self._back = lambda: panels.open_detail(segment_id, origin, before)
            return
        title = next(spec.title for spec in PANELS if spec.key == here)
        self.before = here
        self._origin = "Results" if here in (BY_WORDS, BY_IMAGE) else title
        self._back = partial(panels.go, here)

    def leave(self) -> None:
        """Go back to where the timeline was opened from."""
        self._back()

    def open_frame(self, segment_id: str) -> None:
        """Show a segment of the frame at the playhead; the way back leads to the timeline."""
        self._panels.open_detail(segment_id, Origin("Timeline"), TIMELINE)

    def search(self, query: Query) -> None:
        """Search for what the timeline asks for; the way back leads to it as it is now."""
        panels, way = self._panels, (self.before, self._origin, self._back)
        reader = panels.timeline.reader
        media_file_id, asked = reader.media_file_id, reader.query

        def back() -> None:
            self.before, self._origin, self._back = way
            panels.go(TIMELINE)
            if media_file_id is not None:
                panels.timeline.open(media_file_id, self._origin, query=asked)

        panels.go(BY_WORDS)
        panels.search.run_query(query, back)
