"""The command that samples a range of a video more finely."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from main import main
from src.config import LibraryPaths
from src.library import MediaLibrary
from tests.conftest import MakeVideo
from tests.processing.test_finer_frames import KEYS
from tests.processing.test_ingest import SETTINGS


@pytest.fixture
def video(paths: LibraryPaths, make_video: MakeVideo) -> Path:
    path = make_video("v.mp4", 2, *KEYS)  # its frames are cut once in a run
    SETTINGS.save(paths.create() or paths.settings)
    with MediaLibrary(paths) as library:
        list(library.add([path]))
    return path


def run(
    capsys: pytest.CaptureFixture[str], paths: LibraryPaths, *words: object
) -> tuple[int, list[str], list[str]]:
    capsys.readouterr()
    try:
        code = main(["--library", str(paths.root), "sample", *map(str, words)])
    except SystemExit as exc:
        code = int(str(exc.code))
    out, err = capsys.readouterr()
    return code, out.splitlines(), err.splitlines()


def test_a_range_is_sampled(
    video: Path, paths: LibraryPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, paths, video, "--from", "0:01", "--to", "0:02", "--fps", 5)
    assert code == 0
    assert err[-1].startswith("4 frames and ") and err[-1].endswith("added to v.mp4.")
    code, out, _ = run(capsys, paths, video, "--fps", 5, "--json")
    events = [json.loads(line) for line in out]
    stored = [event["frame_index"] for event in events if event["event"] == "FrameStored"]
    assert code == 0 and stored == [2, 4, 6, 8]


def test_what_is_wrong_is_said(
    video: Path, paths: LibraryPaths, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for words, code, said in (
        ((video,), 2, "--fps"),
        ((video, "--from", "soon", "--fps", 5), 2, "1:30"),
        ((video, "--from", "2", "--to", "1", "--fps", 5), 1, "begin before it ends"),
        ((tmp_path / "other.mp4", "--fps", 5), 1, "not in the library"),
    ):
        found, _, err = run(capsys, paths, *words)
        assert found == code and said in err[-1], err


def test_without_sam_2_following_a_segment_says_what_to_do(
    video: Path, paths: LibraryPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    def tracks(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        try:
            code = main(["--library", str(paths.root), "tracks", *words])
        except SystemExit as exc:
            code = int(str(exc.code))
        return code, capsys.readouterr().err.splitlines()[-1]

    with MediaLibrary(paths) as library:
        segment = next(s for s in library.metadata.segments_where() if s.kind == "object")
    code, said = tracks("propagate", segment.id, "--from", "0:00", "--to", "0:03")
    assert code == 1 and "models download sam2.1_hiera_tiny" in said
    code, said = tracks("propagate", "nothing")
    assert code == 1 and "there is no segment nothing in the library" in said
    code, said = tracks("propagate")
    assert code == 2 and "name one segment" in said
    code, said = tracks("--from", "0:01")
    assert code == 2 and "propagate" in said
