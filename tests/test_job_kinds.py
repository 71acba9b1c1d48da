"""Kinds of jobs: one that is registered runs, is asked about and is shown as the others are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from src import job_kinds
from src.cli.arguments import COMMANDS, parse
from src.events import Event, Progress
from src.gui.core.job_state import JobState, question_at_close
from src.gui.core.session import Session
from src.job_kinds import JobKind
from tests.gui.core.test_session import MainThread

HUM = JobKind(
    "hum",
    "humming to photos",
    "Finished photos are kept.",
    "hum",
    "Hum to photos.",
    queue="hum",
    strip_order=2,
)


@pytest.fixture
def hum() -> Iterator[JobKind]:
    yield job_kinds.register(HUM)
    job_kinds.unregister(HUM.key)


def test_a_kind_is_registered_once(hum: JobKind) -> None:
    with pytest.raises(ValueError, match="hum"):
        job_kinds.register(hum)


def test_one_registration_makes_a_kind_of_job_run_and_be_asked_about(hum: JobKind) -> None:
    main_thread = MainThread()
    heard: list[Event] = []
    errors: list[Exception] = []
    session = Session(main_thread, lambda _: pytest.fail("no library is opened"), errors.append)
    session.signals.job_event.append(lambda _, event: heard.append(event))
    state = session.start("hum", lambda: iter([Progress("look", 1, 2)]), hum.title)
    assert question_at_close({"hum"}) == (
        "Stop humming to photos?",
        "Finished photos are kept.",
    )
    main_thread.turn_until(lambda: not session.is_busy)
    assert heard and not errors and state.headline == "Looking for moved files"
    for worker in session._workers.values():
        worker.stop()


def test_no_sentence_about_a_kind_is_missing() -> None:
    for kind in job_kinds.job_kinds():
        about = [kind.name, kind.help, kind.when_stopped]
        assert all(about) and kind.when_stopped.endswith("."), kind.key
        assert not kind.done_with_files or kind.rest.endswith("."), kind.key
        assert kind.command.split()[0] in COMMANDS


def test_stages_have_words_in_both_faces() -> None:
    for key, stage in job_kinds.STAGES.items():
        assert stage.key == key and stage.headline and stage.line
    job = JobState()
    job.take(Progress("retag", 1, 2))
    assert job.headline == "Tagging segments again"


def test_help_says_what_the_kinds_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert job_kinds.ADD.help in shown and job_kinds.EXPORT.help in shown
