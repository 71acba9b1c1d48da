"""What a person does with tags; a part of MediaLibrary."""

from __future__ import annotations

from collections.abc import Sequence

from src.database.decisions import new_batch
from src.database.text_normalization import normalize_text
from src.errors import QueryError
from src.labels.typed import tag_name
from src.open_library import OpenLibrary
from src.records import Tag
from src.search.query import GONE


class Tagging(OpenLibrary):
    """The verbs on tags."""

    def tag_name(self, text: str) -> str:
        """Bring typed text to the form that names of tags have; see labels.typed."""
        return tag_name(text)

    def label(self, segment_ids: Sequence[str], name: str, batch: str | None = None) -> str:
        """Give segments a label, all of them or none; see Labels.give.

        Returns:
            The batch, for undo.
        """
        return self.labels.give(segment_ids, name, batch)

    def add_tag(self, segment_id: str, name: str, batch: str | None = None) -> str:
        """Put a person's tag on a segment; a person is sure.

        Args:
            batch: of the act that this is a part of; None for one of its own.

        Returns:
            The batch, for undo.

        Raises:
            QueryError: the tag has no name, a very long one, or one that is no text; or the
                segment is gone.
        """
        name, batch = self.tag_name(name), batch or new_batch()
        tags = [Tag(name, 1.0, "human")]
        if not self.metadata.add_tags(segment_id, tags, added_by="human", batch=batch):
            raise QueryError(GONE)
        return batch

    def remove_tag(self, segment_id: str, name: str, batch: str | None = None) -> str:
        """Remove a tag from a segment; no model gives it again. Returns the batch, for undo."""
        batch = batch or new_batch()
        self.metadata.remove_tag(segment_id, normalize_text(name), batch)
        return batch

    def undo(self, batch: str) -> int:
        """Undo a whole act on tags; returns how many of its decisions there were to undo."""
        return self.labels.undo(batch)

    def redo(self, batch: str) -> int:
        """Do a whole act again that was undone."""
        return self.labels.redo(batch)

    def tag_counts(self) -> dict[str, int]:
        """Count the segments of each tag, most first."""
        counts = self.metadata.tag_counts()
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
