"""The table of models, and the speed that is measured."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from pathlib import Path

import pytest

from src.config import STARTER_FOLDER
from src.errors import CheckpointError
from src.models import model_registry, model_service, network
from src.models.model_manager import ModelManager
from src.models.model_service import ModelService
from src.models.model_table import SPEEDS_FILE


def test_a_measured_speed_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "starter").symlink_to(STARTER_FOLDER)
    service = ModelService(ModelManager(tmp_path, device="cpu"))
    assert service.folder == tmp_path
    clip = next(row for row in service.rows() if row.name == "starter CLIP")
    assert clip.speed is None and clip.in_use and clip.state == "bundled"
    speed = service.measure(clip).speed
    assert speed is not None and speed > 0
    assert next(r for r in service.rows() if r.name == "starter CLIP").speed == speed
    (tmp_path / SPEEDS_FILE).write_text("not json")
    assert all(row.speed is None for row in service.rows())
    (tmp_path / SPEEDS_FILE).unlink()
    (tmp_path / SPEEDS_FILE).mkdir()  # where nothing can be written
    with pytest.raises(CheckpointError, match=r"can't be kept .* can be written to"):
        service.measure(clip)


@pytest.mark.parametrize("name", ["starter CLIP", "starter SAM"])
def test_a_measurement_stops_within_a_layer(name: str, tmp_path: Path) -> None:
    (tmp_path / "starter").symlink_to(STARTER_FOLDER)
    service = ModelService(ModelManager(tmp_path, device="cpu"))
    row = next(row for row in service.rows() if row.name == name)
    asked: list[bool] = []

    def go_on() -> bool:
        asked.append(len(asked) < 5)
        return asked[-1]

    assert service.measure(row, go_on) == row
    assert asked == [True] * 5 + [False]
    assert not (tmp_path / SPEEDS_FILE).exists()


def test_what_has_come_of_a_download_is_known(tmp_path: Path) -> None:
    (tmp_path / "starter").symlink_to(STARTER_FOLDER)
    (tmp_path / f"{model_registry.entry('vit_b').file_name}.part").write_bytes(b"the first")
    rows = {row.name: row for row in ModelService(ModelManager(tmp_path, device="cpu")).rows()}
    assert (rows["vit_b"].part_bytes, rows["vit_b"].state) == (9, "can be downloaded")
    assert rows["vit_h"].part_bytes == 0


def test_what_is_chosen_is_in_use_and_own_weights_have_their_own_names(tmp_path: Path) -> None:
    (tmp_path / "starter").symlink_to(STARTER_FOLDER)
    known = model_registry.entry("vit_b").file_name
    for name in (known, "mine/open_clip_pytorch_model.bin", "yours/open_clip_pytorch_model.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())

    def in_use(**choices: str) -> dict[str, str | None]:
        rows = ModelService(ModelManager(tmp_path, device="cpu", **choices)).rows()  # type: ignore[arg-type]
        assert {row.name: row.choice for row in rows if row.path} == {
            "mine/open_clip_pytorch_model.bin": "mine/open_clip_pytorch_model.bin",
            "yours/open_clip_pytorch_model.bin": "yours/open_clip_pytorch_model.bin",
            "vit_b": known,
            "starter CLIP": "starter",
            "starter SAM": "starter",
        }
        return {row.kind: row.choice for row in rows if row.in_use}

    mine = "mine/open_clip_pytorch_model.bin"
    assert in_use() == {"clip": mine, "sam": known}
    assert in_use(clip_model="starter") == {"clip": "starter", "sam": known}
    yours = "yours/open_clip_pytorch_model.bin"
    assert in_use(clip_model=yours, sam_model="starter") == {"clip": yours, "sam": "starter"}
    assert in_use(sam_model="none") == {"clip": mine}
    # once loaded, what is in use is what could be loaded
    manager = ModelManager(tmp_path, device="cpu")
    manager.load_clip(), manager.load_sam()
    assert {row.kind: row.choice for row in ModelService(manager).rows() if row.in_use} == {
        "clip": "starter",
        "sam": "starter",
    }


def test_a_copy_of_the_starter_models_elsewhere_is_no_other_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "starter").symlink_to(STARTER_FOLDER)
    monkeypatch.setattr("src.models.model_manager.MODELS_FOLDER", tmp_path)
    here = [row for row in ModelService(ModelManager(tmp_path, device="cpu")).rows() if row.path]
    assert [(row.name, row.in_use) for row in here] == [
        ("starter CLIP", True),
        ("starter SAM", True),
    ]


def test_larger_models_are_offered_to_who_has_none_and_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "starter").symlink_to(STARTER_FOLDER)
    here = ModelService(ModelManager(tmp_path, device="cpu"))
    monkeypatch.setattr(model_service, "has_route", lambda address: False)
    assert here.offer() is None
    monkeypatch.setattr(model_service, "has_route", lambda address: True)
    offer = here.offer()
    assert offer is not None and offer.names[0] == model_service.OFFERED_CLIP
    entries = [model_registry.entry(name) for name in offer.names]
    assert {entry.kind for entry in entries} == {"clip", "sam"}
    assert offer.bytes == sum(entry.about for entry in entries)
    assert [
        f"https://{host}/" in entry.address + "/"
        for host, entry in zip(offer.hosts, entries, strict=True)
    ] == [True, True]
    monkeypatch.setenv(model_registry.MIRROR, "http://files.example:8080/models")
    offer = here.offer()
    assert offer is not None and offer.hosts == ("files.example",)
    (tmp_path / entries[1].file_name).write_bytes(b"weights")
    assert here.offer() is None


@pytest.mark.parametrize("installed", [True, False])
def test_sam_2_is_the_first_offer_where_its_package_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    (tmp_path / "starter").symlink_to(STARTER_FOLDER)
    here = ModelService(ModelManager(tmp_path, device="cpu"))
    monkeypatch.setattr(model_service, "has_route", lambda address: True)
    monkeypatch.setattr("src.models.sam2.building.is_installed", lambda: installed)
    offer = here.offer()
    assert offer is not None
    assert offer.names[1] == ("sam2.1_hiera_tiny" if installed else "vit_b")
    rows = [row for row in here.rows() if row.kind == "sam" and row.path is None]
    metas = [row for row in rows if row.name.startswith("sam2.1")]
    assert len(metas) == 4 and rows[0].name == offer.names[1]
    lacking = ["needs the package sam2" in row.purpose for row in metas]
    assert lacking == [not installed] * 4


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's tables of routes")
def test_a_network_is_a_route_to_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    four, six = tmp_path / "route", tmp_path / "ipv6_route"
    monkeypatch.setattr(network, "_ROUTES_4", four)
    monkeypatch.setattr(network, "_ROUTES_6", six)
    head = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    near = "eth0 0000A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"
    out = "eth0 00000000 0100A8C0 0003 0 0 0 00000000 0 0 0\n"
    none, some = "0" * 32, "fe80" + "0" * 28
    six_out = f"{none} 00 {none} 00 {some} 00000400 1 0 00000003 eth0\n"
    six_lo = f"{none} 00 {none} 00 {none} ffffffff 1 0 00200200 lo\n"
    address = "https://models.example/weights"
    assert not network.has_route(address)  # there are no tables
    assert network.has_route("http://localhost:8000/") and network.has_route("http://127.0.0.1/")
    for content_4, content_6, expected in (
        (head, "", False),
        (head + near, six_lo, False),
        (head + near + out, six_lo, True),
        (head, six_lo + six_out, True),
    ):
        four.write_text(content_4)
        six.write_text(content_6)
        assert network.has_route(address) is expected


def test_a_file_under_metas_name_that_is_not_metas_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "starter").symlink_to(STARTER_FOLDER)
    content = b"what Meta has published"
    known = dataclasses.replace(
        model_registry.entry("vit_b"), size=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    monkeypatch.setattr("src.models.model_table.MODEL_REGISTRY", (known,))
    file = tmp_path / known.file_name

    def seen() -> tuple[str, str | None]:
        rows = ModelService(ModelManager(tmp_path, device="cpu")).rows()
        (row,) = (row for row in rows if row.name == "vit_b")
        return row.purpose, row.licence

    for other in (content[::-1], content + b"!"):
        file.write_bytes(other)
        assert seen() == ("segments; not Meta's file", None)
    file.write_bytes(content)
    assert seen() == (known.purpose, "Apache-2.0")
    # the second look reads no gigabytes
    monkeypatch.setattr("hashlib.file_digest", None)
    assert seen() == (known.purpose, "Apache-2.0")


def test_what_the_bundled_models_know_is_in_the_table(tmp_path: Path) -> None:
    (tmp_path / "starter").symlink_to(STARTER_FOLDER)
    rows = ModelService(ModelManager(tmp_path, device="cpu")).rows()
    (clip,) = (row for row in rows if row.kind == "clip" and row.state == "bundled")
    assert "colours, shapes and textures only" in clip.purpose
