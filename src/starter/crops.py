"""Training material for CLIP: crops as the application makes them, and what is true of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from src.models.clip_encoder import letterbox
from src.models.starter.vocabulary import COLOURS, PLACES, SHAPES, SIZES, TEXTURES, TONES
from src.processing.crop import blur, cut_crop
from src.starter.colours import name_colour
from src.starter.dead_leaves import draw_dead_leaves
from src.starter.outlines import draw_blob
from src.starter.scenes import DrawnShape, Scene, draw_scene

# A fact about a crop is one row of this many numbers: which colour, shape, texture, tone
# and size, then yes or no for each word of PLACES.
FACTS = 5 + len(PLACES)
COLOUR, SHAPE, TEXTURE, TONE, SIZE, SCENE, BACKGROUND, MANY = range(FACTS)
FACT_WORDS: tuple[tuple[str, ...], ...] = (
    COLOURS, SHAPES, TEXTURES, TONES, SIZES, *((place,) for place in PLACES),
)  # fmt: skip
# Nobody can say: neither right nor wrong in a caption.
UNKNOWN = -1
# Certainly none of the words: a caption that says one is wrong.
NONE = -2

# letterbox pads with this; it is what open_clip's normalisation turns into about zero.
FILL_RGB = (123, 117, 104)


@dataclass(frozen=True)
class Crops:
    """Crops of one picture.

    Attributes:
        images: (N, S, S, 3) uint8 RGB, letterboxed.
        facts: (N, FACTS) int8, see FACT_WORDS, UNKNOWN and NONE.
    """

    images: np.ndarray
    facts: np.ndarray


class Cutter:
    """Collects the crops of one picture."""

    def __init__(self, rng: np.random.Generator, image_rgb: np.ndarray, size: int) -> None:
        self._image, self._size = image_rgb, size
        # A photo is larger than a drawn scene, so the same 21 pixels blur it less.
        self._blurred = blur(image_rgb, int(rng.choice([3, 5, 7, 9, 13, 17, 21, 21, 31])))
        self.images: list[np.ndarray] = []
        self.facts: list[list[int]] = []

    def cut(self, mask: np.ndarray, facts: list[int]) -> None:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows) < 3 or len(columns) < 3:
            return
        left, top = int(columns[0]), int(rows[0])
        box = (left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
        self._keep(cut_crop(self._image, self._blurred, mask, box), facts)

    def whole(self, many: int) -> None:
        """Take the picture as it is, of which it is known or not whether it shows many things."""
        self._keep(self._image, [UNKNOWN, NONE, UNKNOWN, UNKNOWN, UNKNOWN, 1, UNKNOWN, many])

    def _keep(self, crop: np.ndarray, facts: list[int]) -> None:
        self.images.append(letterbox(crop, self._size, FILL_RGB))
        self.facts.append(facts)

    def collect(self) -> Crops:
        if not self.images:
            empty = np.zeros((0, self._size, self._size, 3), np.uint8)
            return Crops(empty, np.zeros((0, FACTS), np.int8))
        return Crops(np.stack(self.images), np.array(self.facts, np.int8))


def draw_crops(seed: int, index: int, size: int = 96) -> Crops:
    """Draw the index-th picture of a seed and cut its training crops."""
    rng = np.random.default_rng((seed, 3, index))
    shorter = int(rng.choice([160, 192, 224, 288, 384], p=[0.2, 0.35, 0.2, 0.15, 0.1]))
    longer = int(shorter * rng.choice([1.0, 1.333, 1.5, 1.778]))
    size_wh = (longer, shorter) if rng.random() < 0.7 else (shorter, longer)
    if rng.random() < 0.75:
        return _scene_crops(rng, draw_scene(rng, size_wh), size)
    return _leaf_crops(rng, size_wh, size)


def crops_of(image_rgb: np.ndarray, shapes: Sequence[DrawnShape]) -> list[np.ndarray]:
    """The crops that the application would make of shapes, from their true masks."""
    blurred = blur(image_rgb)
    return [cut_crop(image_rgb, blurred, shape.mask, shape.bbox_xywh) for shape in shapes]


def shape_facts(drawn: DrawnShape) -> list[int]:
    """What is true of a drawn shape."""
    return [
        COLOURS.index(drawn.colour),
        SHAPES.index(drawn.shape),
        TEXTURES.index(drawn.texture),
        UNKNOWN if drawn.tone is None else TONES.index(drawn.tone),
        UNKNOWN if drawn.size is None else SIZES.index(drawn.size),
        *(0 for _ in PLACES),
    ]


def _scene_crops(rng: np.random.Generator, scene: Scene, size: int) -> Crops:
    cutter = Cutter(rng, scene.image_rgb, size)
    for drawn in scene.shapes:
        facts = shape_facts(drawn)
        mask, loose = (drawn.mask, False) if rng.random() < 0.3 else _as_found(rng, drawn.mask)
        if loose:
            facts[SHAPE] = UNKNOWN
        cutter.cut(mask, facts)
    if rng.random() < 0.4:
        many = 1 if len(scene.shapes) >= 3 else UNKNOWN
        cutter.whole(many)
    if rng.random() < 0.55:
        label = int(rng.integers(scene.background_regions))
        mask = scene.labels == label
        if mask.mean() > 0.08:
            colour, tone = colour_of(scene.image_rgb, mask)
            cutter.cut(mask, [colour, NONE, UNKNOWN, tone, UNKNOWN, 0, 1, UNKNOWN])
    if rng.random() < 0.45:
        _cut_mistake(rng, cutter, scene)
    return cutter.collect()


def _cut_mistake(rng: np.random.Generator, cutter: Cutter, scene: Scene) -> None:
    """A mask that is no shape: a piece of one, several at once, or any patch."""
    height, width = scene.labels.shape
    facts = [UNKNOWN, NONE, UNKNOWN, UNKNOWN, UNKNOWN, 0, UNKNOWN, UNKNOWN]
    kind = rng.random()
    if kind < 0.35 and scene.shapes:
        drawn = scene.shapes[int(rng.integers(len(scene.shapes)))]
        x, y, w, h = drawn.bbox_xywh
        half = np.zeros((height, width), bool)
        points = draw_blob(rng, 0.4) * (w / 2, h / 2) * rng.uniform(0.5, 0.9)
        points += (x + rng.uniform(0, w), y + rng.uniform(0, h))
        stamp = np.zeros((height, width), np.uint8)
        cv2.fillPoly(stamp, [points.round().astype(np.int32)], 1)
        half = drawn.mask & (stamp > 0)
        share = half.sum() / drawn.mask.sum()
        if 0.15 < share < 0.6:
            facts[COLOUR] = COLOURS.index(drawn.colour)
            cutter.cut(half, facts)
        return
    if kind < 0.6 and len(scene.shapes) >= 2:
        first, second = rng.choice(len(scene.shapes), 2, replace=False)
        union = scene.shapes[int(first)].mask | scene.shapes[int(second)].mask
        facts[COLOUR] = NONE
        cutter.cut(union, facts)
        return
    points = draw_blob(rng, 0.5) * rng.uniform(0.06, 0.4) * min(width, height)
    points += rng.uniform((0, 0), (width, height))
    stamp = np.zeros((height, width), np.uint8)
    cv2.fillPoly(stamp, [points.round().astype(np.int32)], 1)
    mask = stamp > 0
    if mask.sum() > 60:
        colour, tone = colour_of(scene.image_rgb, mask)
        facts[COLOUR], facts[TONE] = colour, tone
        cutter.cut(mask, facts)


def _leaf_crops(rng: np.random.Generator, size_wh: tuple[int, int], size: int) -> Crops:
    leaves = draw_dead_leaves(rng, size_wh)
    cutter = Cutter(rng, leaves.image_rgb, size)
    areas = np.bincount(leaves.labels.ravel(), minlength=len(leaves.parents))
    eligible = np.flatnonzero(areas > 150)
    for label in rng.permutation(eligible)[:7]:
        mask = leaves.labels == label
        texture = leaves.textures[int(label)]
        named = texture is not None and texture != "plain"
        colour, tone = colour_of(leaves.image_rgb, mask)
        facts = [
            UNKNOWN if named else colour,
            # Some leaves are ellipses, bars or polygons: nobody said which.
            UNKNOWN,
            UNKNOWN if texture is None else TEXTURES.index(texture),
            UNKNOWN if named else tone,
            UNKNOWN, 0, UNKNOWN, 0,
        ]  # fmt: skip
        cutter.cut(mask if rng.random() < 0.4 else _as_found(rng, mask)[0], facts)
    if rng.random() < 0.3:
        cutter.whole(many=1)
    return cutter.collect()


def colour_of(image_rgb: np.ndarray, mask: np.ndarray) -> tuple[int, int]:
    """Colour and tone of a region, by the pixels in it; UNKNOWN where they disagree."""
    pixels = image_rgb[mask].astype(np.float32)
    middle = np.median(pixels, axis=0)
    if np.median(np.abs(pixels - middle).mean(axis=1)) > 32:
        return UNKNOWN, UNKNOWN
    name, tone = name_colour(middle)
    return (
        UNKNOWN if name is None else COLOURS.index(name),
        UNKNOWN if tone is None else TONES.index(tone),
    )


def _as_found(rng: np.random.Generator, mask: np.ndarray) -> tuple[np.ndarray, bool]:
    """A mask as a SAM would find it: coarse, a little too large or small, a bit bitten.

    Returns:
        (H, W) bool, and whether so much is gone that the shape has no name any more.
    """
    found: np.ndarray = mask.astype(np.float32)
    height, width = mask.shape
    if rng.random() < 0.75:
        # A SAM's masks are so many cells along the longest side.
        cells = rng.uniform(48, 160) / max(height, width)
        if cells < 1:
            coarse = cv2.resize(found, None, fx=cells, fy=cells, interpolation=cv2.INTER_AREA)
            grown = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
            found = np.asarray(grown)
    if rng.random() < 0.5:
        found = np.asarray(cv2.GaussianBlur(found, (0, 0), rng.uniform(0.5, 2.0)))
    if rng.random() < 0.4:
        bumps = rng.normal(0, 1, (max(3, height // 12), max(3, width // 12))).astype(np.float32)
        ripple = cv2.resize(bumps, (width, height), interpolation=cv2.INTER_CUBIC)
        found = found + 0.15 * ripple * (cv2.GaussianBlur(found, (0, 0), 2) - found != 0)
    jittered: np.ndarray = found > rng.uniform(0.3, 0.65)
    if rng.random() < 0.25:
        reach = int(rng.integers(1, 3))
        kernel = np.ones((reach + 1, reach + 1), np.uint8)
        morph = cv2.erode if rng.random() < 0.4 else cv2.dilate
        jittered = np.asarray(morph(jittered.astype(np.uint8), kernel) > 0)
    both, either = (jittered & mask).sum(), (jittered | mask).sum()
    if jittered.sum() < 30 or both < 0.5 * either:
        return mask, False
    return jittered, bool(both < 0.72 * either)
