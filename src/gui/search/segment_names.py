"""What the chips of segments in a query are called."""

from __future__ import annotations

from collections.abc import Sequence

from src.gui.core.session import Session
from src.gui.search.query_entry import QueryEntry
from src.records import SearchResult
from src.search.query import Like, Term


def name_segments(session: Session, entry: QueryEntry, terms: Sequence[Term]) -> None:
    """Look up the files and crops of segments that are searched for, where not known yet."""
    library = session.library
    ids = [term.segment_id for term in terms if isinstance(term, Like)]
    ids = [each for each in ids if not entry.knows(each)]
    if not ids:
        return

    def looked_up(found: SearchResult) -> None:
        for hit in found:
            segment = hit.segment
            entry.name(segment.id, segment.media_path.name, segment.crop_path)

    session.main_thread.run(
        lambda: library.segments(ids), looked_up, fails="Couldn't look up the segment"
    )
