"""A floor under what answers teach: drawn things, seen by the bundled CLIP.

The long version, with its table and with what SAM cuts, is tests/benchmarks/labelling.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from src.config import LibraryPaths
from src.labels.ranker import Rankers
from src.library import MediaLibrary
from src.processing.crop import blur, cut_crop
from src.settings import Settings
from src.starter.evaluate import fresh_scenes
from tests.benchmarks.labelling import NAMELESS, Known, by_neighbours
from tests.benchmarks.labelling import with_application as labelled
from tests.benchmarks.labelling_table import ANSWERS, Class, at
from tests.benchmarks.search_quality import Words
from tests.conftest import new_segments

SCENES, SEED = 60, 601
FEWEST = 20


def drawn_things(library: MediaLibrary) -> Known:
    """Store what is drawn in scenes as segments, by its true mask: SAM would take minutes."""
    metadata, clip = library.metadata, library.clip
    words: dict[str, Words] = {}
    for number, scene in enumerate(fresh_scenes(SCENES, SEED)):
        if not scene.shapes:
            continue
        ground = blur(scene.image_rgb, library.settings.blur_kernel)
        crops = [cut_crop(scene.image_rgb, ground, s.mask, s.bbox_xywh) for s in scene.shapes]
        segments = new_segments(clip.encode_image(crops), prefix=f"{number}-")
        media = metadata.add_media(Path(f"/drawn/{number}.png"), "image", 100, 100)
        metadata.store_frame(media, 0, None, (100, 100), segments, clip.name)
        metadata.update_media(media, status="done", content_hash=str(number))
        for new, s in zip(segments, scene.shapes, strict=True):
            words[new.id] = frozenset((s.colour, s.shape, s.texture))
    ids = tuple(words)
    found = library.vectors.embeddings.get(ids)
    rankers = Rankers(metadata, lambda: library.vectors, lambda: library._search_now(True))
    embeddings = np.array([found[each] for each in ids])
    return Known(library, rankers, metadata.segments(ids), ids, tuple(words.values()), embeddings)


def test_few_answers_find_the_rest_of_a_class(tmp_path: Path) -> None:
    with MediaLibrary(LibraryPaths(tmp_path / "library"), settings=Settings()) as library:
        known = drawn_things(library)
        judged = np.ones(len(known.ids), bool)
        bulk: dict[str, list[float]] = {"named": [], "nameless": [], "neighbours": []}
        recall: dict[str, list[float]] = {"named": [], "nameless": [], "neighbours": []}
        for word in ("circle", "star", "heart", "red", "striped", "checkered"):
            has = np.array([word in words for words in known.words])
            assert has.sum() >= FEWEST
            what = Class(frozenset((word,)), has, judged)
            example = int(np.flatnonzero(has)[0])
            for way, run in (
                ("named", labelled(known, what, example, word, ANSWERS)),
                ("nameless", labelled(known, what, example, NAMELESS, ANSWERS)),
                ("neighbours", by_neighbours(known, what, example)[0]),
            ):
                first, last = at(run, 20), at(run, ANSWERS)
                assert first is not None and last is not None
                bulk[way].append(first.bulk)
                recall[way].append(last.recall)
        # and as the window asks for it
        stars = [place for place, words in enumerate(known.words) if "star" in words]
        library.labels.give([known.ids[place] for place in stars[:3]], "a star")
        ranking = library.labels.ranking(" A  star ").rank(limit=5)
        assert len(ranking.candidates) == 5 and ranking.accepted == 3
    means = {way: (float(np.mean(bulk[way])), float(np.mean(recall[way]))) for way in bulk}
    # a few points under what was measured
    assert means["named"][0] >= 0.92 and means["named"][1] >= 0.95
    assert means["nameless"][0] >= 0.82 and means["nameless"][1] >= 0.93
    assert means["named"][0] > means["neighbours"][0] + 0.2
    assert means["nameless"][1] > means["neighbours"][1]
