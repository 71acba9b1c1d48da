"""Fetching a model from a local server that behaves, and from ones that do not."""

from __future__ import annotations

import hashlib
import io
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from src.errors import DownloadError
from src.events import Downloading, Event, ModelFetched, Progress
from src.models.download import WAITING, Download, _Redirects
from src.models.model_manager import ModelManager
from src.models.model_registry import MIRROR, MODEL_REGISTRY, RegistryEntry, entry
from src.models.sam2.weights import SIZES
from tests.models.sam2.random_weights import sketch
from tests.web_server import Server


@pytest.fixture(scope="module")
def weights() -> bytes:
    """A small file in the format of weights."""
    return save({"weight": torch.arange(600_000, dtype=torch.float32)})


@pytest.fixture
def server(weights: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server.running(weights) as running:
        yield running


class AnyWeights(RegistryEntry):
    """An entry of no architecture, so that the transport is tested with a small file."""

    def check(self, path: Path) -> None:
        assert path.name.endswith(".part")


def small(server: Server, sha256: str | None = "right", size: int | None = -1) -> RegistryEntry:
    content = server.content
    return AnyWeights(
        "clip",
        "small",
        "tests",
        "small.safetensors",
        "none",
        server.address,
        "MIT",
        len(content) if size == -1 else size,
        hashlib.sha256(content).hexdigest() if sha256 == "right" else sha256,
    )


def fetch(what: RegistryEntry, folder: Path) -> list[Any]:
    return list(Download(what, folder, pauses_s=(0, 0, 0)).run())


def refused(what: RegistryEntry, folder: Path, sentence: str, keeps: bool = False) -> None:
    with pytest.raises(DownloadError, match=sentence):
        fetch(what, folder)
    assert not (folder / what.file_name).exists()
    assert (folder / f"{what.file_name}.part").exists() == keeps
    assert ModelManager(folder).available() == []


def test_a_model_arrives_whole(server: Server, tmp_path: Path) -> None:
    events = fetch(small(server), tmp_path)
    assert events[-1] == ModelFetched("small", tmp_path / "small.safetensors")
    last = [event for event in events if isinstance(event, Downloading)][-1]
    assert last.done_bytes == last.total_bytes == len(server.content)
    assert last.bytes_per_s > 0 and last.seconds_left == 0
    assert [path.name for path in tmp_path.iterdir()] == ["small.safetensors"]
    assert (tmp_path / "small.safetensors").read_bytes() == server.content


@pytest.mark.parametrize("how", ["reset", "hangs up"])
def test_breaks_are_gone_on_from(server: Server, tmp_path: Path, how: str) -> None:
    server.misdeed, server.resets = how, 2
    fetch(small(server), tmp_path)
    assert (tmp_path / "small.safetensors").read_bytes() == server.content
    assert len(server.asked) == 3
    if how == "hangs up":
        assert all("Range" in asked for asked in server.asked[1:])


def test_a_server_that_never_recovers(server: Server, tmp_path: Path) -> None:
    server.misdeed = "503"
    refused(small(server), tmp_path, "keeps breaking off")
    assert len(server.asked) == 3


def first_of(job: Iterator[Event]) -> Downloading:
    """Go on until something has come."""
    return next(event for event in job if isinstance(event, Downloading))


def test_cancelling_keeps_what_has_come(server: Server, tmp_path: Path) -> None:
    job = Download(small(server), tmp_path).run()
    first = first_of(job)
    assert first.done_bytes < first.total_bytes
    job.close()
    assert ModelManager(tmp_path).available() == []
    assert (tmp_path / "small.safetensors.part").stat().st_size == first.done_bytes
    fetch(small(server), tmp_path)
    assert server.asked[-1]["Range"] == f"bytes={first.done_bytes}-"
    assert (tmp_path / "small.safetensors").read_bytes() == server.content


def test_a_server_that_falls_silent_can_be_left_at_once(server: Server, tmp_path: Path) -> None:
    server.misdeed = "falls silent"
    job = Download(small(server), tmp_path).run()
    quarter = len(server.content) // 4
    while first_of(job).done_bytes < quarter:
        pass
    assert first_of(job).done_bytes == quarter  # the server says nothing, and still we hear
    job.close()
    server.goes_on.set()
    assert (tmp_path / "small.safetensors.part").stat().st_size == quarter
    server.misdeed = ""
    fetch(small(server), tmp_path)
    assert server.asked[-1]["Range"] == f"bytes={quarter}-"


def test_a_server_that_does_not_answer_can_be_left_at_once(server: Server, tmp_path: Path) -> None:
    server.misdeed = "no answer"
    job = Download(small(server), tmp_path).run()
    assert [next(job) for _ in range(3)] == [WAITING] * 3
    job.close()
    server.goes_on.set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", ["ignores range", "another version", "no tag"])
def test_what_can_not_be_gone_on_from_starts_anew(
    server: Server, tmp_path: Path, change: str
) -> None:
    (tmp_path / "small.safetensors.part").write_bytes(b"old" * 1000)
    if change != "no tag":
        (tmp_path / "small.safetensors.part.tag").write_text(server.tag)
    server.misdeed = change
    if change == "another version":
        server.tag = '"two"'
    fetch(small(server), tmp_path)
    assert (tmp_path / "small.safetensors").read_bytes() == server.content


@pytest.mark.parametrize("announced", [False, True])
def test_stopped_while_it_is_checked_nothing_comes_twice(
    server: Server, tmp_path: Path, announced: bool
) -> None:
    if announced:
        server.announced = hashlib.sha256(server.content).hexdigest()
    job = Download(small(server, sha256=None, size=None), tmp_path).run()
    assert any(isinstance(event, Progress) and event.doing == "check" for event in job)
    job.close()
    events = fetch(small(server, sha256=None, size=None), tmp_path)
    assert not any(isinstance(event, Downloading) for event in events)
    assert (tmp_path / "small.safetensors").read_bytes() == server.content


def test_a_whole_file_that_is_another_is_deleted(server: Server, tmp_path: Path) -> None:
    (tmp_path / "small.safetensors.part").write_bytes(b"?" * len(server.content))
    (tmp_path / "small.safetensors.part.tag").write_text(server.tag)
    server.announced = hashlib.sha256(server.content).hexdigest()
    refused(small(server, sha256=None, size=None), tmp_path, "SHA-256")


def test_a_wrong_checksum_is_deleted(server: Server, tmp_path: Path) -> None:
    refused(small(server, sha256="0" * 64), tmp_path, "SHA-256")


def test_the_sha256_announced_on_the_way_counts(server: Server, tmp_path: Path) -> None:
    server.announced = "f" * 64
    refused(small(server, sha256=None, size=None), tmp_path, "SHA-256")
    server.announced = hashlib.sha256(server.content).hexdigest()
    fetch(small(server, sha256=None, size=None), tmp_path)


def test_another_models_weights_are_deleted(server: Server, tmp_path: Path) -> None:
    openai = replace(entry("ViT-B-32-openai"), address=server.address)
    refused(openai, tmp_path, "not the weights of a CLIP")


@pytest.mark.parametrize(
    ("misdeed", "sentence"),
    [
        ("404", "no longer there; get it elsewhere"),
        ("403", "refused"),
        ("html", "web page .* log in"),
    ],
)
def test_what_is_no_model(server: Server, tmp_path: Path, misdeed: str, sentence: str) -> None:
    server.misdeed = misdeed
    refused(small(server), tmp_path, sentence)
    assert len(server.asked) == 1


def test_sizes_are_held_to(server: Server, tmp_path: Path) -> None:
    refused(small(server, size=17), tmp_path, "the right file has 17")
    server.misdeed = "no length"
    refused(small(server, size=None), tmp_path, "how large")
    server.misdeed = "sends more"
    fetch(small(server), tmp_path)
    assert (tmp_path / "small.safetensors").read_bytes() == server.content


def test_offline(tmp_path: Path, server: Server) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    closed = replace(small(server), address=f"http://127.0.0.1:{port}/model")
    refused(closed, tmp_path, "can't be reached .* yourself")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device always full is Linux's")
def test_a_full_disk_while_writing(server: Server, tmp_path: Path) -> None:
    job = Download(small(server), tmp_path)
    job.part = tmp_path / "full" / "small.safetensors.part"
    job.part.parent.mkdir()
    job._drop = lambda: job.part.symlink_to("/dev/full")  # type: ignore[method-assign]
    with pytest.raises(DownloadError, match="disk is full"):
        list(job.run())
    assert not (tmp_path / "small.safetensors").exists()


def test_disk_space_is_asked_first(server: Server, tmp_path: Path) -> None:
    server.misdeed = "claims much"
    refused(small(server, size=None), tmp_path, "10,000,000.0 GB .* make room")


def test_a_redirect_out_of_https_is_refused() -> None:
    with pytest.raises(DownloadError, match="not encrypted"):
        _Redirects().redirect_request(
            urllib.request.Request("https://a.example/model"),
            io.BytesIO(),
            302,
            "Found",
            Message(),
            "http://b.example/model",
        )


def test_a_proxy_of_the_environment_is_used(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    fetch(replace(small(server), address="http://models.invalid/model"), tmp_path)
    assert server.asked[0]["Host"] == "models.invalid"


def test_a_mirror_has_the_files_under_their_own_names(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRROR, server.address + "/")
    fetch(replace(small(server), address="http://models.invalid/elsewhere"), tmp_path)
    assert server.paths == ["/model/small.safetensors"]
    server.misdeed = "404"
    refused(
        small(server), tmp_path / "other", f"{server.address}/small.safetensors: the file is no"
    )


def test_the_catalogue_is_what_the_manager_finds(tmp_path: Path) -> None:
    for known in MODEL_REGISTRY:
        (tmp_path / known.file_name).write_bytes(b"x")
        for size in (size for size in SIZES if size.name == known.architecture):
            torch.save({"model": sketch(size)}, tmp_path / known.file_name)  # told by what it holds
        (tmp_path / f"{known.file_name}.part").write_bytes(b"x")
        assert known.address.startswith("https://")
    found = {(file.kind, file.path.name) for file in ModelManager(tmp_path).available()}
    assert found == {(known.kind, known.file_name) for known in MODEL_REGISTRY}
