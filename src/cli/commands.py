"""The commands that are about a library: each is one method, which returns the exit code."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from src.cli.arguments import UsageError, no_such
from src.cli.library_opener import LibraryOpener
from src.counting import counted

if TYPE_CHECKING:
    from src.events import Event
    from src.library import MediaLibrary


class Terminated(KeyboardInterrupt):
    """The system or another program ends this one; what it did goes on by itself later."""


class Commands(LibraryOpener):
    """What the command line asks for, done with a library that is opened for it."""

    def _ingest(self) -> int:
        from src.cli.report import event_as_json, note, print_json
        from src.errors import ClusterError, DatabaseError
        from src.events import ClusterWorkers, FileDone, FileKnown, JobDone

        given, paths = self.arguments.paths, self._paths()
        absent = [path for path in given if not os.path.lexists(path)]
        nothing_to_do = "name the files and folders to add: `ingest PATH…`"
        if not paths.has_library() and len(absent) == len(given):  # so no library is made
            if not given:
                raise UsageError(nothing_to_do)
            paths.check_ownership()
            raise DatabaseError(f"{no_such(absent)}; nothing was added")
        done, taken, sent = JobDone(), 0, 0
        with self._initialize() as library:
            if not given and not library.unfinished() and not library.stopped():
                raise UsageError(f"{nothing_to_do}; there is no unfinished work to continue")
            self._choose_cluster(library)
            again = self.arguments.again
            try:
                for event in self._shown(library.add(given, again) if given else library.go_on()):
                    taken += isinstance(event, FileDone | FileKnown)
                    if self.arguments.json:
                        print_json(event_as_json(event))
                    if isinstance(event, JobDone):
                        done = event
                    elif isinstance(event, ClusterWorkers):
                        sent = event.sent
            except ClusterError as exc:
                raise ClusterError(f"{exc}; `ingest --ray off` adds without it") from exc
            except Terminated:
                raise
            except KeyboardInterrupt:
                library.stop_adding()
                raise
            self._note_problems(library)
            left = len(library.stopped())
        note(
            f"{counted(done.files, 'file')}: {counted(done.frames, 'frame')} and "
            f"{counted(done.segments, 'segment')} added, {counted(len(done.failed), 'file')} failed"
        )
        if sent:
            note(
                f"{counted(sent, 'file')} had to be sent to workers that did not find them; where "
                "storage is shared, `--ray-root HERE=THERE` says what it is called there"
            )
        if left:
            note(f"{counted(left, 'file')} left of an add that was stopped; `ingest` adds them")
        if str(done.passed_over):
            note(f"passed over: {done.passed_over}")
        if done.passed_over.removed:
            note("`ingest --again PATH…` adds what you removed, too")
        return 1 if absent and not taken else 0

    def _sample(self) -> int:
        from src.cli.sample import sample

        with self._initialize(self._paths_of_library().root) as library:
            failed = sample(library, self.arguments, self._shown)
            self._note_problems(library)
        return 1 if failed else 0

    def _remove(self) -> int:
        from src.cli.removal import remove_media

        paths, missing = self.arguments.paths, self.arguments.missing
        with self._initialize(self._paths_of_library().root) as library:
            remove_media(library, paths, missing, self.arguments.json)
            for _ in self._shown(library.tell_index()):
                pass
        return 0

    def _roots(self) -> int:
        from src.cli.roots import list_roots, move_root

        move, as_json = self.arguments.move, self.arguments.json
        if move is None:
            with self._open_to_read() as library:
                list_roots(library, as_json)
        else:
            with self._initialize(self._paths_of_library().root) as library:
                old, new = move
                move_root(library, old, new, as_json)
        return 0

    def _search(self) -> int:
        from src.models.preload import preloaded

        with preloaded():
            from src.cli.search import find, show

        with self._open_to_read() as library:
            if self.arguments.saved is not None:
                saved = library.saved_search(self.arguments.saved).text
                self.arguments.text = f"{saved} {self.arguments.text or ''}".rstrip()
            if not library.read_only:
                for _ in self._shown(library.reembed()):
                    pass
            for _ in self._shown(library.upkeep.prepare_search()):
                pass
            found = find(library, self.arguments)
            self._note_problems(library)
        show(found, self.arguments)
        return 0

    def _saved(self) -> int:
        from src.cli.saved import change_saved_search, list_saved_searches

        if self.arguments.name is None:
            with self._open_to_read() as library:
                list_saved_searches(library, self.arguments.json)
        else:
            with self._initialize(self._paths_of_library().root) as library:
                change_saved_search(library, self.arguments)
        return 0

    def _label(self) -> int:
        from src.cli.labels import READS, answer, change_labels, list_labels

        given = self.arguments
        if given.verb in READS:
            with self._open_to_read() as library:
                list_labels(library, given.json)
            return 0
        with self._initialize(self._paths_of_library().root) as library:
            if given.verb not in ("give", "reject"):
                change_labels(library, given)
                return 0
            if given.search is not None or given.where:
                for _ in self._shown(library.reembed()):
                    pass
                for _ in self._shown(library.upkeep.prepare_search()):
                    pass
            answer(library, given)
        return 0

    def _duplicates(self) -> int:
        from src.cli.duplicates import check_ids, decide, list_duplicates

        given = self.arguments
        check_ids(given.verb, given.groups, given.best)
        if given.verb is None:
            with self._open_to_read() as library:
                list_duplicates(library, given.again, given.json, self._shown)
            return 0
        with self._initialize(self._paths_of_library().root) as library:
            return decide(library, given.verb, given.groups, given.best, given.yes, self._shown)

    def _tracks(self) -> int:
        from src.cli.tracks import follow_segment, list_tracks

        if self.arguments.segment_id is not None:
            with self._initialize(self._paths_of_library().root) as library:
                follow_segment(library, self.arguments, self._shown)
                self._note_problems(library)
            return 0
        with self._open_to_read() as library:
            if not library.read_only:
                for _ in self._shown(library.tracks.link()):
                    pass
            list_tracks(library, self.arguments.paths, self.arguments.json)
        return 0

    def _export(self) -> int:
        from src.cli.export import export

        changes = self.arguments.save_recipe is not None
        with (
            self._initialize(self._paths_of_library().root)
            if changes
            else self._open_to_read() as library
        ):
            export(library, self.arguments, self._shown)
        return 0

    def _clip(self) -> int:
        from src.cli.clip import save_clip

        with self._open_to_read() as library:
            save_clip(library, self.arguments, self._shown)
        return 0

    def _recipes(self) -> int:
        from src.cli.export import list_recipes

        if self.arguments.name is None:
            with self._open_to_read() as library:
                list_recipes(library)
        else:
            with self._initialize(self._paths_of_library().root) as library:
                library.recipes.forget(self.arguments.name)
        return 0

    def _import(self) -> int:
        from src.cli.report import note
        from src.dataset_events import LabelsImported
        from src.events import JobDone
        from src.library import MediaLibrary

        given, failed = self.arguments, 0
        is_new = given.path is not None and MediaLibrary.dataset_kind(given.path) is not None
        root = (self._paths() if is_new else self._paths_of_library()).root
        with self._initialize(root) as library:
            if given.undo is not None:
                labels, tracks = library.labels.size_of(given.undo)
                changed = library.undo(given.undo)
                words = [counted(labels, "label")] if labels else []
                words += [counted(tracks, "track")] if tracks else []
                print(f"{' and '.join(words) or counted(changed, 'change')} taken back")
                return 0
            for event in self._shown(library.import_dataset(given.path)):
                if isinstance(event, LabelsImported):
                    if event.files or event.segments:
                        print(
                            f"{counted(event.files, 'image')} and "
                            f"{counted(event.segments, 'segment')} added"
                        )
                    left_out = event.unmatched + event.skipped
                    print(
                        f"{counted(event.added, 'label')} added, {event.known:,} there already, "
                        f"{event.overruled:,} taken off here before, {left_out:,} left out"
                    )
                    if event.tracks or event.known_tracks or event.lost_tracks:
                        print(
                            f"{counted(event.tracks, 'track')} added, "
                            f"{event.known_tracks:,} there already, "
                            f"{event.lost_tracks:,} left out"
                        )
                    if event.lost_tracks:
                        note("add the videos of the tracks that were left out, then import again")
                    if event.added or event.tracks:
                        note(f"`import --undo {event.batch}` takes them back")
                elif isinstance(event, JobDone):
                    failed = len(event.failed)
        if failed:
            note(f"{counted(failed, 'image')} could not be read")
        return 0

    def _stats(self) -> int:
        import dataclasses

        from src.cli.report import print_json, print_stats

        with self._open_to_read() as library:
            stats, coverage = library.stats(), library.coverage()
            self._note_problems(library)
        if self.arguments.json:
            next_clip = None if coverage is None else dataclasses.asdict(coverage)
            print_json({**dataclasses.asdict(stats), "next_clip": next_clip})
        else:
            print_stats(stats, coverage, library.paths.root)
        return 0

    def _verify(self) -> int:
        from src.events import ProblemFound

        left = missing = 0
        with self._initialize(self._paths_of_library().root, examine=True) as library:
            for event in self._shown(library.verify(self.arguments.repair)):
                if isinstance(event, ProblemFound) and not event.mended:
                    left += 1
                    missing += event.is_missing_file
        print(f"{counted(left, 'problem')} left" if left else "the library is sound")
        if missing:
            print(f"{counted(missing, 'missing file')}; `remove --missing` removes what is gone")
        return 1 if left else 0

    def _models(self) -> int:
        from src.cli.models import download_model, list_models, use_models
        from src.models.model_manager import ModelManager
        from src.settings import Settings

        paths = self._paths()
        if self.arguments.verb == "use":
            self._note_models_folder()
            use_models(paths, self.arguments.names)
            return 0
        if self.arguments.verb == "switch":
            return self._switch_clip()
        if self.arguments.verb == "segment-again":
            return self._segment_again()
        manager = ModelManager.of(Settings.load(paths.settings))
        if self.arguments.verb == "download":
            for name in self.arguments.names:
                download_model(manager, name)
        elif paths.has_library():
            with self._open_to_read() as library:
                list_models(manager, self.arguments.measure, self.arguments.json, library)
        else:
            self._note_models_folder()
            list_models(manager, self.arguments.measure, self.arguments.json)
        return 0

    def _switch_clip(self) -> int:
        with self._initialize(self._paths_of_library().root) as library:
            for _ in self._shown(library.switch_clip()):
                pass
            self._note_problems(library)
            print(f"{library.clip.label} answers searches now")
        return 0

    def _segment_again(self) -> int:
        from src.cli.report import note
        from src.events import AnnotationUnmatched, JobDone

        done, stay = JobDone(), 0
        with self._initialize(self._paths_of_library().root) as library:
            for event in self._shown(library.segment_again()):
                stay += isinstance(event, AnnotationUnmatched)
                if isinstance(event, JobDone):
                    done = event
            self._note_problems(library)
        note(
            f"{counted(done.frames, 'frame')} segmented again: "
            f"{counted(done.segments, 'new segment')}, {counted(stay, 'old one')} kept for their "
            f"tags, {counted(len(done.failed), 'file')} failed"
        )
        return 0

    def _demo(self) -> int:
        from src.cli.demo import run_demo

        if self.arguments.read_only:
            raise UsageError("the demo makes a library of its own: leave out --read-only")
        run_demo(self._paths(), self._initialize)
        return 0

    def _shown(self, events: Iterable[Event]) -> Iterable[Event]:
        """Pass a job's events on, with a progress line on stderr."""
        from src.cli.report import ProgressLine

        progress = ProgressLine()
        try:
            for event in events:
                progress.show(event)
                yield event
        finally:
            progress.close()

    def _note_models_folder(self) -> None:
        """Print the note about the models folder that opening a library prints, too."""
        from src.cli.report import note
        from src.config import models_folder_problem

        if (problem := models_folder_problem()) is not None:
            note(problem)

    def _note_problems(self, library: MediaLibrary) -> None:
        from src.cli.report import note

        for problem in library.models.problems:
            note(f"model file not used: {problem}")
