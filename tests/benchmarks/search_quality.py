"""How well segments are found, whole chain: python -m tests.benchmarks.search_quality

A library of pictures whose content is known goes through the real pipeline; what SAM cut is then
embedded in five ways (over its blurred frame as the application does, as a plain box, over white,
over black, and as the whole frame) and searched by words, by example and by tag.

    --scenes N --seed S           drawn scenes (200), and which
    --coco FILE --images DIR      a folder with COCO annotations in their place
    --clip FILE --sam FILE        other weights than the bundled ones
    --write                       puts the table into docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from src.config import APPLICATION_FOLDER, STARTER_FOLDER, LibraryPaths
from src.library import MediaLibrary
from src.models.auto_tagger import AutoTagger
from src.models.clip_encoder import ClipEncoder
from src.models.mask_rle import decode_rle, encode_rle
from src.models.model_manager import ModelManager
from src.processing.crop import blur, cut_crop
from src.processing.image_loader import load_image
from src.records import StoredSegment
from src.search.leaves import segment_filter
from src.settings import Settings
from src.starter.evaluate import fresh_scenes
from tests.benchmarks.page import put_table

SEED = 91_001
MATCH_IOU = 0.5
K, K_RECALL = 5, 10
# Queries by example; more change the figures by less than their own spread.
EXAMPLES = 600
OURS, WHOLE_FRAME = "blurred 21x21 (ours)", "whole frame"
WAYS = OURS, "plain crop", "white", "black", WHOLE_FRAME
MARKS = "<!-- search quality -->", "<!-- end of search quality -->"

Words = frozenset[str]


@dataclass(frozen=True)
class Thing:
    """Something that is known to be in a picture: its mask as COCO RLE, and what it is."""

    rle: Mapping[str, Any]
    words: Words


@dataclass(frozen=True)
class Truth:
    """Pictures, what is in each, and what to ask.

    Attributes:
        queries: text -> the words that a thing must have to be an answer.
        same: which of a thing's words two things must share to be alike.
        anywhere: words that may be true of what is not among `things` too, as a background has
            a colour; a segment of nothing known is neither right nor wrong there.
    """

    things: dict[Path, list[Thing]]
    queries: dict[str, Words]
    same: Callable[[Words], Words]
    anywhere: Words = frozenset()


@dataclass(frozen=True)
class Cut:
    """What SAM cut: a segment, and which known thing of its picture it covers (or -1)."""

    segment: StoredSegment
    thing: int


@dataclass
class Ranks:
    """Figures of many queries, as they come."""

    precision: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    reciprocal: list[float] = field(default_factory=list)

    def add(
        self, order: Sequence[int], right: np.ndarray, covers: Sequence[int], all_: int
    ) -> None:
        """Take in one query's ranking.

        Args:
            order: places of items, best first.
            right: (N,) bool, which items are answers.
            covers: for each item the number of the thing that it shows, -1 for none.
            all_: how many things would be answers, found by SAM or not.
        """
        if all_ == 0:
            return
        top = order[: min(K, all_)]
        self.precision.append(float(np.mean([right[i] for i in top])) if len(top) else 0.0)
        shown = {covers[i] for i in order[:K_RECALL] if right[i]}
        self.recall.append(min(1.0, len(shown) / min(K_RECALL, all_)))
        first = next((rank for rank, i in enumerate(order, start=1) if right[i]), None)
        self.reciprocal.append(0.0 if first is None else 1 / first)

    def means(self) -> tuple[float, float, float]:
        """Precision@5, recall@10 and mean reciprocal rank."""
        return (
            float(np.mean(self.precision or [0])),
            float(np.mean(self.recall or [0])),
            float(np.mean(self.reciprocal or [0])),
        )


# -- what is known


def drawn(folder: Path, count: int, seed: int = SEED) -> Truth:
    """Scenes that no training has seen, asked for by colour and shape, and by texture too."""
    things: dict[Path, list[Thing]] = {}
    scenes = fresh_scenes(count, seed)
    for number, scene in enumerate(scenes):
        path = folder / f"scene{number:04}.png"
        cv2.imwrite(str(path), scene.image_rgb[..., ::-1])
        things[path] = [
            Thing(encode_rle(shape.mask), frozenset((shape.colour, shape.shape, shape.texture)))
            for shape in scene.shapes
        ]
    shapes = [shape for scene in scenes for shape in scene.shapes]
    asked: dict[str, Words] = {}
    for shape in shapes:
        asked[f"a {shape.colour} {shape.shape}"] = frozenset((shape.colour, shape.shape))
        if shape.texture != "plain":
            words = frozenset((shape.texture, shape.colour, shape.shape))
            asked[f"a {shape.texture} {shape.colour} {shape.shape}"] = words
    textures = frozenset(shape.texture for shape in shapes)
    anywhere = textures | {shape.colour for shape in shapes}
    return Truth(things, _asked_often(asked, things), lambda words: words - textures, anywhere)


def coco(file: Path, images: Path) -> Truth:
    """A folder of images with COCO annotations, asked for by the names of its categories."""
    content = json.loads(file.read_text(encoding="utf-8"))
    names = {category["id"]: category["name"] for category in content["categories"]}
    pictures = {picture["id"]: picture for picture in content["images"]}
    things: dict[Path, list[Thing]] = {images / p["file_name"]: [] for p in pictures.values()}
    for annotation in content["annotations"]:
        if annotation.get("iscrowd"):
            continue
        picture = pictures[annotation["image_id"]]
        rle = annotation["segmentation"]
        if isinstance(rle, list):
            parts = coco_mask.frPyObjects(rle, picture["height"], picture["width"])
            rle = coco_mask.merge(parts)
        name = names[annotation["category_id"]]
        things[images / picture["file_name"]].append(Thing(rle, frozenset((name,))))
    asked = {f"a photo of a {name}": frozenset((name,)) for name in names.values()}
    return Truth(things, _asked_often(asked, things), lambda words: words)


def _asked_often(asked: dict[str, Words], things: dict[Path, list[Thing]]) -> dict[str, Words]:
    """Keep what at least two things answer."""
    every = [thing.words for known in things.values() for thing in known]
    return {
        text: words
        for text, words in sorted(asked.items())
        if sum(words <= other for other in every) >= 2
    }


# -- what the pipeline makes of it


def cut(library: MediaLibrary, truth: Truth) -> list[Cut]:
    """Take the pictures in, and say which known thing each segment covers."""
    for _ in library.add(truth.things):
        pass
    found = []
    for segment in library.metadata.segments_where(segment_filter(kinds=("object",))):
        known = truth.things[segment.media_path]
        size = [segment.frame_wh[1], segment.frame_wh[0]]
        mine = [{"size": size, "counts": segment.mask_rle}]
        overlap = coco_mask.iou(mine, [thing.rle for thing in known], [0] * len(known))
        best = int(np.argmax(overlap)) if len(known) else -1
        covers = best if best >= 0 and overlap[0][best] >= MATCH_IOU else -1
        found.append(Cut(segment, covers))
    return found


def embeddings(
    cuts: Sequence[Cut], clip: ClipEncoder, kernel: int, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Embed each segment in the ways of these names: name -> (N, 512) float32."""
    ways: dict[str, list[np.ndarray]] = defaultdict(list)
    by_frame: dict[Path, list[Cut]] = defaultdict(list)
    for each in cuts:
        by_frame[each.segment.media_path].append(each)
    for path, here in by_frame.items():
        image = load_image(path, 10**9).frame.image_rgb
        grounds = {
            OURS: blur(image, kernel),
            "plain crop": image,
            "white": np.full_like(image, 255),
            "black": np.zeros_like(image),
        }
        crops: dict[str, list[np.ndarray]] = defaultdict(list)
        for each in here:
            segment = each.segment
            assert segment.mask_rle is not None
            mask = decode_rle(segment.mask_rle, segment.frame_wh)
            for name, ground in grounds.items():
                if name in names:
                    crops[name].append(cut_crop(image, ground, mask, segment.bbox_xywh))
        for name, pictures in crops.items():
            ways[name].append(clip.encode_image(pictures))
        whole = clip.encode_image([image])
        ways[WHOLE_FRAME].append(np.repeat(whole, len(here), axis=0))
    return {name: np.concatenate(parts) for name, parts in ways.items()}


# -- the questions


def by_words(matrix: np.ndarray, cuts: Sequence[Cut], truth: Truth, clip: ClipEncoder) -> Ranks:
    ranks = Ranks()
    texts = clip.encode_text(list(truth.queries))
    for words, text in zip(truth.queries.values(), texts, strict=True):
        right = np.array([_answers(each, truth, words) for each in cuts])
        everything = sum(words <= thing.words for known in truth.things.values() for thing in known)
        ranks.add(np.argsort(-(matrix @ text)).tolist(), right, _covers(cuts), everything)
    return ranks


def by_example(matrix: np.ndarray, cuts: Sequence[Cut], truth: Truth) -> Ranks:
    ranks = Ranks()
    alike = [
        truth.same(truth.things[each.segment.media_path][each.thing].words)
        if each.thing >= 0
        else None
        for each in cuts
    ]
    examples = [i for i, words in enumerate(alike) if words is not None]
    chosen = np.random.default_rng(0).permutation(examples)[:EXAMPLES]
    covers = _covers(cuts)
    for i in chosen:
        right = np.array([words == alike[i] for words in alike])
        # the segment itself, and others of the same thing, are no answer
        others = np.array([cover != covers[i] for cover in covers])
        order = [j for j in np.argsort(-(matrix @ matrix[i])).tolist() if others[j]]
        things = {covers[j] for j in np.flatnonzero(right & others)}
        ranks.add(order, right & others, covers, len(things))
    return ranks


def by_tag(matrix: np.ndarray, cuts: Sequence[Cut], truth: Truth, tagger: AutoTagger) -> Ranks:
    ranks = Ranks()
    scored: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for place, tags in enumerate(tagger.tags(matrix)):
        for tag in tags:
            scored[tag.name].append((-tag.confidence, place))
    every = [thing.words for known in truth.things.values() for thing in known]
    for name in sorted(set().union(*every)):
        right = np.array([_answers(each, truth, frozenset((name,))) for each in cuts])
        order = [place for _, place in sorted(scored[name])]
        if name in truth.anywhere:
            order = [place for place in order if cuts[place].thing >= 0]
        ranks.add(order, right, _covers(cuts), sum(name in words for words in every))
    return ranks


def _answers(each: Cut, truth: Truth, words: Words) -> bool:
    if each.thing < 0:
        return False
    return words <= truth.things[each.segment.media_path][each.thing].words


def _covers(cuts: Iterable[Cut]) -> list[int]:
    """A number for each known thing, over all pictures; -1 for a segment of nothing known."""
    numbers: dict[tuple[Path, int], int] = {}
    return [
        -1
        if each.thing < 0
        else numbers.setdefault((each.segment.media_path, each.thing), len(numbers))
        for each in cuts
    ]


@dataclass(frozen=True)
class Quality:
    """All figures of a run: way of embedding -> question -> (precision, recall, MRR)."""

    found: float  # share of the known things that SAM cut
    figures: dict[str, dict[str, tuple[float, float, float]]]


def measure(
    library: MediaLibrary, truth: Truth, cuts: Sequence[Cut], ways: Sequence[str] = WAYS
) -> Quality:
    """Ask a known library everything, with its segments embedded in each of these ways."""
    clip, figures = library.clip, {}
    for way, matrix in embeddings(cuts, clip, library.settings.blur_kernel, ways).items():
        figures[way] = {
            "words": by_words(matrix, cuts, truth, clip).means(),
            "example": by_example(matrix, cuts, truth).means(),
            "tag": by_tag(matrix, cuts, truth, library.tagger).means(),
        }
    things = sum(len(known) for known in truth.things.values())
    return Quality(len(set(_covers(cuts)) - {-1}) / max(1, things), figures)


def repeats(library: MediaLibrary, cuts: Sequence[Cut], truth: Truth) -> tuple[float, float]:
    """Measure how many cards of first pages show a thing that one before them shows.

    Returns:
        The share of them where each hit is a card, and with one card for each thing.
    """
    covers = dict(zip((each.segment.id for each in cuts), _covers(cuts), strict=True))
    shares: list[list[float]] = [[], []]
    for text in truth.queries:
        for found, one_of_each in zip(shares, (False, True), strict=True):
            hits = library.search(text, n_results=K_RECALL, one_of_each=one_of_each)
            things = [covers.get(hit.segment.id, -1) for hit in hits]
            known = [thing for thing in things if thing >= 0]
            found.append(1 - (len(set(known)) + things.count(-1)) / max(1, len(things)))
    return float(np.mean(shares[0] or [0])), float(np.mean(shares[1] or [0]))


# -- as a program


def table(quality: Quality, about: str) -> str:
    head = f"{about}; SAM cut {quality.found:.1%} of what is known to be there.\n\n"
    lines = ["| what CLIP sees of a segment | by words: P@5, R@10, MRR | by example | by tag |"]
    lines.append("| --- | --- | --- | --- |")
    for way, asked in quality.figures.items():
        cells = (
            " ".join(f"{value:.3f}" for value in asked[q]) for q in ("words", "example", "tag")
        )
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return head + "\n".join(lines) + "\n"


def models_of(folder: Path, clip: Path | None, sam: Path | None) -> ModelManager:
    """A ModelManager that sees the bundled weights and those named, and no others."""
    models = folder / "models"
    shutil.copytree(STARTER_FOLDER, models / "starter")
    shutil.copy(APPLICATION_FOLDER / "models" / "vocabulary.txt", models)
    for path in (clip, sam):
        if path is not None:
            (models / path.name).symlink_to(path.absolute())
    return ModelManager(models)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--coco", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--sam", type=Path)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args(arguments)
    if (chosen.coco is None) != (chosen.images is None):
        parser.error("--coco and --images go together")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "pictures").mkdir()
        if chosen.coco is None:
            truth = drawn(folder / "pictures", chosen.scenes, chosen.seed)
            about = f"{chosen.scenes} drawn scenes"
        else:
            truth = coco(chosen.coco, chosen.images)
            about = f"{len(truth.things):,} images with COCO annotations"
        models = models_of(folder, chosen.clip, chosen.sam)
        with MediaLibrary(LibraryPaths(folder / "library"), models, Settings()) as library:
            about += f", {len(truth.queries):,} queries by words, {library.clip.label}"
            cuts = cut(library, truth)
            text = table(measure(library, truth, cuts), about)
            before, after = repeats(library, cuts, truth)
            text += (
                f"\nOf the first {K_RECALL} cards of a search by words {before:.1%} repeat a thing "
                f"where each hit is a card, and {after:.1%} with one card for each thing.\n"
            )
            if chosen.coco is None:
                from tests.benchmarks.search_line import judge, line_table, shown

                known = shown(library, truth, cuts, chosen.seed)
                sizes = {8: 8, 20: 4, 60: 2, chosen.scenes: 1}
                text += "\n" + line_table(judge(known, library, sizes))
    print(text)
    if chosen.write:
        put_table(MARKS, text.removesuffix("\n"))


if __name__ == "__main__":
    main()
