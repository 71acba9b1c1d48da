"""Bits of a library's files changed at random: what is recovered, lost, and said."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.connection import PAGE_SIZE
from src.database.metadata_db import MetadataDatabase
from src.database.repair.mending import Mended
from src.database.repair.recovered import Recovered
from src.errors import DatabaseError
from src.library_files import SafeFolder
from src.records import Tag
from tests.conftest import MODEL, add_media_with, new_segments, unit_vectors
from tests.old_schema import CHECKED

BITS = (1, 4, 16, 64)
LIMIT_S = 10
QUIET = ("index of ", "int8 rows of ")  # what is made again from the embeddings

Rows = dict[str, dict[object, tuple[object, ...]]]


@dataclass(frozen=True)
class Base:
    """A library as it is before its bits are changed.

    Attributes:
        whole: its files, closed well; with a log: as its killed writer left them.
        logged: the same content, the last of it in the log.
        backup: a backup of before its last changes.
        truth: its rows, by table and key.
        older: those of the backup.
    """

    whole: Path
    logged: Path
    backup: Path
    truth: Rows
    older: Rows


def rows_of(file: Path) -> Rows:
    """Read all rows that matter, by table and key."""
    found: Rows = {}
    with closing(sqlite3.connect(file)) as db:
        for table in CHECKED:
            key = 2 if table in ("segment_tags", "removed_tags") else 1
            rows = db.execute(f"SELECT * FROM {table}").fetchall()
            found[table] = {row[:key]: row for row in rows if not str(row[0]).startswith(QUIET)}
    return found


def change_library(metadata: MetadataDatabase, files: range) -> None:
    """Add media with tags of people, and remove some of what was there."""
    for number in files:
        name = f"{number}.jpg"
        media_id = add_media_with(metadata, unit_vectors(16, seed=number), name)
        for place in range(0, 16, 3):
            metadata.add_tags(
                f"{name}-{place:05}", [Tag(f"tag {number % 7}", 0.25 + place / 40, "auto")], "clip"
            )
        metadata.add_tags(f"{name}-00004", [Tag(f"mine {number}", 1.0, "human")], "human")
        metadata.remove_tag(f"{name}-00003", f"tag {number % 7}")
        if number % 6 == 5:
            metadata.remove_media(media_id - 2)
    video = metadata.add_media(Path(f"/films/{files.start}.mp4"), "video", 10, 10)
    for frame in range(3):
        segments = new_segments(unit_vectors(8, seed=frame), f"film {files.start}-{frame}-")
        metadata.store_frame(video, frame, frame / 2, (100, 100), segments, MODEL, "sam@1")
    metadata.update_media(video, status="done", content_hash=f"film {files.start}")
    metadata.set_info("clip", f"model of {files.start}")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp("flips")
    paths = LibraryPaths(folder / "library")
    with closing(MetadataDatabase(paths)) as metadata:
        change_library(metadata, range(18))
    for old in (paths.root / "backups").glob("*.db"):
        old.unlink()
    MetadataDatabase(paths).close()  # writes the day's backup
    (backup,) = (paths.root / "backups").glob("*.db")
    logged = folder / "logged"
    logged.mkdir()
    with closing(MetadataDatabase(paths)) as metadata:
        change_library(metadata, range(18, 24))
        with metadata.connection.write() as db:
            db.execute("DELETE FROM frames WHERE id BETWEEN 9 AND 14")
        for name in ("metadata.db", "metadata.db-wal", "metadata.db.open"):
            shutil.copy(paths.root / name, logged / name)
    whole = folder / "whole"
    whole.mkdir()
    shutil.copy(paths.metadata_db, whole / "metadata.db")
    assert (logged / "metadata.db-wal").stat().st_size > 20 * PAGE_SIZE
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        assert db.execute("PRAGMA freelist_count").fetchone()[0] > 2
    return Base(whole, logged, backup, rows_of(paths.metadata_db), rows_of(backup))


def flip(folder: Path, bits: int, random: np.random.Generator) -> list[tuple[str, int, int]]:
    """Change bits of a library's file and its log, anywhere."""
    files = [path for path in sorted(folder.glob("metadata.db*")) if path.stat().st_size]
    files = [path for path in files if path.name in ("metadata.db", "metadata.db-wal")]
    contents = [bytearray(path.read_bytes()) for path in files]
    flipped = []
    for at in random.integers(0, sum(map(len, contents)), bits):
        at, which = int(at), 0
        while at >= len(contents[which]):
            at, which = at - len(contents[which]), which + 1
        bit = int(random.integers(8))
        contents[which][at] ^= 1 << bit
        flipped.append((files[which].name, at, bit))
    for path, content in zip(files, contents, strict=True):
        path.write_bytes(content)
    return flipped


def open_and_verify(paths: LibraryPaths) -> list[Recovered | Mended]:
    """Open a library, verify it and repair it; returns what was said of damage.

    What only verify comes across may need another start, which it says.
    """
    said: list[Recovered | Mended] = []
    for start in range(2):
        with closing(MetadataDatabase(paths, examine=True)) as metadata:
            connection = metadata.connection
            said += [one for one in (connection.recovered, connection.mended) if one is not None]
            try:
                if metadata.damaged_rows() or metadata.integrity_problems():
                    mended = connection.mend()
                    assert mended is not None
                    said.append(mended)
                assert not metadata.damaged_rows() and not metadata.miscounted()
                assert metadata.integrity_problems() == []
                break
            except DatabaseError as exc:
                if start or "start the application again" not in str(exc):
                    raise
    return said


def one_round(base: Base, folder: Path, seed: int) -> tuple[str, int, int]:
    """Change bits, open, and compare with the truth: what came of it, lost rows, flipped bits."""
    random = np.random.default_rng([12, seed])
    bits = BITS[seed % 4]
    with_backup, with_log = bool(seed // 4 % 2), bool(seed // 8 % 2)
    paths = LibraryPaths(folder)
    shutil.copytree(base.logged if with_log else base.whole, folder)
    if with_backup:
        SafeFolder(folder).make_marked_folder("backups")
        shutil.copy2(base.backup, folder / "backups" / base.backup.name)
    flipped = flip(folder, bits, random)
    context = f"seed {seed}: {flipped}"
    begun = time.monotonic()
    try:
        said = open_and_verify(paths)
    except DatabaseError as exc:
        raise AssertionError(f"{context}: {exc}") from exc
    spent = time.monotonic() - begun
    assert spent < LIMIT_S, f"{context}: {spent:.1f} s"
    found = rows_of(paths.metadata_db)
    lost: Counter[str] = Counter()
    for table, truth in base.truth.items():
        now = found[table]
        assert now.keys() <= truth.keys(), f"{context}: {table} has {now.keys() - truth.keys()}"
        lost.update({table: len(truth) - len(now)})
        for key, row in now.items():
            accepted = [truth[key], base.older[table].get(key)] if with_backup else [truth[key]]
            if table == "media_files":  # those with gaps are looked at again
                row, accepted = _without_status(row), [_without_status(one) for one in accepted]
            assert row in accepted, f"{context}: {table} {row} is not {truth[key]}; {said}"
    lost = +lost
    told: Counter[str] = Counter()
    for one in said:
        told.update(one.lost)
        if isinstance(one, Mended):
            told["embeddings"] += one.again
        else:
            assert not one.uncertain, f"{context}: {one}"
    told = +told
    assert told == lost, f"{context}: lost {lost}, said {said}"
    for one in said:
        if isinstance(one, Recovered) and not one.lost:
            assert "nothing is lost" in str(one)
    shutil.rmtree(folder)
    outcome = "recovered" if said else "as it was"
    return outcome, sum(lost.values()), bits


def _without_status(row: tuple[object, ...] | None) -> tuple[object, ...] | None:
    return None if row is None else (*row[:10], *row[11:-1])


def rounds(base: Base, folder: Path, seeds: range) -> None:
    table: dict[int, list[tuple[str, int]]] = {bits: [] for bits in BITS}
    failed = []
    for seed in seeds:
        try:
            outcome, lost, bits = one_round(base, folder / str(seed), seed)
        except AssertionError as exc:
            failed.append(_short(str(exc)))
            continue
        table[bits].append((outcome, lost))
    print("\nbits  rounds  recovered  as it was  rounds with a loss  rows lost, and said so")
    for bits, results in table.items():
        outcomes = Counter(outcome for outcome, _ in results)
        losses = [lost for _, lost in results]
        print(
            f"{bits:4}  {len(results):6}  {outcomes['recovered']:9}  {outcomes['as it was']:9}"
            f"  {sum(map(bool, losses)):18}  {sum(losses):22}"
        )
    assert not failed, f"{len(failed)} of {len(seeds)}:\n" + "\n".join(failed)


def _short(text: str) -> str:
    """Leave out the places of most bits."""
    line = text.split("\n")[0]
    return line if len(line) < 700 else f"{line[:200]} … {line[-480:]}"


@pytest.mark.parametrize(
    "numbers", [range(30), pytest.param(range(30, 100), marks=pytest.mark.slow)]
)
def test_a_hundred_rounds_of_changed_bits_lose_nothing_in_silence(
    base: Base, tmp_path: Path, numbers: range
) -> None:
    rounds(base, tmp_path, numbers)


@pytest.mark.slow
def test_a_thousand_rounds_of_changed_bits_lose_nothing_in_silence(
    base: Base, tmp_path: Path
) -> None:
    rounds(base, tmp_path, range(100, 1100))
