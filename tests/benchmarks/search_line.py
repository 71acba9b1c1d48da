"""How honest the line of a search is, on drawn scenes: a part of search_quality.

The segments of the scenes that a library was made of are searched as smaller libraries would be, by
words, by an image, by a mix, and for frames that hold two things. What is asked for is there or
not: for what is not, all scenes that hold it are left out. Only clear misses are wrong. A colour
may be called by any word that a person could use for a good part of it, the second one of a pattern
too; what nobody drew as a thing, such as a patch of a background, may have any shape and texture;
and a shape that lies mostly hidden in a scene is there, though nobody expects it to be found.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from src.library import MediaLibrary
from src.models.mask_rle import decode_rle
from src.models.starter.vocabulary import COLOURS, SHAPES, TEXTURES
from src.search.leaves import segment_filter
from src.search.line import Calibration, QueryLine, calibrate
from src.starter.colours import RANGES
from src.starter.evaluate import fresh_scenes
from src.starter.scenes import Scene
from tests.benchmarks.search_quality import Cut, Truth, Words

# How far outside of a range of a word a colour may lie and be called by it: hue in degrees,
# saturation and value. And the share of a thing that has to be so.
SLACK, SHARE = np.array([18.0, 0.18, 0.18]), 0.12
PATTERNS = TEXTURES[1:]
ANY = frozenset(SHAPES) | frozenset(TEXTURES)
# Images to search with, mixes of each kind, and pairs of things in one frame.
IMAGES, MIXES, PAIRS = 300, 100, 300
WAYS = "words", "image", "mix"
WITH = '"A" with "B"'


def may_be_called(rgb: np.ndarray) -> Words:
    """Find the colour words that hold of a good part of some pixels: (N, 3) uint8."""
    some = rgb[np.linspace(0, len(rgb) - 1, min(len(rgb), 100)).astype(int)].reshape(-1, 1, 3)
    hsv = cv2.cvtColor((some / 255).astype(np.float32), cv2.COLOR_RGB2HSV)
    low, high = (
        np.array([[r.hue[end], r.saturation[end], r.value[end]] for r in RANGES]) for end in (0, 1)
    )
    middle = (low + high)[:, 0] / 2
    at = np.repeat(hsv, len(RANGES), axis=1)
    at[..., 0] = middle + (at[..., 0] - middle + 180) % 360 - 180
    away = (np.maximum(np.maximum(low - at, at - high), 0) / SLACK).max(axis=2)
    of_word = np.array([r.name for r in RANGES])
    nearest = np.stack([away[:, of_word == word].min(axis=1) for word in COLOURS], axis=1)
    fits = (nearest <= 1) | (nearest == nearest.min(axis=1, keepdims=True))
    return frozenset(np.array(COLOURS)[fits.mean(axis=0) >= SHARE].tolist())


@dataclass(frozen=True)
class Shown:
    """What N segments show; the last are the whole frames, one of each scene.

    Attributes:
        matrix: (N, 512) their embeddings.
        scene: (N,) of which scene each is.
        words: what is true of it; None for what nobody drew as a thing.
        may_be: what may be said of it.
        things: of each scene, what may be said of each thing that was drawn, hidden ones too.
    """

    matrix: np.ndarray
    scene: np.ndarray
    words: list[Words | None]
    may_be: list[Words]
    things: list[list[Words]]


def shown(library: MediaLibrary, truth: Truth, cuts: Sequence[Cut], seed: int) -> Shown:
    """Find out what the segments of drawn scenes show, their whole frames too."""
    paths = list(truth.things)
    scenes = fresh_scenes(len(paths), seed)
    things = [_things(scene) for scene in scenes]
    words: list[Words | None] = []
    may_be, scene_of, ids = [], [], []
    for each in cuts:
        segment = each.segment
        at = paths.index(segment.media_path)
        if each.thing >= 0:
            words.append(truth.things[segment.media_path][each.thing].words)
            may_be.append(things[at][each.thing])
        else:
            assert segment.mask_rle is not None
            mask = decode_rle(segment.mask_rle, segment.frame_wh)
            words.append(None)
            may_be.append(may_be_called(scenes[at].image_rgb[mask]) | ANY)
        scene_of.append(at)
        ids.append(segment.id)
    for segment in library.metadata.segments_where(segment_filter(kinds=("frame",))):
        at = paths.index(segment.media_path)
        words.append(None)
        may_be.append(frozenset[str]().union(*things[at], ANY))
        scene_of.append(at)
        ids.append(segment.id)
    vectors = library.vectors.embeddings.get(ids)
    matrix = np.stack([vectors[each] for each in ids])
    return Shown(matrix, np.array(scene_of), words, may_be, things)


def _things(scene: Scene) -> list[Words]:
    seen = [
        may_be_called(scene.image_rgb[shape.mask]) | {shape.colour, shape.shape, shape.texture}
        for shape in scene.shapes
    ]
    hidden = [frozenset((word, *COLOURS, *TEXTURES)) for word in scene.hidden]
    return seen + hidden


@dataclass(frozen=True)
class Asked:
    """A query.

    Attributes:
        terms: weight, whether it is words, embedding; see Calibration.line_of.
        scores: (N,) of all segments.
        right, unsure: (N,) bool.
        holds: (scenes,) bool, where there may be what is asked for.
        own: the scene that its image is of; it is in no library then. -1 for none.
    """

    terms: list[tuple[float, bool, np.ndarray]]
    scores: np.ndarray
    right: np.ndarray
    unsure: np.ndarray
    holds: np.ndarray
    own: int = -1


def questions(known: Shown, library: MediaLibrary) -> dict[str, list[Asked]]:
    """Ask for what there may be, by words, by image and by a mix."""
    rng = np.random.default_rng(0)
    texts: dict[str, Words] = {}
    for number in range(1, 4):
        for some in itertools.product(("", *PATTERNS), ("", *COLOURS), ("", *SHAPES)):
            chosen = [word for word in some if word]
            if len(chosen) == number:
                texts[phrase(*some)] = frozenset(chosen)
    read = dict(zip(texts, library.clip.encode_text(list(texts)), strict=True))
    asked: dict[str, list[Asked]] = {way: [] for way in WAYS}
    for text, words in texts.items():
        asked["words"].append(_asked(known, [(1.0, True, read[text])], words))
    named = [i for i, words in enumerate(known.words) if words is not None]
    for i in rng.permutation(named)[:IMAGES].tolist():
        words = (known.words[i] or frozenset()) - frozenset(TEXTURES)
        own = int(known.scene[i])
        image = (1.0, False, known.matrix[i])
        asked["image"].append(_asked(known, [image], words, own=own))
        if len(asked["mix"]) < MIXES:
            colour, shape = sorted(words, key=lambda word: word in SHAPES)
            both = [image, (1.0, True, read[phrase("", colour, shape)])]
            asked["mix"].append(_asked(known, both, words, own=own))
    pairs = rng.permutation(list(itertools.product(COLOURS, SHAPES))).tolist()
    for colour, shape in pairs[:MIXES]:
        two = [(1.0, True, read[phrase("", colour, "")]), (1.0, True, read[phrase("", "", shape)])]
        asked["mix"].append(_asked(known, two, frozenset((colour, shape))))
        pattern = str(rng.choice(PATTERNS))
        less = (-1.0, True, read[phrase(pattern, "", "")])
        one = [(1.0, True, read[phrase("", colour, shape)]), less]
        asked["mix"].append(_asked(known, one, frozenset((colour, shape)), frozenset((pattern,))))
    return asked


def phrase(pattern: str, colour: str, shape: str) -> str:
    """Write what is asked for as a person would."""
    adjectives = [word for word in (pattern, colour) if word]
    if shape:
        return " ".join(("a", *adjectives, shape))
    return "something " + " and ".join(adjectives)


def _asked(
    known: Shown,
    terms: list[tuple[float, bool, np.ndarray]],
    words: Words,
    but: Words = frozenset(),
    own: int = -1,
) -> Asked:
    total = np.sum([weight * each for weight, _, each in terms], axis=0)
    right, unsure = [], []
    for has, may_be in zip(known.words, known.may_be, strict=True):
        right.append(has is not None and words <= has and not (but and but <= has))
        unsure.append(not right[-1] and words <= may_be and (has is None or not but & has))
    holds = [any(words <= thing for thing in things) for things in known.things]
    scores = known.matrix @ (total / np.linalg.norm(total))
    return Asked(terms, scores, np.array(right), np.array(unsure), np.array(holds), own)


@dataclass(frozen=True)
class Both:
    """A query for two things in one frame: each as it is asked for alone.

    Attributes:
        things: the two.
        right, unsure: (scenes,) bool. Where one thing alone is both, or something may be, it is
            unsure.
        holds: (scenes,) bool, where there may be both.
    """

    things: tuple[Asked, Asked]
    right: np.ndarray
    unsure: np.ndarray
    holds: np.ndarray


def pairs_in_frames(known: Shown, library: MediaLibrary) -> list[Both]:
    """Ask for two things that some scene holds, each by its colour, its shape or both."""
    rng = np.random.default_rng(2)
    named = [i for i, words in enumerate(known.words) if words is not None]
    asked = list[Both]()
    for i in rng.permutation(named).tolist():
        others = [j for j in named if known.scene[j] == known.scene[i] and j != i]
        if not others or len(asked) == PAIRS:
            continue
        two = []
        for place in (i, int(rng.choice(others))):
            words = (known.words[place] or frozenset()) - frozenset(TEXTURES)
            colour, shape = sorted(words, key=lambda word: word in SHAPES)
            colour, shape = [(colour, shape), (colour, ""), ("", shape)][rng.integers(3)]
            text = library.clip.encode_text([phrase("", colour, shape)])[0]
            said = frozenset(word for word in (colour, shape) if word)
            two.append((_asked(known, [(1.0, True, text)], said), said))
        (first, words), (second, other_words) = two
        if words <= other_words or other_words <= words:
            continue
        holds, right = first.holds & second.holds, np.zeros(len(known.things), bool)
        unsure = holds.copy()
        for scene in range(len(known.things)):
            here = known.scene == scene
            here[-len(known.things) :] = (
                False  # a whole frame may be called what any thing in it is
            )
            one, other = here & first.right, here & second.right
            right[scene] = one.any() and other.any() and (one | other).sum() > 1
            may_be = [bool((here & (each.right | each.unsure)).any()) for each in (first, second)]
            unsure[scene] |= all(may_be)
        asked.append(Both((first, second), right, unsure & ~right, holds))
    return asked


@dataclass
class Judged:
    """Searches of one way in libraries of one size; and what a line made of them.

    Attributes:
        searches: scores and which are right, of what is neither right nor wrong nothing.
        strong: which of these are above our line.
    """

    searches: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    strong: list[np.ndarray] = field(default_factory=list)

    def figures(self, line: float | None = None) -> tuple[float, float, float]:
        """Measure false alarms, precision and recall, each the mean of its queries.

        Args:
            line: a score in the place of our line.
        """
        alarms, precision, recall = [], [], []
        for (scores, right), ours in zip(self.searches, self.strong, strict=True):
            strong = ours if line is None else scores >= line
            if not right.any():
                alarms.append(strong.any())
                continue
            recall.append(strong[right].mean())
            if strong.any():
                precision.append(right[strong].mean())
        means = [float(np.mean(some or [0])) for some in (alarms, precision, recall)]
        return means[0], means[1], means[2]


def judge(
    known: Shown, library: MediaLibrary, sizes: dict[int, int]
) -> dict[str, dict[int, Judged]]:
    """Search libraries of several sizes, each made of some of the scenes.

    Args:
        sizes: scenes of a library -> how many libraries of that size.

    Returns:
        Way -> scenes -> what was found.
    """
    asked = questions(known, library)
    tagger, count = library.tagger, len(known.things)
    groups = np.array([entry.group for entry in tagger.entries])
    rng = np.random.default_rng(1)
    pairs = pairs_in_frames(known, library)
    found: dict[str, dict[int, Judged]] = {way: defaultdict(Judged) for way in (*asked, WITH)}
    for size, times in sizes.items():
        for _ in range(times):
            inside = np.zeros(count, bool)
            inside[rng.permutation(count)[:size]] = True
            rows = inside[known.scene]
            calibration = calibrate(
                known.matrix[rows], known.scene[rows], tagger.prompts, groups, tagger.scale, 1
            )
            assert calibration is not None
            for way, each in ((way, one) for way, some in asked.items() for one in some):
                line = calibration.line_of(each.terms)
                assert line is not None
                for here in _libraries(each, known, inside, size):
                    judged = found[way][size]
                    sure = here & ~each.unsure
                    judged.searches.append((each.scores[sure], each.right[sure]))
                    judged.strong.append(each.scores[sure] >= _line(line, each.scores[here]))
            for both in pairs:
                _judge_frames(both, known, calibration, inside, found[WITH][size])
    return found


def _judge_frames(
    both: Both, known: Shown, calibration: Calibration, inside: np.ndarray, judged: Judged
) -> None:
    """Search for two things as FrameQuery does: each has its line, a frame is as its worse one."""
    for scenes in (inside, inside & ~both.holds):
        if (scenes is inside and not (both.right & scenes).any()) or (
            scenes.sum() < inside.sum() / 2
        ):
            continue
        here = scenes[known.scene]
        scores, steps = np.full((2, 2, len(scenes)), -np.inf)
        for number, thing in enumerate(both.things):
            line = calibration.line_of(thing.terms)
            assert line is not None
            np.maximum.at(scores[number], known.scene[here], thing.scores[here])
            steps[number] = (scores[number] - _line(line, thing.scores[here])) / line.scale
        sure = scenes & ~both.unsure
        judged.searches.append((scores.min(axis=0)[sure], both.right[sure]))
        judged.strong.append(steps.min(axis=0)[sure] >= 0)


def _libraries(each: Asked, known: Shown, inside: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Give the segments of a library that has what is asked for, and of one that has it not."""
    inside = inside.copy()
    inside[each.own] &= each.own < 0
    if (each.right & inside[known.scene]).any():
        yield inside[known.scene]
    without = inside & ~each.holds
    if without.sum() >= size / 2:
        yield without[known.scene]


def _line(line: QueryLine, scores: np.ndarray) -> float:
    return line(np.sort(scores)[::-1][:8].tolist(), len(scores))


def _together(some: Sequence[Judged]) -> Judged:
    return Judged(
        [each for judged in some for each in judged.searches],
        [each for judged in some for each in judged.strong],
    )


def best_fixed(some: Sequence[Judged]) -> float:
    """Find the one score that serves as a line best: it falls short of the aims least."""
    every = _together(some)

    def short(line: float) -> float:
        alarms, precision, recall = every.figures(line)
        return max(0, alarms / 0.02 - 1) + max(0, 1 - precision / 0.9) + max(0, 1 - recall / 0.8)

    right = np.concatenate([scores[is_right] for scores, is_right in every.searches])
    return min(np.quantile(right, np.linspace(0.05, 0.6, 40)).tolist(), key=short)


def line_table(found: dict[str, dict[int, Judged]]) -> str:
    """Write the figures as Markdown."""
    everything = best_fixed(list(found["words"].values()))
    lines = [
        "| searched by, scenes | our line | best fixed score | one max distance |",
        "| --- | --- | --- | --- |",
    ]
    for way, sizes in found.items():
        fixed = best_fixed(list(sizes.values()))
        whole = _together(list(sizes.values()))
        for name, judged in [*((str(size), each) for size, each in sizes.items()), ("all", whole)]:
            lines_of = (None, fixed, everything)
            cells = (" ".join(f"{v:.3f}" for v in judged.figures(each)) for each in lines_of)
            lines.append(f"| {way}, {name} | " + " | ".join(cells) + " |")
        lines.append(f"| best fixed score for {way}: {fixed:.2f} | | | |")
    about = (
        "Of each line: share of searches for what is not there that show a strong hit, precision "
        "and recall of strong hits. The max distance is the best one for searches by words, "
        f"{1 - everything:.3f}.\n\n"
    )
    return about + "\n".join(lines) + "\n"
