"""No file, however made, crashes the application, hangs it, or makes it look elsewhere.

The long version is HOSTILE_MINUTES=60 python -m pytest -m slow -s on this file, with HOSTILE_SEED
for another corpus. What crashes or hangs a decoder is left in the folder that is printed.
"""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.errors import MediaReadError
from src.events import FileDone, FileFailed, JobDone
from src.library import MediaLibrary
from src.processing.decoder_process import DECODERS, MOST
from src.processing.ffmpeg_log import VideoFacts
from src.processing.frames import read_frames
from src.processing.image_loader import media_kind
from src.processing.media_finder import find_media
from src.settings import Settings
from tests.processing import hostile
from tests.processing.test_ingest import shared_models  # noqa: F401 (a fixture)

SETTINGS = Settings(points_per_side=4, duplicate_distance=-1)
# One file's limit with room for a busy machine: a hang shows as the reason, not as a time.
HANG = "took more than", "stopped responding"
CRASH = "the decoder crashed", "the decoder stopped"


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return hostile.real_videos(tmp_path_factory.mktemp("real"))


def read(path: Path) -> str:
    """Read a file as ingest does; returns why it can't be read, or "read"."""
    facts = VideoFacts()
    try:
        with closing(read_frames(path, media_kind(path), SETTINGS, facts)) as frames:
            for frame in itertools.islice(frames, 100):
                assert frame.image_rgb.dtype == np.uint8 and frame.image_rgb.ndim == 3
    except MediaReadError as exc:
        assert exc.reason
        return exc.reason
    return "read in part" if facts.damage else "read"


def holding(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
    }


def read_all(files: Iterator[tuple[str, bytes]], folder: Path) -> Counter[str]:
    """Read files one by one; what crashes or hangs a decoder is kept and named."""
    outcomes: Counter[str] = Counter()
    for name, content in files:
        path = folder / name
        path.write_bytes(content)
        before = holding(folder)
        started = time.monotonic()
        outcome = read(path)
        taken_s = time.monotonic() - started
        assert holding(folder) == before, f"reading {name} wrote something"
        assert DECODERS._room._value == MOST, f"{name} keeps a decoder"  # type: ignore[attr-defined]
        sort = outcome if outcome.startswith("read") else "refused"
        if any(word in outcome for word in CRASH):
            sort = "crashed a decoder"
        elif any(word in outcome for word in HANG):
            sort = "hung a decoder"
        outcomes[f"{path.suffix[1:]} {sort}"] += 1
        if sort in ("crashed a decoder", "hung a decoder") or taken_s > 20:
            print(f"{path}: {outcome} ({taken_s:.1f} s)", flush=True)
        else:
            path.unlink()
    return outcomes


def test_mutated_images_cost_no_more_than_themselves(tmp_path: Path) -> None:
    outcomes = read_all(hostile.mutations(hostile.real_images(), 1, 1500), tmp_path)
    assert outcomes.total() == 1500
    assert sum(count for what, count in outcomes.items() if "refused" in what) > 300


def test_mutated_videos_cost_no_more_than_themselves(
    tmp_path: Path, videos: dict[str, bytes]
) -> None:
    outcomes = read_all(hostile.mutations(videos, 1, 150), tmp_path)
    assert outcomes.total() == 150


@pytest.mark.slow
def test_mutations_for_as_long_as_there_is_time(tmp_path: Path, videos: dict[str, bytes]) -> None:
    until = time.monotonic() + 60 * float(os.environ.get("HOSTILE_MINUTES", "10"))
    seed = int(os.environ.get("HOSTILE_SEED", "0"))
    images = hostile.mutations(hostile.real_images(), seed)
    films = hostile.mutations(videos, seed)
    # a video takes about twenty times as long as an image
    files = (
        file
        for twenty in iter(lambda: [*itertools.islice(images, 20), next(films)], [])
        for file in twenty
    )
    in_time = itertools.takewhile(lambda _: time.monotonic() < until, files)
    outcomes = read_all(in_time, tmp_path)
    for what, count in sorted(outcomes.items()):
        print(f"{what:28} {count:7}")
    print(f"{'all':28} {outcomes.total():7}")


def test_bombs_are_refused_or_read_as_what_is_seen_of_them(tmp_path: Path) -> None:
    outcomes = {}
    for name, content in hostile.bombs().items():
        (tmp_path / name).write_bytes(content)
        outcomes[name] = read(tmp_path / name)
    assert not [name for name, said in outcomes.items() if any(w in said for w in CRASH + HANG)]
    read_ones = {name for name, said in outcomes.items() if said == "read"}
    many = {"frames.gif", "frames.png", "pages.tif", "round.tif", "markers.jpg"}
    assert many <= read_ones <= many | {"profile.png", "notes.png"}
    for name in (
        "pixels.png",
        "pixels.bmp",
        "pixels.tif",
        "pixels.gif",
        "pixels.jpg",
        "inside.ico",
    ):
        assert "more than the limit" in outcomes[name], outcomes[name]


def test_headers_that_lie_about_durations_cost_no_more_than_their_frames(
    tmp_path: Path, videos: dict[str, bytes]
) -> None:
    for name, content in hostile.durations(videos).items():
        (tmp_path / name).write_bytes(content)
        assert not any(word in read(tmp_path / name) for word in CRASH + HANG), name


def test_what_points_elsewhere_leads_nowhere(tmp_path: Path, videos: dict[str, bytes]) -> None:
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    elsewhere.mkdir()
    here.mkdir()
    secret = elsewhere / "secret.mp4"
    secret.write_bytes(videos["mp4"])
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"

        def listen() -> None:
            """Hang up on whoever calls, until it is the test itself."""
            last: object = None
            while last != ours.getsockname():
                caller, last = server.accept()
                caller.close()
                calls.append(last)

        with socket.socket() as ours:
            ours.bind(("127.0.0.1", 0))
            listener = threading.Thread(target=listen, daemon=True)
            listener.start()
            outcomes = {}
            for name, content in hostile.pointers(secret, address, videos).items():
                (here / name).write_bytes(content)
                outcomes[name] = read(here / name)
            ours.connect(server.getsockname())  # so that it is known that the listener hears
            listener.join()
    assert len(calls) == 1
    assert not {name: said for name, said in outcomes.items() if said.startswith("read")}


def test_odd_names_are_only_names(tmp_path: Path) -> None:
    whole = hostile.png(8, 8, bytes(8 * 25))
    for number, name in enumerate(hostile.ODD_NAMES):
        folder = tmp_path / str(number)
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(whole)
        assert read(path) == "read", name
    invalid = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.png"))
    invalid.write_bytes(whole)
    assert read(invalid) == "read"


def test_links_that_go_round_or_nowhere_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nothing.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "process.png").symlink_to("/proc/self/mem")
    assert len(find_media([tmp_path])) == 4
    for name, reason in (
        ("self.png", "can't be read"),
        ("dangling.png", "leads to no file"),
        ("device.png", "not a file"),
    ):
        with pytest.raises(MediaReadError, match=reason):
            media_kind(tmp_path / name)
    assert read(tmp_path / "process.png") != "read"


def test_the_rest_of_the_batch_is_ingested_and_each_reason_kept(
    tmp_path: Path,
    paths: LibraryPaths,
    shared_models: object,  # noqa: F811
    videos: dict[str, bytes],
) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for number in range(4):
        noise = rng.integers(0, 255, (48, 64, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"good {number}{number}.png")
    (folder / "good.mp4").write_bytes(videos["mp4"])
    bad = {
        "0 bomb.png": hostile.bombs()["pixels.png"],
        "1 cut.jpg": hostile.real_images()["jpg"][:700],
        "good 11 hls.mp4": b"#EXTM3U\n#EXTINF:2,\ngood.mp4\n#EXT-X-ENDLIST\n",
        "good 22 text.png": b"%!PS-Adobe-3.0 EPSF-3.0\n",
        "z cut.mp4": videos["mp4"][:1500],
    }
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    with MediaLibrary(paths, shared_models, SETTINGS) as library:  # type: ignore[arg-type]
        events = list(library.add([folder]))
        failed = {
            event.path.name: event.reason for event in events if isinstance(event, FileFailed)
        }
        done = {event.path.name for event in events if isinstance(event, FileDone)}
        kept = {media.path.name: media.error for media in library.metadata.all_media("failed")}
    assert isinstance(events[-1], JobDone)
    assert failed.keys() == bad.keys() and kept == failed and all(failed.values())
    assert done == {path.name for path in folder.iterdir()} - bad.keys()
