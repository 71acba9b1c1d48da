"""The models of a library as the window knows them, and what is done with them."""

from __future__ import annotations

import logging
from collections.abc import Callable

from src.config import Settings
from src.errors import MediaLibraryError
from src.events import Event, ModelFetched
from src.gui import model_face
from src.gui.job_state import JobState
from src.gui.model_face import ModelFace, Verb
from src.gui.session import Session, explained
from src.records import ModelRow
from src.worker import JobEnded

log = logging.getLogger(__name__)


class ModelWork:
    """Lists, fetches, measures and chooses models; whoever shows them is told of each change."""

    def __init__(self, session: Session, on_error: Callable[[Exception], None]) -> None:
        self._session, self._on_error = session, on_error
        self.rows: list[ModelRow] = []
        self.changed: list[Callable[[], None]] = []
        self._problems: dict[str, str] = {}
        self._to_measure: list[ModelRow] = []
        session.tell.models_ready.append(self.refresh)
        session.tell.models_failed.append(self.refresh)
        session.tell.job_event.append(self._heard)
        session.tell.job_ended.append(self._ended)

    # -- what is shown

    def refresh(self) -> None:
        """Look again at what lies in the models folder."""
        library = self._session.library
        self._session.main_thread.run(lambda: library.shelf.rows(), self._listed)

    def _listed(self, rows: list[ModelRow]) -> None:
        self.rows = rows
        self._tell()

    def face(self, row: ModelRow) -> ModelFace:
        return model_face.face(
            row, self._download_of(row), self._problems.get(row.name, ""), row in self._to_measure
        )

    @property
    def settings(self) -> Settings:
        return self._session.library.settings

    @property
    def card(self) -> tuple[str, str]:
        """What the card in the sidebar says."""
        failed = [row.name for row in self.rows if row.path is None and row.name in self._problems]
        return model_face.card_of_failure(failed[0]) if failed else model_face.card(self.rows)

    def _download_of(self, row: ModelRow) -> JobState | None:
        downloads = self._session.jobs_of("download")
        return next((job for job in downloads if job.name == row.name), None)

    def _tell(self) -> None:
        for told in self.changed:
            told()

    # -- what is done

    def act(self, row: ModelRow, verb: Verb) -> None:
        """Do what a model's button says."""
        job = self._download_of(row)
        if verb == "use":
            self.choose(model_face.using(self.settings, row))
        elif verb == "cancel" and job is not None:
            self._session.cancel(job)
        elif verb in ("download", "retry") and job is None:
            library = self._session.library
            self._problems.pop(row.name, None)
            self._session.start("download", lambda: library.shelf.download(row.name), row.name)
        self._tell()

    def choose(self, settings: Settings) -> None:
        """Have other models used, now and from now on."""
        library = self._session.library

        def saved(_: None) -> None:
            library.settings = settings
            self.refresh()

        self._session.main_thread.run(lambda: settings.save(library.paths.settings), saved)

    def measure(self, row: ModelRow) -> None:
        """Find out how fast a model is here; one after another, since they share the machine."""
        self._to_measure.append(row)
        if len(self._to_measure) == 1:
            self._measure_next()
        self._tell()

    def _measure_next(self) -> None:
        row, library = self._to_measure[0], self._session.library

        def measured(_: ModelRow) -> None:
            self._problems.pop(row.name, None)
            through()

        def failed(exc: Exception) -> None:
            if isinstance(exc, MediaLibraryError):
                self._problems[row.name] = f"Not measured: {exc}"
            else:
                self._on_error(exc)
            through()

        def through() -> None:
            self._to_measure.pop(0)
            self.refresh()
            if self._to_measure:
                self._measure_next()

        self._session.main_thread.run(lambda: library.shelf.measure(row), measured, failed)

    # -- what the jobs say

    def _heard(self, job: JobState, event: Event) -> None:
        if isinstance(event, ModelFetched):
            self.refresh()
        elif job.kind == "download":
            self._tell()

    def _ended(self, job: JobState, ended: JobEnded) -> None:
        if job.kind != "download":
            return
        if ended.error is not None:
            sentence, details = explained(ended.error)
            log.warning("%s was not downloaded: %s %s", job.name, sentence, details)
            self._problems[job.name] = sentence
        self.refresh()
