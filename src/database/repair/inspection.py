"""What is wrong with a library's file and its log, asked before anything is written to either."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from src.database import migrations
from src.database.migrations import check_version
from src.database.repair.known_schema import (
    SchemaRow,
    SchemaState,
    known_versions,
    read_schema,
    state_of,
)
from src.database.repair.log_reader import Log, has_log, log_of, read_log
from src.database.repair.page_reader import FILE_HEADER, MAGIC, PAGE_SIZES
from src.errors import DatabaseError

# SQLite's errors about a file's surroundings, not about its content.
_OF_THE_WORLD = (
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_AUTH,
)
# Tables, indexes and triggers; the first schema had sixteen.
LEAST_OF_OURS = 5
# Places in a file's header whose values never change in a library of ours.
_FIXED = {
    20: (0,),  # bytes kept free at the end of each page
    21: (64,),
    22: (32,),
    23: (32,),
}
_FIXED_NUMBERS = {
    44: (0, 4),  # the format of the schema; 0 while there is none
    52: (0,),  # no file of ours shrinks by itself
    56: (0, 1),  # UTF-8
    64: (0,),
}


def problems_of(path: Path, examine: bool, alone: bool = False) -> list[str]:
    """Look for damage; empty means that none was found.

    Args:
        examine: go through the whole file, too, not only its header, schema and log. A log that
            was left behind has it gone through, as well.
        alone: without the log beside it.

    Raises:
        sqlite3.OperationalError: the file can't be read; nothing is said of its content.
        OSError: as well.
    """
    with path.open("rb") as stream:
        header = stream.read(FILE_HEADER)
    if problem := _of_header(header):
        return [problem]
    logged = has_log(path) and not alone
    if logged and (problem := _of_log(path, header)):
        return [problem]
    try:
        with closing(_open(path, logged)) as db:
            if problem := _of_schema(db):
                return [problem]
            if not (examine or logged):
                return []
            said = [_decoded(row[0]) for row in db.execute("PRAGMA quick_check").fetchall()]
            if logged and said == ["ok"]:
                return _miscounted(db)
            return [text for text in said if text != "ok"]
    except sqlite3.DatabaseError as exc:
        if getattr(exc, "sqlite_errorcode", 0) & 0xFF in _OF_THE_WORLD:
            raise
        return [str(exc)]
    except UnicodeDecodeError as exc:  # of what SQLite says of a schema that is no UTF-8
        return [f"the schema is no text ({exc.reason})"]


def refuse_others(path: Path) -> None:
    """Check that a file is ours before anything is written, even the log into the file.

    Raises:
        DatabaseError: the library was made by a newer version, something in the file was made by
            another program, or all of it was.
        sqlite3.DatabaseError: the file is damaged so far that it does not say.
    """
    with closing(_open(path, has_log(path))) as db:
        if _has_damaged_version(db):
            return
        version = db.execute("PRAGMA user_version").fetchone()[0]
        rows = read_schema(db)
        state = state_of(rows, version)
        foreign = _foreign_names(state, rows)
        if foreign and has_log(path) and not _is_foreign_alone(path):
            return  # it is the log that does not belong here: it is set aside
        if foreign and not _has_ours(state, rows):
            raise DatabaseError(
                f"{path}: this is a database of another program (it holds {foreign}); choose "
                "another folder with --library"
            )
        if foreign and version <= len(migrations.MIGRATIONS):
            raise DatabaseError(
                f"{path}: this library holds what this program did not make ({foreign}), and is "
                "not opened; drop it with another program, or use a copy from elsewhere"
            )
        check_version(db, path)


def _foreign_names(state: SchemaState, rows: list[SchemaRow]) -> str:
    """List what is in a schema beside all of ours; empty where it is, or was, only ours."""
    if state.is_damaged and _has_ours(state, rows):
        return ""  # recovery takes our tables out of it, and nothing else
    return ", ".join(sorted(state.foreign)[:5])


def _has_ours(state: SchemaState, rows: list[SchemaRow]) -> bool:
    """Return whether enough is ours: another program may have a table `tags` as well."""
    theirs = set(state.foreign)
    ours = [row for row in rows if row.name not in theirs and not row.name.startswith("sqlite_")]
    return len(ours) >= LEAST_OF_OURS


def _is_foreign_alone(path: Path) -> bool:
    """Return whether a file holds what is not ours without the log beside it, too, or nothing."""
    try:
        with closing(_open(path, logged=False)) as db:
            rows = read_schema(db)
            version = db.execute("PRAGMA user_version").fetchone()[0]
            return not rows or bool(_foreign_names(state_of(rows, version), rows))
    except sqlite3.DatabaseError:
        return False


def log_is_foreign(path: Path) -> bool:
    """Return whether, of a file that is damaged with its log, the log does not belong to it.

    A log of ours of which bits have changed is no foreign one.
    """
    if not has_log(path):
        return False
    with path.open("rb") as stream:
        header = stream.read(FILE_HEADER)
    log = _log(path, header)
    if log is not None and log.damaged and log.page_size == _page_size(header):
        return False
    return not problems_of(path, examine=True, alone=True)


def _open(path: Path, logged: bool) -> sqlite3.Connection:
    how = "mode=ro" if logged else "mode=ro&immutable=1"
    db = sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, isolation_level=None)
    db.text_factory = bytes
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def _decoded(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _page_size(header: bytes) -> int:
    size = int.from_bytes(header[16:18], "big")
    return 65536 if size == 1 else size


def _of_header(header: bytes) -> str | None:
    if len(header) < FILE_HEADER or header[: len(MAGIC)] != MAGIC:
        return "file is not a database"
    fixed = {
        **{at: (header[at], good) for at, good in _FIXED.items()},
        **{at: (_number(header, at), good) for at, good in _FIXED_NUMBERS.items()},
        16: (_page_size(header), PAGE_SIZES),
        18: (header[18], (1, 2)),
        19: (header[19], (1, 2)),
        72: (sum(header[72:92]), (0,)),
    }
    for at, (value, good) in sorted(fixed.items()):
        if value not in good:
            return f"byte {at} of the file's header is {value}"
    return None


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")


def _log(path: Path, header: bytes) -> Log | None:
    return read_log(log_of(path), _page_size(header))


def _of_log(path: Path, header: bytes) -> str | None:
    log = _log(path, header)
    if log is None:
        return None
    if log.page_size != _page_size(header):
        return f"the log's pages have {log.page_size} bytes, the file's {_page_size(header)}"
    if log.hides:
        return "the log is damaged"
    pages = path.stat().st_size // log.page_size
    # no library shrinks, and each new page is in the log before it is in the file
    if log.page_count < pages or any(
        number not in log.pages for number in range(pages + 1, log.page_count + 1)
    ):
        return f"the log is of a file of {log.page_count} pages, and this one has {pages}"
    return None


def _of_schema(db: sqlite3.Connection) -> str | None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    state = state_of(read_schema(db), version)
    if state.is_damaged:
        return "the schema is damaged"
    if state.foreign:
        return "the schema holds what this program did not make"
    newest = len(migrations.MIGRATIONS)
    if _has_damaged_version(db) or (
        state.versions and version <= newest and version not in state.versions
    ):
        return f"the schema is not that of version {version}, which the file says it has"
    return None


def _miscounted(db: sqlite3.Connection) -> list[str]:
    """List the tables that don't have as many rows as is written down.

    An older log of the same library, laid over it, leaves both as they were: in other pages.
    """
    names = {_decoded(row[0]) for row in db.execute("SELECT name FROM sqlite_master")}
    if "row_counts" not in names:
        return []  # a library of an older version
    forms = known_versions()[-1].forms
    problems = []
    for name, rows in db.execute("SELECT name, rows FROM row_counts").fetchall():
        table = _decoded(name)
        if table not in forms or forms[table].checksum is None or table not in names:
            continue
        count = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        if count != rows:
            problems.append(f"{table} has {count} rows, and {rows} are written down")
    return problems


def _has_damaged_version(db: sqlite3.Connection) -> bool:
    """Return whether a file that says it is far newer has a schema that is ours all the same."""
    newest = len(migrations.MIGRATIONS)
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if 0 <= version <= newest + 1:
        return False
    return bool(state_of(read_schema(db)).versions)
