"""A cluster that a library names, and what is said where it can't be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from src import config
from src.cli.report import ProgressLine
from src.config import LibraryPaths
from src.errors import ClusterError, QueryError
from src.events import ClusterWorkers, FileDone, ReadHere
from src.library import MediaLibrary
from src.settings import Settings


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "_user_file", lambda: tmp_path / "user" / "library.json")


def test_a_library_of_a_stranger_uses_no_cluster_of_its_own(
    tmp_path: Path, scene_files: list[Path]
) -> None:
    root = tmp_path / "library"
    root.mkdir()
    Settings(cluster="ray://stranger:10001", points_per_side=4).save(root / "settings.json")
    with MediaLibrary(LibraryPaths(root)) as library:
        assert not library.uses_cluster
        (problem,) = library.settings_problems
        assert "ingest --ray ray://stranger:10001" in problem
        events = list(library.add(scene_files[:1]))
        library.use_cluster("ray://stranger:10001")
        assert library.uses_cluster and not library.settings_problems
    assert [type(event) for event in events].count(FileDone) == 1


def test_another_user_has_to_name_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with MediaLibrary(LibraryPaths(tmp_path / "library")) as library:
        library.use_cluster("auto", ["/mnt/a=/data/a"])
    monkeypatch.setattr(config, "_user_file", lambda: tmp_path / "other" / "library.json")
    with MediaLibrary(LibraryPaths(tmp_path / "library")) as library:
        assert library.settings.cluster == "auto" and not library.uses_cluster
        assert library.settings.cluster_roots == ("/mnt/a=/data/a",)


@pytest.mark.parametrize(
    ("address", "roots"), [("studio", ()), ("auto", ("/mnt",)), ("auto", ("a=b",))]
)
def test_what_can_not_be_is_refused_and_nothing_is_kept(
    tmp_path: Path, address: str, roots: tuple[str, ...]
) -> None:
    with MediaLibrary(LibraryPaths(tmp_path / "library")) as library:
        with pytest.raises(QueryError):
            library.use_cluster(address, roots)
        assert library.settings.cluster is None and not library.uses_cluster


@pytest.mark.skipif(os.name != "posix", reason="a module of this name stands in Ray's place")
def test_without_ray_a_sentence_says_what_to_install(
    tmp_path: Path, scene_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with MediaLibrary(LibraryPaths(tmp_path / "library")) as library:
        library.use_cluster("local")
        with pytest.raises(ClusterError, match=r"pip install -r requirements-cluster\.txt"):
            list(library.add(scene_files))


def test_how_many_workers_there_are_is_said() -> None:
    two = ClusterWorkers(("studio", "studio", "attic"), ("cuda", "cuda", "cpu"), (1, 2, 3))
    assert str(two) == "3 workers on 2 machines (1 × cpu, 2 × cuda)"
    none = ClusterWorkers((), (), wait_s=120)
    assert str(none) == "0 workers; waiting for one, 120 s at most"
    none = ClusterWorkers((), (), problem="b has no torch")
    assert str(none) == "0 workers; waiting for one: b has no torch"


def test_the_command_line_says_who_works_and_what_is_read_here(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = ProgressLine()
    for event in (
        ClusterWorkers(("a",), ("cpu",), (1,)),
        ClusterWorkers(("a",), ("cpu",), (2,)),
        ClusterWorkers((), (), wait_s=120),
        ReadHere(Path("/film.mp4"), "its keyframes lie too far apart"),
    ):
        line.show(event)
    assert capsys.readouterr().err.splitlines() == [
        "1 worker on 1 machine (1 × cpu)",
        "0 workers; waiting for one, 120 s at most",
        "/film.mp4: read on this machine: its keyframes lie too far apart",
    ]
