"""Work that ends on the way once nobody waits for it any more."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import NoReturn, TypeVar

# Asked again and again; once it says no, the work ends.
GoOn = Callable[[], bool]
Result = TypeVar("Result")

# How often somebody who waits asks.
ASK_EVERY_S = 0.1

_thread = threading.local()
_interrupt: BaseException | None = None


class StoppedError(Exception):
    """Nobody waits for the work any more."""


def ask(go_on: GoOn | None) -> None:
    """Raise StoppedError once nobody waits; with None somebody always does."""
    if go_on is not None and not go_on():
        raise StoppedError


@contextmanager
def stopped_by(go_on: GoOn) -> Iterator[None]:
    """Have what this thread does in the block end once `go_on`, or a block around it, says no."""
    before: GoOn = wanted()

    def both() -> bool:
        return before() and go_on()

    _thread.go_on = both
    try:
        yield
    finally:
        _thread.go_on = before


def wanted() -> GoOn:
    """Return what to ask whether this thread's work is waited for; any thread may call it."""
    go_on: GoOn = getattr(_thread, "go_on", _always)
    return go_on


def ask_wanted() -> None:
    """Raise StoppedError once nobody waits for what this thread does."""
    ask(wanted())


def result_of(future: Future[Result]) -> Result:
    """Wait for a result, or until nobody waits for what this thread does.

    Raises:
        StoppedError: nobody does; and what the work raised.
    """
    wait_for([future])
    return future.result()


def waited_for(future: Future[Result]) -> Generator[None, None, Result]:
    """Wait for a result as result_of does, and yield now and then until it is there."""
    while not wait([future], ASK_EVERY_S).done:
        ask_wanted()
        yield
    return future.result()


def wait_for(futures: Iterable[Future[Result]]) -> None:
    """Wait until all have ended, in whatever way.

    Raises:
        StoppedError: nobody waits for what this thread does.
    """
    left = set(futures)
    while left:
        left = wait(left, ASK_EVERY_S).not_done
        if left:
            ask_wanted()


def _always() -> bool:
    return True


def interrupt(exc: BaseException) -> NoReturn:
    """Raise what a signal asks for, and note it; see noted_interrupt."""
    global _interrupt
    _interrupt = exc
    raise exc


def noted_interrupt() -> BaseException | None:
    """Return what a signal has raised since it was last asked, for those who were told less.

    A library that is written in C and calls a function of ours says only that it failed.
    """
    global _interrupt
    noted, _interrupt = _interrupt, None
    return noted


@contextmanager
def interrupts_noted() -> Iterator[None]:
    """Have a Ctrl-C noted in the block, where it raises KeyboardInterrupt; see noted_interrupt."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # who started us may want it to be ignored
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: interrupt(KeyboardInterrupt()))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
