"""Every command over a library with a row made to do harm: a sentence, and nothing worse."""

from __future__ import annotations

import csv
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from main import main
from src.config import LibraryPaths
from src.database.checksums import checked_columns, checksum_sql, register_checksum
from src.database.repair.damaged_rows import damaged_rows
from src.database.row_values import LONGEST_VALUE
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import encode_rle
from src.models.model_manager import ModelManager
from src.settings import Settings
from tests.two_clips import TwoClips

OBJECT = "(SELECT id FROM segments WHERE kind = 'object' ORDER BY id LIMIT 1)"
FRAME = "(SELECT frame_id FROM segments WHERE kind = 'object' ORDER BY id LIMIT 1)"
OF_OBJECT = f"WHERE id = {OBJECT}"
LONG = encode_rle(np.ones((2000, 2000), np.uint8))["counts"]

ROWS: dict[str, tuple[str, tuple[object, ...]]] = {
    "a frame of 200,000 x 200,000": (
        f"UPDATE frames SET width = 200000, height = 200000 WHERE id = {FRAME}",
        (),
    ),
    "a frame of 2^33": (f"UPDATE frames SET width = 8589934592 WHERE id = {FRAME}", ()),
    "a mask longer than its frame": (f"UPDATE segments SET mask = ? {OF_OBJECT}", (LONG,)),
    "random bytes for a mask": (
        f"UPDATE segments SET mask = ? {OF_OBJECT}",
        (np.random.default_rng(0).bytes(300),),
    ),
    "a negative box": (f"UPDATE segments SET x = -50, w = -9 {OF_OBJECT}", ()),
    "text in a number's place": (f"UPDATE segments SET x = 'left', area = 'all' {OF_OBJECT}", ()),
    "text for a frame's number": ("UPDATE frames SET frame_index = 'first'", ()),
    "an infinite quality": (f"UPDATE segments SET predicted_iou = 9e999 {OF_OBJECT}", ()),
    "a formula in a number's place": (
        f"UPDATE segments SET y = '=HYPERLINK(\"http://x\")', h = '@cmd' {OF_OBJECT}",
        (),
    ),
    "a formula for a time": ("UPDATE frames SET timestamp_s = '=1+1'", ()),
    "a blob for a path": ("UPDATE media_files SET path = ?", (b"\xff\xfe\0a",)),
    "a path with a NUL": ("UPDATE media_files SET path = '/a' || char(0) || 'b'", ()),
    "a text that is no UTF-8": ("UPDATE tags SET name = CAST(? AS TEXT) WHERE id = 1", (b"a\xff",)),
    "a number for a tag": ("UPDATE tags SET name = ? WHERE id = 1", (b"\0\1",)),
    "a vector of NaN": (
        "UPDATE embeddings SET vector = ? WHERE id = 2",
        (np.full(512, np.nan, "<f4").tobytes(),),
    ),
    "a mask of 268 MB": (
        f"UPDATE segments SET mask = zeroblob({LONGEST_VALUE + 1}) {OF_OBJECT}",
        (),
    ),
    "info that is no text": ("UPDATE info SET value = x'ff00'", ()),
}
COMMANDS = [
    pytest.param(("stats",), marks=pytest.mark.slow, id="stats"),
    pytest.param(("search", "a red circle"), marks=pytest.mark.slow, id="search"),
    pytest.param(("export", "OUT"), id="export"),
    pytest.param(("verify",), marks=pytest.mark.slow, id="verify"),
    pytest.param(("ingest", "MEDIA"), marks=pytest.mark.slow, id="ingest"),
]


@pytest.fixture(scope="module")
def base(
    tmp_path_factory: pytest.TempPathFactory,
    clip: ClipEncoder,
    mask_generator: MaskGenerator,
    scene_files: list[Path],
) -> Path:
    folder = tmp_path_factory.mktemp("hostile rows")
    media = Path(shutil.copy(scene_files[0], folder / "scene.png"))
    models = TwoClips(clip, mask_generator)
    settings = Settings(clip_model="starter")
    with MediaLibrary(LibraryPaths(folder / "library"), models, settings) as library:
        for _ in library.add([media]):
            pass
        hits = library.metadata.segment_ids()
        library.add_tag(hits[-1], "my own")
    shutil.rmtree(folder / "library" / "backups", ignore_errors=True)
    return folder


@pytest.fixture
def run(
    base: Path,
    tmp_path: Path,
    clip: ClipEncoder,
    mask_generator: MaskGenerator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str]]:
    monkeypatch.setattr(ModelManager, "load_clip", lambda *_: clip)
    monkeypatch.setattr(ModelManager, "load_sam", lambda *_, **__: mask_generator)
    shutil.copytree(base / "library", tmp_path / "library")
    shutil.copyfile(base / "scene.png", tmp_path / "scene.png")
    with closing(sqlite3.connect(tmp_path / "library" / "metadata.db")) as db:
        db.execute("UPDATE media_files SET path = ?", (str(tmp_path / "scene.png"),))
        _seal(db)

    def act(*words: str) -> tuple[int, str]:
        named = {"OUT": str(tmp_path / "out"), "MEDIA": str(tmp_path / "scene.png")}
        start = time.monotonic()
        code = main(
            ["--library", str(tmp_path / "library"), *(named.get(word, word) for word in words)]
        )
        assert time.monotonic() - start < 60
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return code, said.err

    return act


def _seal(db: sqlite3.Connection) -> None:
    """Give every row the checksum of what is in it, as whoever made the library could."""
    register_checksum(db)
    for table in ("media_files", "frames", "segments", "tags", "embeddings", "info"):
        db.execute(f"UPDATE {table} SET checksum = {checksum_sql(checked_columns(db, table))}")
    db.commit()


def put(folder: Path, row: tuple[str, tuple[object, ...]], sealed: bool = True) -> None:
    with closing(sqlite3.connect(folder / "library" / "metadata.db")) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        assert db.execute(*row).rowcount
        db.commit()
        if sealed:
            _seal(db)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_command_meets_a_hostile_row(
    run: Callable[..., tuple[int, str]],
    tmp_path: Path,
    command: tuple[str, ...],
    row: tuple[str, tuple[object, ...]],
) -> None:
    put(tmp_path, row)
    code, said = run(*command)
    assert code == 0 or (code == 1 and "is damaged" in said.strip().splitlines()[-1]), said


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize(
    "sealed",
    [
        pytest.param(True, id="sealed"),
        pytest.param(False, marks=pytest.mark.slow, id="stale"),
    ],
)
def test_a_repair_leaves_nothing_of_it(
    run: Callable[..., tuple[int, str]],
    tmp_path: Path,
    row: tuple[str, tuple[object, ...]],
    sealed: bool,
) -> None:
    put(tmp_path, row, sealed)
    run("verify", "--repair")
    code, said = run("verify", "--repair")
    # a media file whose path is lost has no file any more, and is a problem that stays
    lost_path = "unknown 1: not finished" in said
    assert "Traceback" not in said and code == (1 if lost_path else 0), said
    run("ingest", "MEDIA")
    with closing(sqlite3.connect(tmp_path / "library" / "metadata.db")) as db:
        assert damaged_rows(db) == []
        assert db.execute("SELECT count(*) FROM segments").fetchone()[0] >= 5
        people = "SELECT count(*) FROM segment_tags WHERE source = 'human'"
        assert db.execute(people).fetchone() == (1,)
    code, said = run("export", "OUT")
    assert code == 0, said
    with (tmp_path / "out" / "labels.csv").open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            assert all(line[name].isdecimal() for name in ("frame_index", *"xywh"))
