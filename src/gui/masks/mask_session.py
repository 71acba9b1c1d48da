"""One edit of a mask: what is asked of its editor, in order, and what came of it. No widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from PIL import Image

from src.errors import is_of_a_person
from src.gui.core.wording import as_sentence
from src.gui.core.work_line import Threads, WorkLine
from src.gui.masks.editor import Editor, Look, Opened
from src.label_records import KeptEdit

Result = TypeVar("Result")
Deed = Callable[[Editor], object]


class MainThreads(Threads, Protocol):
    """MainThread, as far as an edit needs it."""

    def run(
        self,
        work: Callable[[], Result],
        then: Callable[[Result], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
    ) -> None: ...


@dataclass(frozen=True)
class SessionEvents:
    """What a session tells, all in the window's thread.

    Attributes:
        opened: the editor is there; of a segment that was taken up, or a new one.
        prepared: clicks are answered quickly from now on.
        changed: there is another mask, or other clicks.
        wrong: something can't be done; a sentence for a person.
        kept: the edit is in the library.
    """

    opened: Callable[[Look], None]
    prepared: Callable[[], None]
    changed: Callable[[Look], None]
    wrong: Callable[[str], None]
    kept: Callable[[KeptEdit], None]


class MaskSession:
    """Asks one editor at a time, in one thread; answers of one that was left are not told."""

    def __init__(self, main_thread: MainThreads, events: SessionEvents) -> None:
        self._main_thread, self._events = main_thread, events
        self._line = WorkLine(main_thread, "mask")
        self._editor: Editor | None = None
        self._take_off: Callable[[str, str, str], object] = lambda *_: None
        self._number = 0
        self.is_open = self.is_prepared = self.can_click = self.wants_rings = False
        self.is_keeping = False
        self.image: Image.Image | None = None  # of the frame, in its own pixels
        self.look: Look | None = None
        self.before: Look | None = None
        self.label = self.label_before = ""

    @property
    def is_ready(self) -> bool:
        """Whether there is an editor to ask."""
        return self._editor is not None

    @property
    def is_busy(self) -> bool:
        """Whether something that was asked is not answered yet."""
        return self._line.is_busy

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to keep, or may be once all is answered."""
        if not self.is_open or self.look is None:
            return False
        return (
            self.look.state.can_undo or self.label != self.label_before or self._line.is_busy
        ) and not self.is_keeping

    # -- begin and end

    def open(self, edit: Callable[[], Opened], segment_id: str | None, label: str) -> None:
        """Begin to edit a segment, or a new one where the id is None; `opened` follows.

        Args:
            edit: opens the editor, in the edit's thread.
        """
        self.close()
        self._number += 1
        number = self._number
        self.is_open, wants_rings = True, self.wants_rings
        self.label = self.label_before = label

        def work() -> tuple[Opened, Look, Image.Image]:
            found = edit()
            found.editor.begin(segment_id, None)
            image = Image.fromarray(found.editor.image_rgb)
            return found, _look(found.editor, wants_rings), image

        def opened(found: tuple[Opened, Look, Image.Image]) -> None:
            (what, look, image), editor = found, found[0].editor
            if number != self._number:
                self._line.run(editor.close)
                return
            self._editor, self.look, self.before, self.image = editor, look, look, image
            self.can_click, self._take_off = what.can_click, what.take_off
            self._events.opened(look)
            if what.can_click:
                self._prepare(editor)

        def failed(exc: Exception) -> None:
            if number == self._number:
                self._failed(exc)

        self._line.run(work, opened, failed, "Couldn't edit the segment")

    def _prepare(self, editor: Editor) -> None:
        """Have the model look at the photo, beside strokes that need no model."""

        def prepared(_: object) -> None:
            if editor is self._editor:
                self.is_prepared = True
                self._events.prepared()

        def failed(exc: Exception) -> None:
            if editor is self._editor:
                self._failed(exc)

        self._main_thread.run(
            editor.prepare, prepared, failed, "Couldn't get the photo ready for clicks"
        )

    def close(self) -> None:
        """Leave the edit as it is in the library."""
        editor, self._editor = self._editor, None
        self._number += 1
        self.is_open = self.is_prepared = self.is_keeping = False
        self.image = self.look = self.before = None
        if editor is not None:
            self._line.run(editor.close)

    # -- steps

    def do(
        self,
        deed: Deed,
        answered: Callable[[], None] | None = None,
        told: Callable[[object], None] | None = None,
    ) -> None:
        """Change the mask; `changed` follows, or `wrong`.

        Args:
            answered: called before either of them.
            told: called after the change with what the deed returned.
        """
        editor = self._editor
        if editor is None or self.is_keeping:
            if answered is not None:
                answered()
            return
        wants_rings = self.wants_rings

        def work() -> tuple[object, Look]:
            return deed(editor), _look(editor, wants_rings)

        def done(found: tuple[object, Look]) -> None:
            if answered is not None:
                answered()
            if editor is self._editor:
                self.look = found[1]
                self._events.changed(found[1])
                if told is not None:
                    told(found[0])

        def failed(exc: Exception) -> None:
            if answered is not None:
                answered()
            if editor is not self._editor:
                return
            if self.look is not None:
                self._events.changed(self.look)
            self._failed(exc)

        self._line.run(work, done, failed, "Couldn't change the mask")

    def refresh(self) -> None:
        """Look at the mask again, as `wants_rings` is another by now."""
        self.do(lambda _: None)

    def preview(self, x: float, y: float, inside: bool, show: Callable[[np.ndarray], None]) -> None:
        """Show what a click there would give, once nothing else is to be done."""
        editor = self._editor
        if editor is None or not self.is_prepared or self.is_keeping:
            return

        def seen(mask: np.ndarray) -> None:
            if editor is self._editor:
                show(mask)

        self._line.glance(lambda: editor.preview(x, y, inside), seen)

    def forget_preview(self) -> None:
        self._line.drop_glance()

    def keep(self) -> None:
        """Write the edit into the library; `kept` follows, or `wrong`, and then it goes on."""
        editor, label, before, take_off = (
            self._editor,
            self.label,
            self.label_before,
            self._take_off,
        )
        if editor is None or self.is_keeping:
            return

        def work() -> KeptEdit:
            editor.label = label if label != before else None
            kept = editor.keep()
            if before and label != before and kept.batch and kept.segment_id is not None:
                take_off(kept.segment_id, before, kept.batch)
            return kept

        def kept(what: KeptEdit) -> None:
            self.close()
            self._events.kept(what)

        def failed(exc: Exception) -> None:
            self.is_keeping = False
            self._failed(exc)

        self._line.run(work, kept, failed, "Couldn't save the mask")
        self.is_keeping = True

    def _failed(self, exc: Exception) -> None:
        self._events.wrong(as_sentence(str(exc)) if is_of_a_person(exc) else "")
        if not is_of_a_person(exc):
            raise exc


def _look(editor: Editor, wants_rings: bool) -> Look:
    rings = editor.polygon_points() if wants_rings else ()
    return Look(
        editor.mask.copy(),
        editor.state,
        tuple([(float(x), float(y)) for x, y in ring] for ring in rings),
        tuple(editor.segment_ids),
    )
