"""The pictures of docs/ show today's demo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.cli.demo import QUERIES
from tests.upkeep import pictures

ANEW = "docs/*.png show an old demo: draw them with `python -m tests.upkeep.pictures`"


def test_the_pictures_are_of_todays_demo() -> None:
    stored = json.loads((pictures.DOCS / pictures.DRAWN_FROM).read_text(encoding="utf-8"))
    assert stored == pictures.drawn_from(), ANEW


def test_other_searches_or_weights_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pictures.drawn_from()
    monkeypatch.setattr(pictures, "QUERIES", ("a cat",))
    (tmp_path / "starter-clip.safetensors").write_bytes(b"others")
    monkeypatch.setattr(pictures, "STARTER_FOLDER", tmp_path)
    after = pictures.drawn_from()
    assert after["scenes"] == before["scenes"] and after["searches"] != before["searches"]
    assert after["starter-clip.safetensors"] != before["starter-clip.safetensors"]


def test_what_is_asked_for_is_there() -> None:
    """A search for what nobody drew would show what the models find in its place."""
    drawn = [set(shape[:3]) for scene in pictures.shapes() for shape in scene]
    for query in (*QUERIES, pictures.SEARCHED, pictures.OPENED):
        asked = set(query.split()) & set().union(*drawn)
        assert asked and any(asked <= words for words in drawn), query


@pytest.mark.slow
def test_the_picture_of_the_demo_is_what_it_draws_today(tmp_path: Path) -> None:
    library = pictures.run_demo(tmp_path)
    with Image.open(library.root.parent / "hits.png") as today:
        drawn = np.asarray(today.convert("RGB"), np.int16)
    with Image.open(pictures.DOCS / pictures.DEMO) as shown:
        stored = np.asarray(shown.convert("RGB"), np.int16)
    assert drawn.shape == stored.shape, ANEW
    # a hit more or less at the end of a row may come of another processor's rounding
    assert np.abs(drawn - stored).mean() < 4, ANEW
