"""The dialogs a window opens, its error handler, and what it asks of the desktop."""

from __future__ import annotations

import logging
import os
import tkinter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from src.config import LibraryPaths
from src.errors import ClusterError, MediaLibraryError, is_of_a_person
from src.gui.app import desktop
from src.gui.app.clipboard_image import copy_image
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence, explained, title_of
from src.gui.dialogs.clip_dialog import ClipDialog
from src.gui.dialogs.clip_place import videos_folder
from src.gui.dialogs.export_dialog import ExportDialog
from src.gui.dialogs.messages import ask, show_error, show_failures
from src.gui.dialogs.server_entry import Say
from src.gui.dialogs.settings_dialog import SettingsDialog
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.popup import show_menu
from src.job_kinds import TRASH
from src.records import MediaCard, SearchHit
from src.search.filters import EVERYTHING, Filter
from src.search.recipe import Recipe
from src.settings import Settings
from src.stopping import stopped_by

log = logging.getLogger(__name__)


class WindowDialogs:
    """Opens dialogs over the window, and over one another."""

    def __init__(
        self,
        root: Any,
        overlay: Overlay,
        session: Callable[[], Session],
        on_other_library: Callable[[Path], None],
        on_restart: Callable[[], None] = lambda: None,
        on_to_read: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """Keep what the dialogs need.

        Args:
            session: errors may come before there is one.
            on_other_library: closes this library and opens another.
            on_restart: closes the program and starts it again.
            on_to_read: does the same, on this library, to read only or else to write.
        """
        self._root, self._overlay, self._get_session = root, overlay, session
        self._on_other_library, self._on_restart = on_other_library, on_restart
        self._on_to_read = on_to_read
        self.errors: list[str] = []  # all that were shown, for tests
        self._for_clusters: Executor | None = None  # the thread that asks them

    @property
    def _session(self) -> Session:
        return self._get_session()

    # -- errors

    def show_error(self, exc: Exception) -> None:
        """Show an error; all errors of the window come here."""
        sentence, details = explained(exc)
        self.errors.append(f"{sentence} {details}".strip())
        if is_of_a_person(exc):
            log.info("%s", sentence)
        else:
            log.error("%s %s", sentence, details, exc_info=exc)
        way = None
        if isinstance(exc, ClusterError):
            way = "Open Settings", lambda: self.settings(at_cluster=True)
        show_error(self._overlay, title_of(exc), sentence, details, other=way)

    def show_notices(
        self,
        recovered: str | None,
        settings_problems: Sequence[str],
        share: str | None = None,
    ) -> None:
        """Show once what a person has to know of the library that is open now, if anything.

        Args:
            recovered: that its database was damaged, and what came of it.
            settings_problems: settings that can't be used.
            share: what to keep in mind, since it lies on a network share.
        """
        title = "Some settings can't be used"
        if recovered is not None:
            title = "Your library was damaged and has been repaired"
        elif share is not None:
            title = "Your library is on a network share"
        notices = [*(each for each in (recovered, share) if each is not None), *settings_problems]
        if notices:
            show_error(
                self._overlay,
                title,
                "\n\n".join(map(as_sentence, notices)),
                other=("Open Settings", self.settings) if settings_problems else None,
            )

    # -- dialogs

    def export(
        self,
        hits: Sequence[SearchHit],
        hits_alone: bool = False,
        where: Filter = EVERYTHING,
        title: str = "",
        recipe: Recipe | None = None,
    ) -> None:
        """Ask what goes into a dataset.

        Args:
            hits: the results that are shown, which can be exported alone.
            hits_alone: whether they are, unless a person chooses otherwise.
            where: what alone can be exported, such as a range of a video.
            title: what that is, in words: "0:04.0–0:06.5 of dog.mp4".
            recipe: what is chosen unless a person chooses otherwise; None for the usual.
        """
        if not self._session.is_open:
            return
        datasets = self._session.library.paths.datasets
        ExportDialog(
            self._overlay,
            self._session,
            hits,
            lambda: self._choose_folder(Path.home() if self._session.read_only else datasets),
            self.open_file,
            hits_alone,
            where,
            title,
            recipe,
        )

    def save_clip(
        self,
        media_file_id: int,
        begin_s: float,
        end_s: float,
        track_ids: Sequence[int] = (),
        label: str | None = None,
    ) -> None:
        """Ask where a range of a video goes as a file, and what is drawn into it.

        Args:
            track_ids, label: what is chosen, and can be drawn alone.
        """
        if not self._session.is_open:
            return
        library = self._session.library

        def show(cards: Mapping[int, MediaCard]) -> None:
            if media_file_id in cards:  # else removed meanwhile
                ClipDialog(
                    self._overlay,
                    self._session,
                    cards[media_file_id].media,
                    (begin_s, end_s),
                    lambda: self._choose_folder(videos_folder()),
                    self.show_in_folder,
                    track_ids,
                    label,
                )

        self._session.main_thread.run(lambda: library.browse.media_cards([media_file_id]), show)

    def _choose_folder(self, start: Path) -> Path | None:
        found = desktop.ask_for_files(self._root, "folder", start)
        return found[0] if found else None

    def settings(self, at_cluster: bool = False) -> None:
        """Show the settings.

        Args:
            at_cluster: from the row of the cluster on, where not all fit into the window.
        """
        if self._session.is_open:
            library = self._session.library
            dialog = SettingsDialog(
                self._overlay,
                library.settings,
                str(library.paths.root),
                library.index_server,
                library.uses_cluster,
                self._save_settings,
                self.open_another,
                self._on_restart,
                self._test_server,
                self._test_cluster,
            )
            if at_cluster:
                dialog.see_cluster()
            device = library.settings.device
            # only the model manager knows, and models may still be loading
            self._session.main_thread.run(
                lambda: library.model_list.lacks(device), dialog.say_whether_device_lacks
            )

    def _test_server(self, address: str, say: Say) -> None:
        library = self._session.library

        def answered(problem: str | None) -> None:
            say(problem or "The server answers", problem is not None)

        self._session.main_thread.run(lambda: library.test_server(address), answered)

    def _test_cluster(self, address: str, say: Say) -> None:
        session, library = self._session, self._session.library

        def test() -> str:
            with stopped_by(lambda: not session.is_closing):
                return library.test_cluster(address)

        # apart: a cluster may take a minute to answer
        session.main_thread.run_in(
            self._cluster_thread(),
            test,
            lambda said: say(said, False),
            lambda exc: say(explained(exc)[0], True),
        )

    def _cluster_thread(self) -> Executor:
        if self._for_clusters is None:
            self._for_clusters = self._session.main_thread.own_thread("cluster test")
        return self._for_clusters

    def _save_settings(
        self, settings: Settings, chooses_cluster: bool, then: Callable[[], None]
    ) -> None:
        session, library = self._session, self._session.library
        server, named = settings.chroma_server, library.settings.chroma_server
        moves = server != library.index_server

        before = library.settings

        def save() -> None:
            # what else is named is sent pictures: these verbs see to whom
            others = replace(
                settings,
                chroma_server=named,
                cluster=before.cluster,
                cluster_roots=before.cluster_roots,
            )
            library.save_settings(others)
            if chooses_cluster:
                library.use_cluster(settings.cluster, settings.cluster_roots)
            if moves:
                library.keep_index(server)

        def saved(_: None) -> None:
            if moves:
                session.tell_index_moved()
            then()

        session.main_thread.run(save, saved, fails="Couldn't save the settings")

    def open_another(self) -> None:
        """Ask for the folder of another library, and open that."""
        found = desktop.ask_for_files(self._root, "library")
        if found and self._may_open(found[0]):
            while self._overlay.is_open:
                self._overlay.close()
            self._on_other_library(found[0])

    def open_to_read(self) -> None:
        """Open this library to read only, in the place of what could not be opened to write."""
        self._on_to_read(True)

    def show_reader_menu(self, card: tkinter.Misc, is_lost: bool) -> None:
        """Offer what else can be done with a library that is open to read only.

        Args:
            is_lost: it can't be followed any more.
        """
        again = ("Open again", lambda: self._on_to_read(True))
        write = ("Open to write", lambda: self._on_to_read(False))
        other = ("Open another library…", self.open_another)
        entries = [again, write, other] if is_lost else [write, other]
        top = card.winfo_rooty()
        theme = self._overlay.theme
        show_menu(card, theme, entries, card.winfo_rootx(), top + card.winfo_height(), above=top)

    def say_lost(self, why: str) -> None:
        """Say that the library can't be followed any more, and offer to open it again."""
        ask(
            self._overlay,
            "This library can't be followed any more",
            f"{why} What you see is from before.",
            "Open again",
            lambda: self._on_to_read(True),
            "Not now",
        )

    def _may_open(self, folder: Path) -> bool:
        """Check that a library can be in a folder, before this one is closed for it."""
        paths = LibraryPaths(folder)
        try:
            paths.check_ownership()
            Settings.load(paths.settings, log.info)
        except MediaLibraryError as exc:
            show_error(self._overlay, "Couldn't open the library", str(exc))
            return False
        return True

    def save_crops(self, hits: Sequence[SearchHit]) -> None:
        """Ask for a folder, and copy the crops of hits into it."""
        library = self._session.library
        folders = desktop.ask_for_files(self._root, "folder")
        if folders:
            folder, ids = folders[0], [hit.segment.id for hit in hits]

            def saved(paths: Sequence[Path]) -> None:
                desktop.show_in_folder(paths[0])

            self._session.main_thread.run(
                lambda: library.save_crops(ids, folder), saved, fails="Couldn't save the crops"
            )

    def copy_image(self, path: Path) -> None:
        """Put an image on the clipboard, for other programs to paste."""
        self._session.main_thread.run(lambda: copy_image(path), fails="Couldn't copy the image")

    def ask(self, title: str, sentence: str, yes: str, then: Callable[[], None]) -> None:
        """Ask before something is done that can't be undone here."""
        ask(self._overlay, title, sentence, yes, then)

    def show_not_trashed(self, failures: list[tuple[str, str]], retry: Callable[[], None]) -> None:
        """List files that could not be moved to the trash, with reasons."""
        show_failures(self._overlay, failures, retry, TRASH.done_with_files, TRASH.rest)

    # -- the desktop

    def open_file(self, path: Path) -> None:
        self._ask_desktop(desktop.open_with_desktop, path)

    def open_file_at(self, path: Path, time_s: float) -> None:
        """Open a video in the system's player, at a time where that takes one."""

        def open_there(path: Path) -> None:
            desktop.open_at(path, time_s)

        self._ask_desktop(open_there, path)

    def show_in_folder(self, path: Path) -> None:
        self._ask_desktop(desktop.show_in_folder, path)

    def _ask_desktop(self, verb: Callable[[Path], None], path: Path) -> None:
        if not os.path.exists(path):  # Path.exists raises where access is denied
            show_error(
                self._overlay,
                "File not found",
                "It was moved, renamed or deleted, or its disk is not connected. Its segments are "
                "kept. If you moved it, add it from its new place to link them again.",
                str(path),
            )
            return
        try:
            verb(path)
        except OSError as exc:
            what = "folder" if verb is desktop.show_in_folder or path.is_dir() else "file"
            reason = as_sentence(exc.strerror or str(exc))
            show_error(self._overlay, f"Couldn't open the {what}", reason, str(path))
