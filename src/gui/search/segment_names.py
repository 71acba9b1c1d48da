"""What the chips of segments and files in a query are called."""

from __future__ import annotations

from src.gui.core.query_parts import QueryParts
from src.gui.core.session import Session
from src.gui.search.query_entry import QueryEntry
from src.records import MediaCard, SearchResult
from src.search.leaves import MediaFileIs
from src.search.query import Like


def name_parts(session: Session, entry: QueryEntry, parts: QueryParts) -> None:
    """Look up the files and crops of segments, and the names of files, where not known yet."""
    library = session.library
    segments = [term.segment_id for term in parts.terms if isinstance(term, Like)]
    segments = [each for each in segments if not entry.knows(each)]
    files = [
        each
        for condition in parts.conditions
        if isinstance(condition, MediaFileIs) and len(condition.ids) == 1
        for each in condition.ids
        if not entry.knows_file(each)
    ]

    def looked_up(found: SearchResult) -> None:
        for hit in found:
            segment = hit.segment
            entry.name(segment.id, segment.media_path.name, segment.crop_path)

    def files_looked_up(cards: dict[int, MediaCard]) -> None:
        entry.name_files({each: card.media.path.name for each, card in cards.items()})

    if segments:
        session.main_thread.run(
            lambda: library.segments(segments), looked_up, fails="Couldn't look up the segment"
        )
    if files:
        session.main_thread.run(
            lambda: library.browse.media_cards(files),
            files_looked_up,
            fails="Couldn't look up the file",
        )
