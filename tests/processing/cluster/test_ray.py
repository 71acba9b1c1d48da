"""Media added by workers on a real Ray cluster of two nodes: the library is the local one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray")

from src import config
from src.config import LibraryPaths
from src.errors import ClusterError
from src.events import ClusterWorkers, Event, FileDone, FileStarted, FrameStored, JobDone
from src.library import MediaLibrary
from src.processing.cluster import client
from src.settings import NO_SAM, Settings
from src.stopping import StoppedError, stopped_by
from tests.chroma_servers import free_port
from tests.remembered_videos import LOSSLESS, draw_video
from tests.two_nodes import TwoNodes, assert_same_library, kill_a_worker

SETTINGS = Settings(points_per_side=10, device="cpu")


@pytest.fixture(scope="module")
def media(scene_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two images, one that is cut off, a file that is none, and a video of three frames."""
    folder = tmp_path_factory.mktemp("media")
    broken = folder / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    cut_off = folder / "cut off.png"
    content = scene_files[2].read_bytes()
    cut_off.write_bytes(content[: len(content) // 2])
    return [*scene_files[:2], broken, cut_off, draw_video(folder / "video.mp4", 3, *LOSSLESS)]


@pytest.fixture(scope="module")
def made_here(media: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that this process makes of them."""
    root = tmp_path_factory.mktemp("local") / "library"
    with MediaLibrary(LibraryPaths(root), settings=SETTINGS) as library:
        list(library.add(media))
    return root


@pytest.fixture(scope="module", autouse=True)
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        file = tmp_path_factory.mktemp("user") / "library.json"
        patch.setattr(config, "_user_file", lambda: file)
        yield


MakeCluster = Callable[..., TwoNodes]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeCluster]:
    """Start a cluster that `auto` finds."""
    started: list[TwoNodes] = []

    def start(head_cores: int = 1, other_cores: int = 1, client_port: int = 0) -> TwoNodes:
        started.append(TwoNodes(head_cores, other_cores, client_port))
        monkeypatch.setenv("RAY_ADDRESS", started[-1].address)
        return started[-1]

    yield start
    for each in started:
        each.close()


def add(
    root: Path,
    media: list[Path],
    where: str,
    see: Callable[[Event], None] = lambda event: None,
    roots: tuple[str, ...] = (),
    settings: Settings = SETTINGS,
) -> list[Event]:
    """Add media on a cluster, and let somebody see each event."""
    events = []
    with MediaLibrary(LibraryPaths(root), settings=settings) as library:
        library.use_cluster(where, roots)
        for event in library.add(media):
            events.append(event)
            see(event)
    return events


def once(kind: type[Event], act: Callable[[], object]) -> Callable[[Event], None]:
    """Act with the first event of a kind."""
    acted = threading.Event()

    def see(event: Event) -> None:
        if isinstance(event, kind) and not acted.is_set():
            acted.set()
            act()

    return see


def test_the_library_is_the_local_one_though_a_worker_is_killed(
    cluster: MakeCluster, media: list[Path], made_here: Path, tmp_path: Path
) -> None:
    cluster()
    events = add(tmp_path / "library", media, "auto", once(FileStarted, kill_a_worker))
    assert_same_library(tmp_path / "library", made_here)
    (done,) = [event for event in events if isinstance(event, JobDone)]
    assert "broken.jpg" in [failed.path.name for failed in done.failed]
    workers = [event for event in events if isinstance(event, ClusterWorkers)]
    assert workers and {*workers[0].devices} == {"cpu"}


def test_a_video_is_read_by_several_workers_though_one_is_killed_in_the_middle_of_it(
    cluster: MakeCluster, tmp_path: Path
) -> None:
    video = [draw_video(tmp_path / "video.mp4", 200, "-c:v", "libx264", "-g", "20")]
    few = Settings(sam_model=NO_SAM, device="cpu")
    with MediaLibrary(LibraryPaths(tmp_path / "here"), settings=few) as library:
        list(library.add(video))
    cluster()
    see = once(FrameStored, kill_a_worker)
    events = add(tmp_path / "library", video, "auto", see, settings=few)
    assert_same_library(tmp_path / "library", tmp_path / "here")
    # none was sent as pixels, one after the other: each answer is of several
    told = [event.done for event in events if isinstance(event, ClusterWorkers)]
    assert any(each >= 32 for done in told for each in done)


@pytest.mark.slow
@pytest.mark.parametrize(("head_cores", "other_cores"), [(1, 0), (1, 1), (8, 8)])
def test_one_worker_and_two_and_four_make_the_local_library(
    cluster: MakeCluster,
    media: list[Path],
    made_here: Path,
    tmp_path: Path,
    head_cores: int,
    other_cores: int,
) -> None:
    cluster(head_cores, other_cores)
    events = add(tmp_path / "library", media, "auto")
    assert_same_library(tmp_path / "library", made_here)
    last = [event for event in events if isinstance(event, ClusterWorkers)][-1]
    assert sum(last.done) >= len([path for path in media if path.suffix == ".png"])


@pytest.mark.slow
def test_a_cluster_that_is_started_here_leaves_nothing(
    media: list[Path], made_here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []

    def folder() -> str:
        folders.append(Path(_ray_folder()))
        return str(folders[-1])

    _ray_folder = client._ray_folder
    monkeypatch.setattr(client, "_ray_folder", folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    add(tmp_path / "library", media, "local")
    assert_same_library(tmp_path / "library", made_here)
    assert not (tmp_path / ".ray").exists()  # no token, which would be asked for from then on
    left = threading.Event()
    while folders[0].exists():
        left.wait(0.1)


@pytest.mark.slow
def test_what_a_cluster_is_made_of(cluster: MakeCluster) -> None:
    port = free_port()
    cluster(3, 2, client_port=port)
    for address in ("auto", f"ray://127.0.0.1:{port}"):
        said = MediaLibrary.test_cluster(address)
        assert said.startswith("2 machines answer, with 5 cores (Ray "), address


@pytest.mark.slow
def test_a_cluster_elsewhere_that_has_to_be_sent_the_files(
    cluster: MakeCluster, media: list[Path], made_here: Path, tmp_path: Path
) -> None:
    port = free_port()
    cluster(client_port=port)
    roots = tuple(f"{folder}=/nowhere/there" for folder in {file.parent for file in media})
    add(tmp_path / "library", media, f"ray://127.0.0.1:{port}", roots=roots)
    assert_same_library(tmp_path / "library", made_here)


@pytest.mark.slow
def test_a_node_that_is_removed(
    cluster: MakeCluster, media: list[Path], made_here: Path, tmp_path: Path
) -> None:
    nodes = cluster()
    add(
        tmp_path / "library",
        media,
        "auto",
        once(FrameStored, lambda: nodes.remove(nodes.other)),
    )
    assert_same_library(tmp_path / "library", made_here)


@pytest.mark.slow
def test_without_the_cluster_the_job_ends_with_a_sentence_and_the_next_run_goes_on(
    cluster: MakeCluster, media: list[Path], made_here: Path, tmp_path: Path
) -> None:
    nodes = cluster()
    seen: list[Event] = []

    def see(event: Event) -> None:
        seen.append(event)
        if isinstance(event, FileDone) and sum(isinstance(e, FileDone) for e in seen) == 1:
            nodes.kill()

    with pytest.raises(ClusterError, match=r"can't go on: .*the next add goes on with the rest"):
        add(tmp_path / "library", media, "auto", see)
    with MediaLibrary(LibraryPaths(tmp_path / "library"), settings=SETTINGS) as library:
        list(library.add(media))
    assert_same_library(tmp_path / "library", made_here)


@pytest.mark.slow
def test_a_stopped_job_goes_on(
    cluster: MakeCluster, media: list[Path], made_here: Path, tmp_path: Path
) -> None:
    cluster()
    stopped = threading.Event()
    with pytest.raises(StoppedError), stopped_by(lambda: not stopped.is_set()):
        add(tmp_path / "library", media, "auto", once(FrameStored, stopped.set))
    add(tmp_path / "library", media, "auto")
    assert_same_library(tmp_path / "library", made_here)
