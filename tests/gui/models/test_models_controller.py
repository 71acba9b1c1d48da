"""What choosing a model sets off, without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.errors import DatabaseError
from src.events import Event, Progress
from src.gui.core.job_state import JobState
from src.gui.core.session import Listeners
from src.gui.core.session import Session as RealSession
from src.gui.models.models_controller import ModelsController
from src.model_records import ModelOffer
from src.settings import STARTER, Settings
from src.worker import JobEnded


class Library:
    """One whose other CLIP is whole: it takes over at once, and the tags are given by a job."""

    settings = Settings()

    def __init__(self) -> None:
        self.waits = False
        self.model_list = SimpleNamespace(rows=lambda: ["a model"], offer=lambda: None)

    def choose_models(self, *_: object) -> None:
        self.waits = True

    def coverage(self) -> None:
        return None

    def tags_wait(self) -> bool:
        return self.waits

    def segmented_by_others(self) -> int:
        return 0

    def switch_clip(self) -> Iterator[Event]:
        yield Progress("retag", 4, 8)


class Session:
    """Does at once what is to be done elsewhere, and keeps its jobs until they are ended."""

    models_ready = True

    read_only = False

    def __init__(self) -> None:
        self.signals, self.library = Listeners(), Library()
        self.jobs: list[JobState] = []
        self.main_thread = SimpleNamespace(
            run=lambda work, then, *_: (then or (lambda _: None))(work())
        )
        self.cancelled: list[JobState] = []
        self.cancel = self.cancelled.append

    def jobs_of(self, *kinds: str) -> list[JobState]:
        return [job for job in self.jobs if job.kind in kinds]

    def start(self, kind: str, job: Callable[[], Iterator[Event]], name: str) -> JobState:
        self.jobs.append(JobState(name, kind=kind))
        for event in job():
            self.jobs[-1].take(event)
        return self.jobs[-1]

    def keep(self, **settings: object) -> None:
        a_session: Any = self
        RealSession.keep(a_session, **settings)

    def end(self, ended: JobEnded) -> None:
        job = self.jobs.pop()
        for heard in self.signals.job_ended:
            heard(job, ended)


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def work(session: Session) -> ModelsController:
    a_session: Any = session
    work = ModelsController(a_session, lambda exc: pytest.fail(str(exc)))
    work.refresh()
    return work


def test_a_clip_that_is_whole_gives_its_tags_by_a_job_that_is_seen_and_can_be_cancelled(
    session: Session, work: ModelsController
) -> None:
    assert work.questions == {}
    work.choose(Settings())
    (job,) = session.jobs
    assert (job.kind, job.fraction) == ("switch", 0.5)
    asked = work.questions["clip"]
    assert asked.text == "Tagging segments again · 4 of 8" and asked.verbs == ("Cancel",)
    work.answer("clip", "Cancel")
    assert session.cancelled == [job]
    session.end(JobEnded())
    assert work.questions["clip"].verbs == ("Continue",)
    work.answer("clip", "Continue")
    assert len(session.jobs) == 1
    session.end(JobEnded(error=DatabaseError("the disk is full")))
    assert work.questions["clip"].verbs == ("Retry",)
    assert "The disk is full." in work.questions["clip"].text
    work.answer("clip", "Retry")
    session.library.waits = False
    session.end(JobEnded())
    assert work.questions == {}


def test_a_choice_during_that_job_starts_no_second_one(
    session: Session, work: ModelsController
) -> None:
    work.choose(Settings())
    work.choose(Settings())
    assert len(session.jobs) == 1


def test_what_is_offered_is_fetched_in_one_step_and_can_be_declined(
    session: Session, work: ModelsController, tmp_path: Path
) -> None:
    offer = ModelOffer(("a", "b"), 980_000_000, ("models.example", "other.example"))
    rows = [SimpleNamespace(name=name, kind="clip", path=None) for name in ("a", "x", "b")]
    library: Any = session.library
    library.model_list = SimpleNamespace(
        rows=lambda: rows, offer=lambda: offer, download=lambda name: iter(())
    )
    library.paths = SimpleNamespace(settings=tmp_path / "settings.json")
    assert work.offer is None
    work.refresh()
    assert work.offer is not None and not work.offer.fetching
    assert "980\u00a0MB from models.example and other.example, about 1 minute" in work.offer.text
    work.take_offer()
    assert [job.name for job in session.jobs] == ["a", "b"]
    assert work.offer is not None and work.offer.fetching
    session.jobs.clear()
    work.decline_offer()
    assert work.offer is None
    assert not Settings.load(tmp_path / "settings.json").offer_models
    library.settings = Settings(clip_model=STARTER)
    assert work.offer is None
