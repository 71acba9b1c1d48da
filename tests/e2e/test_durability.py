"""Killed anywhere: at random moments, and in the middle of Chroma's own flush.

Each round copies a library, has a process work on it, kills that process and its index child
with SIGKILL, and then holds the library against what had been acknowledged and against one that
nothing had happened to. `python -m tests.e2e.test_durability ROUNDS` prints the table.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.errors import LibraryLockedError
from src.events import Event, ProblemFound
from src.library import MediaLibrary
from src.records import Tag
from tests.conftest import new_segments, unit_vectors
from tests.e2e.killed_work import OTHER_CLIP, SETTINGS, Models, work
from tests.e2e.killing import WORK_S, assert_same_rows, kill_with_children, wait_for_words

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, sends SIGKILL")

SEED = 20261125
VERBS = ("ingest", "reembed", "tag", "export", "switch", "index")
FLUSHING = ("ingest", "reembed", "switch", "index")  # verbs that have Chroma write
# What `_same` compares is in the end the same after these as after an ingest alone.
AS_INGEST = ("tag", "export", "index")
# Chroma writes its graph once per 1,000 inserts; the base library makes it do so once or twice.
STORED_BEFORE = 1150
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.e2e.killed_work", "src.models.preload"])


@dataclass
class Tally:
    """What was tried, and what came of it."""

    rounds: Counter[str] = field(default_factory=Counter)
    killed_at_work: Counter[str] = field(default_factory=Counter)
    in_flush: Counter[str] = field(default_factory=Counter)
    half_written: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    rebuilt: Counter[str] = field(default_factory=Counter)

    def table(self) -> str:
        lines = [
            "| killed during | rounds | while at work | inside Chroma's flush "
            "| with a dataset half written | acknowledged | lost | index made again |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        columns = (
            self.rounds,
            self.killed_at_work,
            self.in_flush,
            self.half_written,
            self.acknowledged,
            Counter[str](),
            self.rebuilt,
        )
        for verb in (*VERBS, "all"):
            counts = [str(c.total() if verb == "all" else c[verb]) for c in columns]
            lines.append(f"| {verb} | {' | '.join(counts)} |")
        return "\n".join(lines)


class Rounds:
    """A base library, an undisturbed one to compare with, and rounds of kills."""

    def __init__(self, folder: Path, media: list[Path]) -> None:
        self.folder, self.media = folder, media
        self.models, self.other = Models(), Models(other_clip=True)
        self.base = folder / "base"
        self._prepare()
        self.seconds: dict[str, float] = {}  # that a verb works, once its models are loaded
        self.tally = Tally()

    def _prepare(self) -> None:
        """Make a library of two files and many segments that were there before."""
        with MediaLibrary(LibraryPaths(self.base), self.models, SETTINGS) as library:
            for _ in library.add(self.media[:2]):
                pass
            vectors = unit_vectors(STORED_BEFORE)
            crop = library.paths.extracted_segments / "before.jpg"
            Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(crop)
            source = self.folder / "before.png"
            Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(source)
            stat = source.stat()
            before = library.metadata.add_media(source, "image", stat.st_size, stat.st_mtime_ns)
            mine = (Tag("before", 1.0, "human"),)  # so that an export has something to write
            segments = [replace(new, tags=mine) for new in new_segments(vectors, "before-")]
            for segment in segments:
                os.link(crop, library.paths.root / segment.crop_path)
            library.metadata.store_frame(before, 0, None, (100, 100), segments, library.clip.name)
            library.metadata.update_media(before, status="done", content_hash="before")
            crop.unlink()
        # SQLite knows all of it and Chroma what little was ingested; copies share no file of it
        assert not list(self.base.glob("metadata.db-*"))

    def undisturbed(self, verb: str) -> Path:
        """Do a verb to its end, once; gives the library, and `work` says what it said in."""
        root, said = self.folder / f"undisturbed {verb}", self._said(verb)
        if verb in self.seconds:
            return root
        self._copy(root.name, verb)
        process = processes.Process(target=work, args=(verb, root, self.media, said))
        process.start()
        wait_for_words(process, said, 1)
        start = time.monotonic()
        process.join(WORK_S)
        assert process.exitcode == 0, verb
        self.seconds[verb] = time.monotonic() - start
        if verb not in AS_INGEST:
            self._finish(root, verb)
        return root

    def _said(self, verb: str) -> Path:
        return self.folder / f"undisturbed {verb}.txt"

    def _copy(self, name: str, verb: str) -> Path:
        root = self.folder / name
        shutil.copytree(self.base, root, copy_function=os.link)
        for file in ("metadata.db",):  # all others are replaced, never changed in place
            (root / file).unlink()
            shutil.copy2(self.base / file, root / file)
        shutil.rmtree(root / "chroma_db")
        shutil.copytree(self.base / "chroma_db", root / "chroma_db")
        (root / "library.lock").unlink()
        if verb == "reembed":
            with (
                closing(MetadataDatabase(LibraryPaths(root))) as metadata,
                metadata.connection.write() as db,
            ):
                db.execute("DELETE FROM embeddings WHERE segment_id NOT LIKE 'before-%'")
        return root

    def _finish(self, root: Path, verb: str) -> MediaLibrary:
        models = self.other if verb == "switch" else self.models
        with MediaLibrary(LibraryPaths(root), models, SETTINGS) as library:
            for _ in self._rest(library, verb):
                pass
        return library

    def _rest(self, library: MediaLibrary, verb: str) -> Iterator[Event]:
        """Do what a killed verb has left, and take all media in."""
        if verb == "switch":
            yield from library.switch_clip()
            assert library.clip.name == OTHER_CLIP
        yield from library.add(self.media)

    # -- one round

    def round(self, number: int) -> None:
        aimed = number % 2 == 1
        verb = FLUSHING[number // 2 % len(FLUSHING)] if aimed else VERBS[number // 2 % len(VERBS)]
        random = np.random.default_rng([SEED, number])
        if not aimed:
            self.undisturbed(verb)  # its pace tells when to kill
        root = self._copy(f"round {number}", verb)
        said = self.folder / f"round {number}.txt"
        process = processes.Process(target=work, args=(verb, root, self.media, said))
        process.start()
        in_flush = self._wait(process, root, said, verb, aimed, random)
        at_work = kill_with_children(process)
        lines = said.read_text().splitlines() if said.exists() else []
        self.tally.rounds[verb] += 1
        self.tally.killed_at_work[verb] += at_work and "started" in lines
        self.tally.in_flush[verb] += at_work and in_flush
        self.tally.acknowledged[verb] += len([line for line in lines if " " in line])
        try:
            self.check(root, verb, lines)
        except BaseException as exc:
            exc.add_note(f"round {number}: {verb}, aimed {aimed}, in flush {in_flush}, {root}")
            raise
        shutil.rmtree(root)
        shutil.rmtree(_dataset(root), ignore_errors=True)

    def _wait(
        self,
        process: multiprocessing.process.BaseProcess,
        root: Path,
        said: Path,
        verb: str,
        aimed: bool,
        random: np.random.Generator,
    ) -> bool:
        """Wait for the moment to kill; says whether Chroma's graph was being written then."""
        deadline = time.monotonic() + WORK_S
        if not aimed:
            wait_for_words(process, said, 1)
            if verb == "export":  # over so soon that its own pace tells the moments better
                words = self._said(verb).stat().st_size
                wait_for_words(process, said, random.uniform(0, 1) * words)
            else:
                process.join(random.uniform(0, 1) * self.seconds[verb])
            return False
        before = {path: path.stat().st_mtime_ns for path in _graphs(root)}
        while process.is_alive() and time.monotonic() < deadline:
            for path in _graphs(root):
                try:
                    changed = path.stat().st_mtime_ns != before.get(path)
                    grown = path.stat().st_size > 0
                except FileNotFoundError:
                    continue
                if changed and grown and path not in before:
                    before[path] = path.stat().st_mtime_ns  # made; written once it is full
                elif changed:
                    time.sleep(random.uniform(0, 0.04))
                    return True
            time.sleep(0.0005)
        return False

    # -- what has to hold after a kill

    def check(self, root: Path, verb: str, lines: list[str]) -> None:
        models = self.other if verb == "switch" else self.models
        library = _opened(root, models)
        try:
            assert library.metadata.integrity_problems() == []
            assert library.metadata.connection.recovered is None
            self._acknowledged(library, lines)
            if verb == "export":
                self._exported(library, lines)
            self._search(library, "before the index is whole")
            library.load_models()
            folder = library.metadata.info(f"index of {library.clip.name}")
            for _ in self._rest(library, verb):
                self._search(library, "while work goes on")
            self.tally.rebuilt[verb] += folder != library.metadata.info(
                f"index of {library.clip.name}"
            )
            self._search(library, "after all")
            assert library.index.failure is None
            problems = [e for e in library.verify() if isinstance(e, ProblemFound)]
            assert problems == [], problems
            other = self.undisturbed("ingest" if verb in AS_INGEST else verb)
            self._same(library, LibraryPaths(other))
        finally:
            library.close()

    def _exported(self, library: MediaLibrary, lines: list[str]) -> None:
        """See that the dataset is whole or absent, and that the next export makes it whole."""
        dataset, whole = _dataset(library.paths.root), _dataset(self.undisturbed("export"))
        self.tally.half_written["export"] += len(_unfinished(self.folder)) == 1
        if "done" in lines:
            assert dataset.is_dir()
        if not dataset.exists():
            for _ in library.export(dataset):
                pass
            assert not _unfinished(self.folder), "what the killed export left is still there"
        assert (dataset / "labels.csv").read_text() == (whole / "labels.csv").read_text()
        assert _files(dataset) == _files(whole)

    def _acknowledged(self, library: MediaLibrary, lines: list[str]) -> None:
        db = library.metadata.connection.read()
        embedded = max((int(x.split()[1]) for x in lines if x.startswith("embed ")), default=0)
        coverage = library.coverage()
        held = library.metadata.count_segments() if coverage is None else coverage.done
        assert held >= embedded, "embeddings are missing"
        for line in lines:
            word, *rest = line.split(" ")
            if word == "tag":
                segment_id, name = rest[0], " ".join(rest[1:])
                names = {tag.name for tag in library.metadata.tags_of([segment_id])[segment_id]}
                assert name in names, line
            elif word == "frame":
                found = db.execute(
                    "SELECT count(*) FROM segments s JOIN frames f ON f.id = s.frame_id JOIN"
                    " media_files m ON m.id = f.media_file_id"
                    " WHERE m.path LIKE ? AND f.frame_index = ?",
                    (f"%/{rest[0]}", int(rest[1])),
                ).fetchone()[0]
                assert found == int(rest[2]), line

    def _search(self, library: MediaLibrary, when: str) -> None:
        """Compare an answer with plain arithmetic over all that SQLite holds."""
        rows = (
            library.metadata.connection.read()
            .execute(
                "SELECT e.segment_id, e.vector FROM embeddings e JOIN models m"
                " ON m.id = e.model_id WHERE m.name = ?",
                (library.clip.name,),
            )
            .fetchall()
        )
        if not rows:
            return
        matrix = np.frombuffer(b"".join(row[1] for row in rows), "<f4").reshape(len(rows), -1)
        query = matrix[len(rows) // 3]
        best = rows[int(np.argmax(matrix @ query))][0]
        hits = library.vectors.search_by_embedding(query, 5).hits
        scores = np.sort(matrix @ query)[::-1]
        assert hits[0].score == pytest.approx(float(scores[0]), abs=1e-5), (when, best)

    def _same(self, library: MediaLibrary, paths: LibraryPaths) -> None:
        """Hold a library against one that nothing happened to, row by row."""
        with closing(MetadataDatabase(paths)) as other:
            ours = _content(library.metadata)
            theirs = _content(other)
        for what, rows in theirs.items():
            assert_same_rows(ours[what], rows)
        assert _crops(library.paths) == _crops(paths)


def _content(metadata: MetadataDatabase) -> dict[str, list[tuple[object, ...]]]:
    db = metadata.connection.read()
    return {
        query: [tuple(row) for row in db.execute(query)]
        for query in (
            "SELECT content_hash, kind, width, height, duration_s, status, error"
            " FROM media_files ORDER BY 1",
            "SELECT m.content_hash, f.frame_index, f.timestamp_s, f.width, f.height FROM frames f"
            " JOIN media_files m ON m.id = f.media_file_id ORDER BY 1, 2",
            "SELECT id, kind, x, y, w, h, area, mask, crop_path FROM segments ORDER BY 1",
            "SELECT m.name, e.segment_id, e.vector FROM embeddings e"
            " JOIN models m ON m.id = e.model_id ORDER BY 1, 2",
            "SELECT st.segment_id, t.name, st.confidence FROM segment_tags st"
            " JOIN tags t ON t.id = st.tag_id WHERE st.source = 'auto' ORDER BY 1, 2",
        )
    }


def _crops(paths: LibraryPaths) -> set[str]:
    return _files(paths.extracted_segments)


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _dataset(root: Path) -> Path:
    return root.with_name(f"{root.name}-dataset")


def _unfinished(folder: Path) -> list[Path]:
    return list(folder.glob(".*.unfinished"))


def _graphs(root: Path) -> list[Path]:
    """Find the files that Chroma's flush writes."""
    return [*(root / "chroma_db").glob("*/*/*.bin")]


def _opened(root: Path, models: Models) -> MediaLibrary:
    deadline = time.monotonic() + 20
    while True:
        try:
            return MediaLibrary(LibraryPaths(root), models, SETTINGS)
        except LibraryLockedError:  # a child that was being started may hold it for a moment
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def draw_media(folder: Path) -> list[Path]:
    from src.starter.scenes import draw_scene

    paths = []
    for seed in range(5):
        scene = draw_scene(np.random.default_rng([8, seed]), (200, 150), count=4, calm=True)
        paths.append(folder / f"scene{seed}.png")
        Image.fromarray(scene.image_rgb).save(paths[-1])
    return paths


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rounds]:
    folder = tmp_path_factory.mktemp("durability")
    yield Rounds(folder, draw_media(folder))


# every verb, of four of them in the middle of Chroma's flush
SHORT = (1, 3, 4, 5, 6, 7)


@pytest.mark.parametrize(
    "number",
    [pytest.param(n, marks=() if n in SHORT else pytest.mark.slow) for n in range(10)],
)
def test_killed_anywhere_nothing_acknowledged_is_lost(rounds: Rounds, number: int) -> None:
    rounds.round(number)


@pytest.mark.slow
def test_killed_a_hundred_times(rounds: Rounds) -> None:
    for number in range(100, 200):
        rounds.round(number)
    print(rounds.tally.table())
    assert rounds.tally.in_flush.total() >= 25
    assert rounds.tally.half_written.total() >= 4


def main() -> None:
    import tempfile

    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="durability-") as name:
        rounds = Rounds(Path(name), draw_media(Path(name)))
        for verb in VERBS:
            rounds.undisturbed(verb)
        print({verb: round(seconds, 1) for verb, seconds in rounds.seconds.items()}, flush=True)
        for number in range(count):
            start = time.monotonic()
            rounds.round(number)
            if number % 10 == 9:
                print(f"{number + 1} rounds, the last took {time.monotonic() - start:.1f} s")
                print(rounds.tally.table(), flush=True)


if __name__ == "__main__":
    main()
