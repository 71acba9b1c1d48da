"""What a person does: saved in order, taken back and done again as a whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar, cast

from src.gui.core.session import READ_ONLY, Session

Found = TypeVar("Found")


class BatchVerbs(Protocol):
    """What takes a batch back and does it again, such as `library.labels`."""

    def undo(self, batch: str) -> object: ...

    def redo(self, batch: str) -> object: ...


def _nothing() -> None:
    """Be told of something that needs no answer."""


@dataclass(frozen=True)
class Act:
    """One thing that a person did, however many segments it was about.

    Attributes:
        work: saves it, in another thread, and returns its batch; "" where nothing was to be saved.
        said: what it was, for the line that offers to take it back: "34 accepted together".
        named: what it was, once it is taken back, where nothing is said of it before.
        done: called once it is saved, the first time and again.
        undone: called once it is taken back, and where it could not be saved.
    """

    work: Callable[[], str]
    said: str = ""
    done: Callable[[], object] = _nothing
    undone: Callable[[], object] = _nothing
    named: str = ""


class UndoableActs:
    """Saves acts one after the other, in the order in which they were done.

    A quick hand gives the next answer before the last one is saved, and takes back what is only
    just on its way: so acts, undo and redo wait in one line.
    """

    def __init__(
        self,
        session: Session,
        verbs: Callable[[], BatchVerbs],
        changed: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        """Prepare it.

        Args:
            changed: called after each act, undo and redo.
            say: shows what was done, or taken back.
        """
        self._session, self._verbs, self._changed, self._say = session, verbs, changed, say
        self._waiting: deque[Callable[[], None]] = deque()
        self._runs = False
        self._done: list[tuple[Act, str]] = []
        self._undone: list[tuple[Act, str]] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._done) or self.is_saving

    @property
    def has_saved(self) -> bool:
        """Whether there is an act that is saved and not taken back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    @property
    def is_saving(self) -> bool:
        return self._runs

    def remember(self, act: Act, batch: str) -> None:
        """Let an act be taken back that was saved elsewhere."""
        self._done.append((act, batch))
        self._undone.clear()

    def forget(self) -> None:
        """Let all acts stand that were saved: none of them can be taken back here any more."""
        self._done.clear()
        self._undone.clear()

    def do(
        self,
        act: Act,
        refused: Callable[[Exception], None] | None = None,
        fails: str = "Couldn't save the answer",
    ) -> None:
        """Save an act; what was taken back before it can't be done again.

        Args:
            refused: gets the error where it can't be saved, in place of the window's handler.
            fails: what the handler says then.
        """
        self._put_act(partial(self._save, act, refused, fails))

    def do_found(
        self,
        find: Callable[[], Found],
        act_on: Callable[[Found], Act | None],
        refused: Callable[[Exception], None] | None = None,
        fails: str = "",
    ) -> None:
        """Save an act on what has to be looked up first; an undo that comes meanwhile waits for it.

        Args:
            find: looks it up, in another thread.
            act_on: makes the act; None where there is nothing to do.
            refused: see do.
            fails: what to say where nothing can be looked up.
        """

        def found(what: object) -> None:
            act = act_on(cast(Found, what))
            if act is None:
                self._next()
            else:
                self._save(act, refused)

        self._put_act(partial(self._run, find, found, fails))

    def undo(self) -> None:
        """Take back the last act that is not taken back."""
        self._put(self._take_back)

    def redo(self) -> None:
        """Do again the act that was taken back last."""
        self._put(self._do_again)

    def _put_act(self, step: Callable[[], None]) -> None:
        """Put an act into the line, unless nothing can be changed: then that is said."""
        if self._session.read_only:
            self._say(READ_ONLY)
        else:
            self._put(step)

    def _put(self, step: Callable[[], None]) -> None:
        self._waiting.append(step)
        if not self._runs:
            self._next()

    def _next(self) -> None:
        self._runs = bool(self._waiting)
        if self._waiting:
            self._waiting.popleft()()

    def _end(self, *told: Callable[[], object]) -> None:
        """Tell what came of a step, and take the next one, whatever comes of the telling."""
        try:
            for tell in told:
                tell()
            self._changed()
        finally:
            self._next()

    def _save(
        self,
        act: Act,
        refused: Callable[[Exception], None] | None,
        fails: str = "Couldn't save the answer",
    ) -> None:
        def saved(batch: str) -> None:
            if batch:
                self.remember(act, batch)
            self._end(act.done, partial(self._say, act.said))

        def failed(exc: Exception) -> None:
            self._end(act.undone)
            if refused is None:
                raise exc
            refused(exc)

        self._session.main_thread.run(act.work, saved, failed, fails)

    def _take_back(self) -> None:
        if not self._done:
            self._next()
            return
        act, batch = taken = self._done[-1]

        def undone(_: object) -> None:
            if self._done[-1:] == [taken]:  # else they were forgotten meanwhile
                self._undone.append(self._done.pop())
            what = act.said or act.named
            self._end(act.undone, partial(self._say, f"Undone: {what}" if what else "Undone."))

        self._run(partial(self._verbs().undo, batch), undone, "Couldn't undo")

    def _do_again(self) -> None:
        if not self._undone:
            self._next()
            return
        act, batch = taken = self._undone[-1]

        def redone(_: object) -> None:
            if self._undone[-1:] == [taken]:
                self._done.append(self._undone.pop())
            self._end(act.done, partial(self._say, act.said))

        self._run(partial(self._verbs().redo, batch), redone, "Couldn't do it again")

    def _run(self, work: Callable[[], object], then: Callable[[object], None], fails: str) -> None:
        def failed(exc: Exception) -> None:
            self._end()
            raise exc

        self._session.main_thread.run(work, then, failed, fails)
