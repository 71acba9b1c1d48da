"""Whatever lies under a library's names: nothing outside is touched, and nothing of others lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import main
from src.config import LibraryPaths
from src.database.backup import back_up
from src.database.lock import LibraryLock
from src.database.metadata_db import MetadataDatabase
from src.datasets.staging import clear_killed
from src.errors import DatabaseError, LibraryLockedError, MediaReadError
from src.library import MediaLibrary
from src.library_files import KEEP, MARKER, SafeFolder
from src.ownership import BACKUPS, INDEXES, MARKED_FOLDERS, SEGMENTS, claim, owner_of
from src.processing.media_finder import content_hash
from src.records import Tag
from tests.conftest import add_media_with, unit_vectors

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices are POSIX's")

FILES = (
    "library.lock metadata.db metadata.db-wal metadata.db-shm metadata.db-journal"
    " metadata.db.open settings.json library.log library.log.1"
).split()
FOLDERS = (*MARKED_FOLDERS, "datasets")
COMMANDS = (
    ["ingest", "photo.jpg"],
    ["search", "red"],
    ["export", "dataset"],
    ["import", "dataset"],
    ["stats"],
    ["verify"],
    ["verify", "--repair"],
    ["models", "use", "starter"],
    ["models", "switch"],
    ["models", "segment-again"],
    ["demo"],
)
Kind = Callable[[Path, Path], None]


def link(place: Path, outside: Path) -> None:
    place.symlink_to(outside / ("folder" if place.name in FOLDERS else "letter.txt"))


def link_to_a_database(place: Path, outside: Path) -> None:
    place.symlink_to(outside / ("folder" if place.name in FOLDERS else "other.db"))


def hard_link(place: Path, outside: Path) -> None:
    os.link(outside / ("other.db" if place.name.startswith("metadata.db") else "empty"), place)


def pipe(place: Path, outside: Path) -> None:
    os.mkfifo(place)


def device(place: Path, outside: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes devices")
    os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 5))


def folder_of_somebody(place: Path, outside: Path) -> None:
    shutil.copytree(outside / "folder", place)


def file_of_somebody(place: Path, outside: Path) -> None:
    place.write_text("Dear Ann,\n")


KINDS: tuple[Kind, ...] = (
    link,
    link_to_a_database,
    hard_link,
    pipe,
    device,
    folder_of_somebody,
    file_of_somebody,
)
# What is not refused, since the program never changes it in place; a library's database that holds
# something else is damaged, and is kept beside the recovered one.
HARMLESS = {
    ("metadata.db", file_of_somebody),
    ("datasets", folder_of_somebody),
    ("settings.json", hard_link),
    ("metadata.db-wal", file_of_somebody),
    ("metadata.db-shm", file_of_somebody),
    ("metadata.db-journal", file_of_somebody),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small library with a backup, an index folder and crops; each test gets a copy."""
    paths = LibraryPaths(tmp_path_factory.mktemp("base") / "library")
    with closing(MetadataDatabase(paths)) as metadata:
        add_media_with(metadata, unit_vectors(3))
        metadata.add_tags("a.jpg-00001", [Tag("mine", 1.0, "human")], "human")
        paths.files.make_marked_folder(INDEXES)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        back_up(db, paths.metadata_db)
    return paths.root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """What is somebody else's: a letter, a database, and folders that look like a library's."""
    folder = tmp_path / "outside"
    inner = folder / "folder"
    for name in ("0123456789ab", "ab/0123456789abcdef", "thumbnails/00"):
        (inner / name).mkdir(parents=True)
        (inner / name / f"{0:024x}.jpg").write_text("mine")
    for name in ("a.tmp", "metadata-2020-01-01T000000.db", "metadata-2020-01-01T000000.db.tmp"):
        (inner / name).write_text("mine")
    (folder / "letter.txt").write_text("Dear Ann,\n")
    (folder / "empty").touch()
    with closing(sqlite3.connect(folder / "other.db")) as db:
        db.executescript("CREATE TABLE mine (x); INSERT INTO mine VALUES (1)")
    return folder


def snapshot(folder: Path) -> dict[str, object]:
    """Every name below a folder, with its content; what is no file by its kind alone."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        kind: object = stat.S_IFMT(mode)
        if stat.S_ISLNK(mode):
            kind = os.readlink(path)
        elif stat.S_ISREG(mode):
            kind = path.read_bytes()
        found[path.relative_to(folder).as_posix()] = kind
    return found


def put(place: Path, kind: Kind, outside: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    kind(place, outside)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", [*FILES, *FOLDERS])
def test_no_command_touches_what_lies_under_a_name_of_ours(
    base: Path,
    outside: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    kind: Kind,
) -> None:
    if (name, kind) in HARMLESS:
        pytest.skip("see the next test")
    library = tmp_path / "library"
    shutil.copytree(base, library)
    put(library / name, kind, outside)
    monkeypatch.chdir(outside)
    before, inside = snapshot(outside), snapshot(library)
    for command in COMMANDS:
        if command == ["demo"] and name == "settings.json":
            continue  # its library has settings of its own
        code = main.main(["--library", str(library), *command])
        said = capsys.readouterr().err
        assert code == 1 and said.count("\n") == 1 and "Traceback" not in said, (command, said)
        assert name in said, (command, said)
        assert snapshot(outside) == before, command
    after = snapshot(library)
    if name == "settings.json":  # what is in it is seen once the library is being opened
        after["library.lock"] = inside["library.lock"] = "held for a moment"
    assert after == inside


def name_of(part: object) -> str:
    """Name a case or a part of one, in every process alike."""
    if isinstance(part, tuple):
        return " ".join(map(name_of, part))
    return getattr(part, "__name__", str(part))


@pytest.mark.parametrize(("name", "kind"), sorted(HARMLESS, key=name_of), ids=name_of)
def test_what_is_not_refused_is_not_changed_either(
    base: Path, outside: Path, tmp_path: Path, name: str, kind: Kind
) -> None:
    library = tmp_path / "library"
    shutil.copytree(base, library)
    if name == "settings.json":
        (outside / "empty").write_text("{}")
    put(library / name, kind, outside)
    before = snapshot(outside)
    mine = snapshot(library / name) if name == "datasets" else None
    with MediaLibrary(LibraryPaths(library)) as opened:
        assert opened.metadata.count_segments() == 3
        if name == "settings.json":
            opened.settings.save(opened.paths.settings)
    assert snapshot(outside) == before
    if name == "metadata.db":
        assert [path.read_text() for path in library.glob("metadata-damaged-*")] == ["Dear Ann,\n"]
    if mine is not None:
        assert snapshot(library / name) == mine


@pytest.mark.parametrize("name", [*FILES, *MARKED_FOLDERS])
def test_no_library_is_made_among_somebody_elses_files(
    outside: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder_of_somebody if name in FOLDERS else file_of_somebody)(folder / name, outside)
    if name.startswith("metadata.db-"):
        pytest.skip("SQLite's own names")
    before = snapshot(folder)
    with pytest.raises(DatabaseError, match=rf"{name}|settings"):
        MediaLibrary(LibraryPaths(folder))
    after = snapshot(folder)
    if name == "settings.json":  # seen when it is read, after the empty folders are made
        assert {key: after[key] for key in before} == before
    else:
        assert after == before


def test_a_calibre_library_is_none_of_ours(tmp_path: Path) -> None:
    """It has a metadata.db, too."""
    with closing(sqlite3.connect(tmp_path / "metadata.db")) as db:
        db.executescript(
            "CREATE TABLE books (id INTEGER PRIMARY KEY AUTOINCREMENT);"
            "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE);"
            "CREATE INDEX by_title ON books (id); ANALYZE; PRAGMA user_version = 26;"
        )
    before = snapshot(tmp_path)
    with pytest.raises(DatabaseError, match="books"):
        MediaLibrary(LibraryPaths(tmp_path))
    after = snapshot(tmp_path)
    assert {key: after[key] for key in before} == before


def test_a_checkout_with_kept_empty_folders_takes_a_library(tmp_path: Path) -> None:
    for name in (SEGMENTS, INDEXES, "datasets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / KEEP).touch()
    claim(tmp_path)
    assert (tmp_path / SEGMENTS / MARKER).is_file() and (tmp_path / INDEXES / MARKER).is_file()
    assert not (tmp_path / "datasets" / MARKER).exists()


def test_a_library_of_an_earlier_version_gets_its_markers(base: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    shutil.copytree(base, library)
    index = library / INDEXES / "0123456789ab"
    index.mkdir()
    for folder in MARKED_FOLDERS:
        (library / folder / MARKER).unlink(missing_ok=True)
        (library / folder / "something").touch()
    with closing(sqlite3.connect(library / "metadata.db")) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute("PRAGMA user_version = 4")
    claim(library)
    assert all((library / folder / MARKER).is_file() for folder in (*MARKED_FOLDERS, index))
    for folder in MARKED_FOLDERS:
        (library / folder / MARKER).unlink()
    with closing(sqlite3.connect(library / "metadata.db")) as db:
        db.execute(f"PRAGMA user_version = {max(version, 5)}")
    with pytest.raises(DatabaseError, match="did not make"):
        claim(library)


def test_a_dataset_does_not_go_where_a_library_keeps_its_files(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = tmp_path / "library"
    shutil.copytree(base, library)
    other = tmp_path / "other"
    shutil.copytree(base, other)
    (tmp_path / "link").symlink_to(library / SEGMENTS)
    for folder in (
        library / SEGMENTS / "first",
        library / INDEXES / "deep" / "first",
        library / BACKUPS,
        other / SEGMENTS / "first",
        tmp_path / "link" / "first",
    ):
        before = snapshot(tmp_path)
        assert main.main(["--library", str(library), "export", str(folder)]) == 1
        assert "choose another folder" in capsys.readouterr().err
        after = snapshot(tmp_path)
        for name in ("library.lock", "metadata.db", "metadata.db-shm", "metadata.db-wal"):
            before.pop(f"library/{name}", None)
            after.pop(f"library/{name}", None)
        assert after == before
    assert owner_of(tmp_path / "elsewhere") is None


# -- inside the folders


@pytest.fixture
def paths(base: Path, tmp_path: Path) -> LibraryPaths:
    shutil.copytree(base, tmp_path / "library")
    return LibraryPaths(tmp_path / "library")


@pytest.mark.parametrize(
    "value", ["/absolute", "../outside/folder", "..", "folder", "a/0123456789ab"]
)
def test_a_row_that_names_a_folder_elsewhere_names_no_index(
    paths: LibraryPaths, outside: Path, value: str
) -> None:
    if value == "/absolute":
        value = str(outside / "folder")
    (paths.chroma_db / "folder").mkdir()
    (paths.chroma_db / "folder" / "mine").touch()
    before = snapshot(outside)
    with MediaLibrary(paths) as library:
        library.metadata.set_info(f"index of {library.clip.name}", value)
        library.metadata.connection.write()
        for _ in library.index.rebuild():
            pass
        assert library.index.failure is None
    assert snapshot(outside) == before and (paths.chroma_db / "folder" / "mine").exists()


@pytest.mark.parametrize(
    "what", ["the folder", "a file in it", "a hard link in it", "a pipe in it"]
)
def test_an_index_that_leads_elsewhere_is_made_again(
    paths: LibraryPaths, outside: Path, what: str
) -> None:
    with MediaLibrary(paths) as library:
        add_media_with(library.metadata, unit_vectors(5), "b.jpg", library.clip.name)
        for _ in library.index.catch_up():
            pass
        name = library.metadata.info(f"index of {library.clip.name}")
    assert name is not None
    index = paths.chroma_db / name
    if what == "the folder":
        shutil.rmtree(index)
        (outside / "folder" / MARKER).touch()
        index.symlink_to(outside / "folder")
    else:
        place = index / "chroma.sqlite3"
        place.unlink()
        put(place, {"a f": link_to_a_database, "a h": hard_link, "a p": pipe}[what[:3]], outside)
    before = snapshot(outside)
    with MediaLibrary(paths) as library:
        assert library.index.problems() != []
        for _ in library.index.rebuild():
            pass
        assert library.index.problems() == []
        assert library.metadata.info(f"index of {library.clip.name}") != name
    assert snapshot(outside) == before


@pytest.mark.parametrize("part", ["thumbnails", "ab", "ab/0123456789abcdef"])
def test_crops_and_thumbnails_go_through_no_link(
    paths: LibraryPaths, outside: Path, part: str
) -> None:
    place = paths.extracted_segments / part
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(outside / "folder")
    before = snapshot(outside)
    for name in (f"{SEGMENTS}/{part}/new.jpg", f"{SEGMENTS}/{part}/00/new.jpg"):
        with pytest.raises(OSError, match="no folder"):
            paths.files.write(name, b"x")
        with pytest.raises(OSError, match="no folder"):
            paths.files.remove(name)
    with pytest.raises(OSError, match="link"):
        paths.files.remove_folder(f"{SEGMENTS}/{part}")
    assert snapshot(outside) == before


@pytest.mark.parametrize("name", ["../outside/letter.txt", "/etc/hostname", "", ".", "a/../../b"])
def test_no_name_leads_out(paths: LibraryPaths, name: str) -> None:
    for call in (
        paths.files.remove,
        paths.files.remove_folder,
        lambda n: paths.files.write(n, b""),
    ):
        with pytest.raises(OSError, match=r"outside|directory|empty"):
            call(name)


def test_a_folder_is_removed_without_what_its_links_lead_to(tmp_path: Path, outside: Path) -> None:
    before = snapshot(outside)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "letter.txt")
    SafeFolder(tmp_path).remove_folder("folder")
    assert not folder.exists() and snapshot(outside) == before


@pytest.mark.parametrize("command", [["verify", "--repair"], ["ingest", "photo.jpg"]])
def test_a_row_that_names_a_persons_picture_for_a_crop_costs_no_picture(
    paths: LibraryPaths, command: list[str]
) -> None:
    name = f"{SEGMENTS}/holiday/photo.jpg"
    mine = paths.root / name
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with MediaLibrary(paths) as library:
        library.metadata.set_crop_path("a.jpg-00000", name)
        library.metadata.set_info("crops to remove", f'["{name}", "{SEGMENTS}/holiday/2.jpg"]')
    assert main.main(["--library", str(paths.root), *command]) in (0, 1)  # it has no photo
    assert mine.read_bytes() == b"mine"
    with MediaLibrary(paths) as library:
        library.remove([1])
    assert mine.read_bytes() == b"mine"


def test_a_demo_is_not_kept_behind_a_link(
    paths: LibraryPaths, outside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (paths.datasets / "demo").mkdir(parents=True)
    (paths.datasets / "demo" / "library").symlink_to(outside)
    before = snapshot(outside)
    assert main.main(["--library", str(paths.root), "demo"]) == 1
    assert "can't be kept here" in capsys.readouterr().err and snapshot(outside) == before


@pytest.mark.parametrize("what", ["a device", "a pipe", "a folder"])
def test_only_a_regular_file_is_hashed(tmp_path: Path, what: str) -> None:
    path = Path("/dev/zero") if what == "a device" else tmp_path / "pipe"
    if what == "a pipe":
        os.mkfifo(path)
    elif what == "a folder":
        path = tmp_path
    with pytest.raises(MediaReadError, match=r"no regular file|directory"):
        content_hash(path)


def make_deep(folder: Path, depth: int = 1500) -> None:
    """Make folders one inside the other, more than a path can name."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=handle)
        below = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(handle)


@pytest.fixture
def deep(paths: LibraryPaths, tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    yield make_deep
    subprocess.run(["rm", "-rf", str(tmp_path)], check=True)  # Python's own way has a limit


def test_folders_deeper_than_any_of_ours_stay_and_are_named(
    paths: LibraryPaths, deep: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    index, segments = paths.chroma_db / "0123456789ab", paths.extracted_segments / "ab"
    for folder in (index, segments, paths.root / BACKUPS / "deep", paths.datasets / "deep"):
        deep(folder)
    (index / MARKER).touch()
    with MediaLibrary(paths) as library:
        library.metadata.set_info(f"index of {library.clip.name}", index.name)
    for command, code in (("stats", 0), ("verify", 1), ("verify --repair", 1), ("stats", 0)):
        assert main.main(["--library", str(paths.root), *command.split()]) == code, command
    said = capsys.readouterr()
    assert "lies too deep" in said.out + said.err
    assert index.is_dir() and (segments / "d").is_dir()


def test_what_a_stranger_left_for_a_killed_export_costs_no_memory(
    base: Path, tmp_path: Path, deep: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    files = SafeFolder(tmp_path)
    for name in ("one", "two"):
        files.make_marked_folder(f".export-{name}.unfinished")
    (tmp_path / "mine").mkdir()
    (tmp_path / ".export-one.unfinished" / "moving").mkdir()
    for planted in ("files", "moving/labels.csv"):
        with (tmp_path / ".export-one.unfinished" / planted).open("wb") as stream:
            stream.truncate(1 << 30)
    clear_killed(files)
    assert not (tmp_path / ".export-one.unfinished").exists() and (tmp_path / "mine").exists()
    files.make_marked_folder(".export-two.unfinished")
    deep(tmp_path / ".export-two.unfinished" / "deep")
    with pytest.raises(OSError, match="too deep"):
        clear_killed(files)


# -- the lock


@pytest.fixture
def locked(paths: LibraryPaths) -> Iterator[LibraryLock]:
    lock = LibraryLock(paths.lock)
    yield lock
    lock.release()


@pytest.mark.parametrize("how", ["removed", "replaced", "moved"])
def test_a_lock_file_that_goes_makes_no_second_writer(
    paths: LibraryPaths, locked: LibraryLock, how: str
) -> None:
    if how == "moved":
        paths.lock.rename(paths.root / "elsewhere")
    else:
        paths.lock.unlink()
    if how == "replaced":
        paths.lock.touch()
    with pytest.raises(LibraryLockedError, match="open in another process"):
        MediaLibrary(paths)
    locked.release()
    MediaLibrary(paths).close()


def test_folders_that_become_links_and_back_all_the_time_lead_nowhere(
    paths: LibraryPaths, tmp_path: Path, outside: Path
) -> None:
    """Whoever may write into the library swaps a folder for a link between any two of our steps."""
    place, aside = paths.extracted_segments / "ab", tmp_path / "aside"
    place.mkdir()
    before = snapshot(outside)
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):  # a folder of that name has just been made anew
                shutil.rmtree(aside, ignore_errors=True)
                place.rename(aside)
                place.symlink_to(outside / "folder")
                place.unlink()
                aside.rename(place)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        for _ in range(2000):
            for call in (
                lambda: paths.files.write(f"{SEGMENTS}/ab/new.jpg", b"x", lasting=False),
                lambda: paths.files.remove(f"{SEGMENTS}/ab/{0:024x}.jpg"),
                lambda: paths.files.remove_folder(f"{SEGMENTS}/ab/0123456789ab"),
                lambda: paths.files.rename(f"{SEGMENTS}/ab/a.tmp", f"{SEGMENTS}/ab/b.tmp"),
                lambda: list(paths.files.walk(f"{SEGMENTS}/ab")),
            ):
                with contextlib.suppress(OSError):  # it is a link just now, or gone
                    call()
    finally:
        over.set()
        swapper.join()
    assert snapshot(outside) == before
