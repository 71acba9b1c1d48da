"""A library that is open: its lock, its settings, and the models it is used with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from src.browsing import Browsing
from src.chroma_address import ChromaAddress
from src.cluster_address import parse_cluster, parse_root
from src.config import LibraryPaths, is_trusted_server, models_folder_problem, trust_server
from src.database.browse_queries import BrowseQueries
from src.database.disk_use import DiskUse
from src.database.lock import LibraryLock, refuse_open_elsewhere
from src.database.metadata_db import MetadataDatabase
from src.database.open_marker import marker_of_open
from src.database.reader_watch import ReaderWatch
from src.duplicates import Duplicates
from src.errors import DatabaseError, QueryError
from src.events import Event
from src.labelling import Labels
from src.labels.typed import tag_name
from src.model_list import ModelList
from src.model_records import Coverage
from src.network_shares import network_share
from src.processing.models_in_use import ModelsInUse, index_of
from src.reader_records import OPENED_TO_READ, ReaderState
from src.settings import Settings
from src.tracking import Tracks
from src.tracks.video_jobs import VideoJobs
from src.upkeep import Upkeep

if TYPE_CHECKING:
    from src.database.vector_db import VectorDatabase
    from src.database.vector_index import VectorIndex
    from src.labels.kept_edits import KeptEdits
    from src.models.auto_tagger import AutoTagger
    from src.models.clip_encoder import ClipEncoder
    from src.models.model_manager import ModelManager
    from src.models.segmenter import Segmenter
    from src.processing.missing_files import MissingFiles
    from src.search.segment_search import SegmentSearch


TEST_S = 20.0  # for a server's answer, and the start of the process that asks it
# In info: the kind of network share of which a person has been told.
SHARE_TOLD = "network share told of"


class OpenLibrary:
    """A library of media, open for writing, or for looking and searching only.

    Models load when they are first needed, and torch with them: opening a library and looking at
    what is in it takes neither.
    """

    def __init__(
        self,
        paths: LibraryPaths | None = None,
        models: ModelManager | None = None,
        settings: Settings | None = None,
        read_only: bool = False,
        examine: bool = False,
        on_recovery: Callable[[int, int], None] | None = None,
        upkeep_later: bool = False,
        to_browse: bool = False,
    ) -> None:
        """Open a library, making it when it is not there.

        Args:
            examine: look for damage even where nothing speaks for any.
            on_recovery: called during the recovery of a damaged library: done, of how much.
            read_only: look, search and export beside the process that has it open; searches
                are exact and don't ask the index, and what would write raises DatabaseError.
            upkeep_later: leave what nobody has to wait for to the jobs of `upkeep`: the day's
                examination and backup of a large library, and telling the index what is new.
            to_browse: all of it is looked at, not only searched: one of an earlier version, which
                a reader can't bring up to date, is refused.

        Raises:
            LibraryLockedError: another process has it open; on a network share another machine,
                which keeps it from being read as well.
            DatabaseError: it can't be read or written.
        """
        self.paths = paths or LibraryPaths()
        if read_only and not self.paths.has_library():
            raise DatabaseError(f"{self.paths.root}: there is no library in this folder to be read")
        self.paths.create(read_only)
        self._unusable: list[str] = []  # values of the settings
        self.settings = settings or Settings.load(self.paths.settings, self._unusable.append)
        if (problem := models_folder_problem()) is not None:
            self._unusable.append(problem)
        self.read_only = read_only
        self._share = network_share(self.paths.root)
        if self._share is not None:
            marker = marker_of_open(self.paths.metadata_db)
            refuse_open_elsewhere(self.paths.lock, self._share, marker, read_only)
        self._lock = None if read_only else LibraryLock(self.paths.lock)
        try:
            self.metadata = MetadataDatabase(
                self.paths, read_only, examine, on_recovery, upkeep_later
            )
            if to_browse:
                self.metadata.connection.refuse_older()
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise
        self.browse = Browsing(BrowseQueries(self.metadata), self.paths, lambda: self.settings)
        self._disk_use = DiskUse(self.paths)
        self._missing_files: MissingFiles | None = None
        self._in_use = ModelsInUse(
            self.metadata, lambda: self.settings, read_only, models, self._chroma_server
        )
        self._upkeep_later = upkeep_later
        self.tracks = Tracks(
            self.metadata,
            VideoJobs(self.metadata, self._in_use, lambda: self.settings, not upkeep_later),
            lambda: self._search_now(has_terms=True),
            lambda: self._kept_edits,
        )
        self.upkeep = Upkeep(self.metadata, lambda: self._in_use.vectors, lambda: self._missing)
        self.duplicates = Duplicates(self.metadata, lambda: self.vectors, lambda: self.settings)
        self.labels = Labels(
            self.metadata, lambda: self.vectors, lambda: self._search_now(has_terms=True)
        )
        connection = self.metadata.connection
        self._watch = ReaderWatch(connection, self.paths.lock, self._share)
        # What to show a person once about the library, now that it is open.
        said = [str(what) for what in (connection.recovered, connection.mended) if what is not None]
        self.notice = "; ".join(said) or None
        # What to keep in mind of where it lies, which is said once.
        self.share_notice = self._share_notice()

    def _share_notice(self) -> str | None:
        if self._share is None or self.read_only:
            return None
        if self.metadata.info(SHARE_TOLD) == self._share.name:
            return None
        self.metadata.set_info(SHARE_TOLD, self._share.name)
        return (
            f"{self.paths.root}: this library lies on a network share ({self._share.name}); "
            "open it on one machine at a time, to search as well, since its database can't be "
            "shared between machines, and keep backups: docs/scale.md says more"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for the index, close the files and release the lock, whichever of it fails."""
        with ExitStack() as last:
            if self._lock is not None:
                last.callback(self._lock.release)
            last.callback(self.metadata.close)
            self._in_use.close()

    def reader_state(self) -> ReaderState:
        """Look what the process that writes does, where this one opened it for reading only."""
        return self._watch.look()

    # -- what is in use

    @property
    def _kept_edits(self) -> KeptEdits:
        from src.labels.kept_edits import KeptEdits

        return KeptEdits(self.metadata, lambda: self.settings, tag_name)

    @property
    def models(self) -> ModelManager:
        return self._in_use.models

    @property
    def model_list(self) -> ModelList:
        """Which models are here or can be fetched, and how fast they are."""
        return ModelList(lambda: self.models)

    @property
    def vectors(self) -> VectorDatabase:
        """Search with the CLIP in use; the first call loads it.

        Another CLIP may take over at any moment: for several calls that belong to one answer,
        ask for this once.
        """
        return self._in_use.vectors

    @property
    def clip(self) -> ClipEncoder:
        return self.vectors.clip

    @property
    def index(self) -> VectorIndex:
        return index_of(self.vectors)

    @property
    def mask_generator(self) -> Segmenter | None:
        """SAM; None in CLIP-only mode, when no SAM is on this machine or none is to be used."""
        return self._in_use.mask_generator

    @property
    def tagger(self) -> AutoTagger:
        return self._in_use.tagger

    @property
    def _missing(self) -> MissingFiles:
        from src.processing.missing_files import MissingFiles

        if self._missing_files is None:
            self._missing_files = MissingFiles(self.metadata, self.read_only)
        return self._missing_files

    def load_models(self) -> None:
        """Load what searching and adding need; done at once when it is there."""
        self._in_use.load()

    @property
    def settings_problems(self) -> list[str]:
        """What to show a person about the settings: what can't be used, and servers not named."""
        problems = [*self._unusable]
        server, cluster = self.settings.chroma_server, self.settings.cluster
        if server is not None and not self.read_only and self._chroma_server is None:
            problems.append(
                f"{self.paths.settings}: the search index is to be kept by {server}, which you "
                "have not named on this machine; it is kept here. To allow it, write it into "
                f"Settings, Search index, or use --chroma {server}"
            )
        if cluster is not None and not self.read_only and not self.uses_cluster:
            problems.append(
                f"{self.paths.settings}: media is to be processed by the Ray cluster {cluster}, "
                "which you have not named on this machine; it is processed here. To allow it, "
                f"choose it in Settings, Process on a cluster, or use ingest --ray {cluster}"
            )
        return problems

    def save_settings(self, settings: Settings) -> None:
        """Keep settings in the library's folder, and go by them from now on.

        Raises:
            DatabaseError: they can't be saved; nothing changes then.
        """
        settings.save(self.paths.settings)
        self.settings = settings

    def keep_index(self, server: str | None) -> None:
        """Choose what keeps the search index: a Chroma server, "http://HOST:PORT", or this library.

        This user trusts the server from now on. What it does not know yet it is told by the next
        job that adds, or by `upkeep.tell_index`.

        Raises:
            QueryError: that is no address of a server.
            DatabaseError: the choice can't be kept.
        """
        if self.read_only:
            raise DatabaseError(f"{self.paths.root}: the library {OPENED_TO_READ}")
        if server is not None:
            try:
                server = str(ChromaAddress.parse(server))
            except ValueError as exc:
                raise QueryError(str(exc)) from exc
            trust_server(server)
        if server != self.settings.chroma_server:
            self.save_settings(replace(self.settings, chroma_server=server))
        self._in_use.keep_index(self._chroma_server)

    @staticmethod
    def test_server(address: str) -> str | None:
        """Ask a Chroma server whether it answers, and takes the token; it is told nothing.

        Returns:
            What is wrong, or None.
        """
        from src.database.index_places import reach_server
        from src.database.index_process import IndexUnavailableError

        try:
            reach_server(ChromaAddress.parse(address), TEST_S)
        except (ValueError, IndexUnavailableError) as exc:
            return str(exc)
        return None

    @staticmethod
    def test_cluster(address: str) -> str:
        """Look what a Ray cluster is made of, which takes some seconds; see look_at_cluster."""
        from src.processing.cluster.client import look_at_cluster

        return look_at_cluster(address)

    @property
    def index_server(self) -> str | None:
        """The Chroma server that keeps the search index; None: the library's folder does.

        One that the settings name does not before this user has named it; see keep_index.
        """
        server = self._chroma_server
        return None if server is None else str(server)

    def use_cluster(self, address: str | None, roots: Sequence[str] | None = None) -> None:
        """Choose where the work on frames is done while media is added; see Settings.cluster.

        This user trusts the cluster from now on: it is sent pictures, and runs the program.

        Args:
            roots: see Settings.cluster_roots; None leaves them as they are.

        Raises:
            QueryError: that is no address of a cluster, or no "HERE=THERE".
            DatabaseError: the choice can't be kept.
        """
        if self.read_only:
            raise DatabaseError(f"{self.paths.root}: the library {OPENED_TO_READ}")
        try:
            address = None if address is None else parse_cluster(address)
            for each in roots or ():
                parse_root(each)
        except ValueError as exc:
            raise QueryError(str(exc)) from exc
        if address is not None:
            trust_server(_ray(address))
        kept = self.settings.cluster_roots if roots is None else tuple(roots)
        settings = replace(self.settings, cluster=address, cluster_roots=kept)
        if settings != self.settings:
            self.save_settings(settings)

    @property
    def uses_cluster(self) -> bool:
        """Return whether a cluster does the work on frames, which this user has named."""
        cluster = self.settings.cluster
        return cluster is not None and is_trusted_server(_ray(cluster))

    @property
    def _chroma_server(self) -> ChromaAddress | None:
        """The server that keeps the index, if the person who opened the library trusts it."""
        if self.settings.chroma_server is None:
            return None
        server = ChromaAddress.parse(self.settings.chroma_server)
        return server if is_trusted_server(str(server)) else None

    def choose_models(self, clip_model: str | None, sam_model: str | None) -> None:
        """Choose which models are used from now on, and look which are here; see Settings.

        SAM changes at once. Another CLIP takes over once it has embedded the library, at once
        where it has done so before, and gives the tags again: see `coverage`, `tags_wait` and
        `switch_clip`. After a download, say the same choice again.

        Raises:
            DatabaseError: the choice can't be saved; nothing changes then.
            ModelNotLoadedError: no CLIP is on this machine any more; the one in use stays.
        """
        if self.read_only:
            raise DatabaseError(f"{self.paths.root}: the library {OPENED_TO_READ}")
        settings = replace(self.settings, clip_model=clip_model, sam_model=sam_model)
        if settings != self.settings:
            self.save_settings(settings)
        self._in_use.refresh()

    def coverage(self) -> Coverage | None:
        """Return how much of the library the wanted CLIP has embedded; None: all of it."""
        return self._in_use.coverage()

    def tags_wait(self) -> bool:
        """Return whether the automatic tags are still those of another CLIP than the one in use."""
        return self._in_use.tags_wait()

    def switch_clip(self) -> Iterator[Event]:
        """Embed the library with the CLIP that is wanted, and search with that from then on.

        Searches are answered by the one before until all is embedded, when the other takes over
        in one step. Then automatic tags are given again; those of people stay. Cancelled or
        killed, the next call goes on where this one was.
        """
        yield from self._in_use.switch()

    def _search_now(self, has_terms: bool) -> SegmentSearch:
        """Search with the CLIP in use; terms need to know where its line is."""
        from src.search.segment_search import SegmentSearch

        vectors = self.vectors
        calibration = self._in_use.calibration_of(vectors) if has_terms else None
        return SegmentSearch(vectors, self.browse.read_image, calibration)


def _ray(address: str) -> str:
    """Return what a cluster is called among the servers that a user trusts."""
    return f"ray {address}"
