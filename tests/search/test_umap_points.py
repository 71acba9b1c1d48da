"""The layout by UMAP, with a small package in the place of the real one."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.errors import MediaLibraryError
from src.search import umap_server
from src.search.segment_map import SegmentMaps
from src.search.umap_points import is_installed, umap_points
from src.stopping import StoppedError, stopped_by
from tests import fake_umap
from tests.conftest import MODEL, add_media_with, unit_vectors


@pytest.fixture
def umap_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    folder = fake_umap.install(tmp_path / "packages")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    return monkeypatch


@pytest.mark.usefixtures("umap_there")
def test_embeddings_are_placed_by_another_process() -> None:
    assert is_installed()
    matrix = unit_vectors(40)
    np.testing.assert_array_equal(umap_points(matrix), matrix[:, :2])
    assert "umap" not in sys.modules


def test_what_can_not_be_is_said(umap_there: pytest.MonkeyPatch) -> None:
    umap_there.setenv("FAKE_UMAP", "fails")
    with pytest.raises(MediaLibraryError, match="failed: no neighbours"):
        umap_points(unit_vectors(9))
    umap_there.setenv("PYTHONPATH", "")
    umap_there.setitem(sys.modules, "umap", None)
    if not is_installed_elsewhere():
        with pytest.raises(MediaLibraryError, match="umap-learn can't be imported"):
            umap_points(unit_vectors(9))


def is_installed_elsewhere() -> bool:
    """Return whether the real package is among those of the tests."""
    return any((Path(folder) / "umap" / "umap_.py").exists() for folder in sys.path)


def test_it_ends_once_nobody_waits(umap_there: pytest.MonkeyPatch) -> None:
    umap_there.setenv("FAKE_UMAP", "hangs")
    over = threading.Event()
    threading.Timer(1.0, over.set).start()
    begun = time.monotonic()
    with pytest.raises(StoppedError), stopped_by(lambda: not over.is_set()):
        umap_points(unit_vectors(9))
    assert time.monotonic() - begun < 30


@pytest.mark.usefixtures("umap_there")
def test_of_many_it_learns_from_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(umap_server, "MOST_LEARNT", 10)
    matrix = unit_vectors(35)
    np.testing.assert_array_equal(umap_server.points_of(matrix), matrix[:, :2])
    monkeypatch.delitem(sys.modules, "umap")


@pytest.mark.usefixtures("umap_there")
def test_a_map_has_either_layout_and_keeps_both(metadata: MetadataDatabase) -> None:
    add_media_with(metadata, unit_vectors(12))
    maps = SegmentMaps(EmbeddingStore(metadata.connection, MODEL))
    by_pca = maps.make()
    assert not maps.is_made(layout="umap")
    by_umap = maps.make(layout="umap")
    assert by_umap.layout == "umap" and by_umap.segment_ids == by_pca.segment_ids
    assert by_umap.points.min() >= 0 and by_umap.points.max() <= 1
    assert (by_umap.points != by_pca.points).any()
    assert maps.make() is by_pca and maps.make(layout="umap") is by_umap
    add_media_with(metadata, unit_vectors(3), name="more.jpg")
    assert not maps.is_made() and not maps.is_made(layout="umap")
