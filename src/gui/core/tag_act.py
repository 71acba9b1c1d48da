"""One act on tags: a tag put on several segments at once, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from src.counting import counted
from src.errors import is_of_a_person
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence


class TagAct:
    """Remembers the last act, which can be undone once."""

    def __init__(self, session: Session, say: Callable[[str, bool], None]) -> None:
        """Prepare it.

        Args:
            say: shows what was done, or why it can't be, and whether it can be undone.
        """
        self._session, self._say = session, say
        self._batch: str | None = None

    def forget(self) -> None:
        """Let the last act stand: other segments are selected now."""
        self._batch = None

    def tag(self, segment_ids: Sequence[str], name: str, added: Callable[[], None]) -> None:
        """Put a tag on segments.

        Args:
            added: called once they have it.
        """
        library = self._session.library

        def add() -> None:
            self._batch = library.add_tag_to(segment_ids, name)

        def done() -> None:
            added()
            self._say(f"{counted(len(segment_ids), 'segment')} tagged “{name.strip()}”.", True)

        def failed(exc: Exception) -> None:
            if not is_of_a_person(exc):
                raise exc
            self._say(as_sentence(str(exc)), False)

        if name.strip():
            self._session.change(add, done, failed, "Couldn't add the tag")

    def undo(self) -> None:
        library, batch = self._session.library, self._batch
        if batch is None:
            return
        self._batch = None
        self._session.change(
            lambda: library.undo(batch),
            lambda: self._say("Undone.", False),
            fails="Couldn't undo",
        )
