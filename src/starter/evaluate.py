"""An honest table of what the starter models can do: `python -m src.starter.evaluate`."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from segment_anything import SamPredictor
from segment_anything.modeling import Sam
from tqdm import tqdm

from src.config import STARTER_FOLDER, LibraryPaths
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import decode_rle
from src.models.model_manager import ModelManager
from src.models.starter.architecture import (
    MaskThresholds,
    load_mask_thresholds,
    load_starter_clip,
    load_starter_sam,
)
from src.models.starter.tokenizer import StarterTokenizer
from src.models.starter.vocabulary import CANONICAL, COLOURS, FILLERS, SHAPES, TEXTURES
from src.records import StoredSegment
from src.starter.crops import crops_of
from src.starter.scenes import DrawnShape, Scene, draw_scene

# Training draws from (seed, 1 or 3, index): no scene here was ever seen there.
SEED = 90_001
MATCH_IOU = 0.5
CLICKS_PER_SHAPE = 2
# Ordinary words that the starter CLIP was never taught.
STRANGE_WORDS = "dog cat truck person tree running sunset sky wooden beautiful car house".split()


@dataclass(frozen=True)
class Measure:
    """One line of the table."""

    name: str
    value: float
    of: str
    bar: float | None = None
    at_most: bool = False

    def line(self) -> str:
        """For people."""
        bar = "" if self.bar is None else f"{'<=' if self.at_most else '>='} {self.bar:.2f}"
        return f"{self.name:<46} {self.value:6.3f}  {bar:<8}  {self.of}"


@dataclass
class _Tally:
    right: int = 0
    asked: int = 0

    def add(self, right: bool) -> None:
        self.right += int(right)
        self.asked += 1

    @property
    def share(self) -> float:
        return self.right / max(1, self.asked)


@dataclass(frozen=True)
class StarterModels:
    """Both models and how masks are filtered."""

    clip: ClipEncoder
    sam: Sam
    thresholds: MaskThresholds = field(default_factory=MaskThresholds)

    @staticmethod
    def load(folder: Path, device: str = "cpu") -> StarterModels:
        """Load both from a folder of weights.

        Raises:
            CheckpointError: a file is missing, damaged or does not fit.
        """
        tokenizer = StarterTokenizer()
        model = load_starter_clip(folder, device)
        clip = ClipEncoder(
            name="starter-clip",
            label="starter CLIP",
            model=model,
            tokenize=tokenizer,
            vocabulary=tokenizer,
            image_size=_side(model.visual.image_size),
            mean_rgb=OPENAI_DATASET_MEAN,
            std_rgb=OPENAI_DATASET_STD,
            device=torch.device(device),
        )
        return StarterModels(clip, load_starter_sam(folder, device), load_mask_thresholds(folder))

    def mask_generator(self) -> MaskGenerator:
        """The application's own, with the starter's thresholds."""
        return MaskGenerator(self.sam, **asdict(self.thresholds))


def _side(size: int | Sequence[int]) -> int:
    return size if isinstance(size, int) else size[0]


def fresh_scenes(count: int, seed: int = SEED) -> list[Scene]:
    """Scenes of several sizes and proportions that no training has seen."""
    scenes = []
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        shorter = int(rng.choice([192, 256, 384]))
        longer = int(shorter * rng.choice([1.0, 1.333, 1.5, 1.778]))
        scenes.append(
            draw_scene(rng, (longer, shorter) if rng.random() < 0.7 else (shorter, longer))
        )
    return scenes


def measure_words(clip: ClipEncoder, scenes: Sequence[Scene]) -> list[Measure]:
    """Colour, shape and texture by text prompt, on crops from true masks."""
    shapes = [shape for scene in scenes for shape in scene.shapes]
    images = [crop for scene in scenes for crop in crops_of(scene.image_rgb, scene.shapes)]
    seen = clip.encode_image(images)
    asked: tuple[tuple[str, Sequence[str], str, Callable[[DrawnShape], str], float], ...] = (
        ("colour", COLOURS, "something {}", lambda shape: shape.colour, 0.97),
        ("shape", SHAPES, "a {}", lambda shape: shape.shape, 0.93),
        ("texture", TEXTURES, "a {} thing", lambda shape: shape.texture, 0.95),
    )
    measures = []
    for name, words, prompt, truth, bar in asked:
        read = clip.encode_text([prompt.format(word) for word in words])
        guessed = (seen @ read.T).argmax(axis=1)
        right = np.array([words[g] == truth(s) for g, s in zip(guessed, shapes, strict=True)])
        of = f"{len(right)} crops, one of {len(words)} words"
        measures.append(Measure(f"{name}, top-1", float(right.mean()), of, bar))
    hits = _pair_precision(clip, seen, shapes)
    measures.append(
        Measure('precision@5 of "a COLOUR SHAPE", true masks', hits.share, f"{hits.asked} hits")
    )
    return measures


def _pair_precision(clip: ClipEncoder, seen: np.ndarray, shapes: Sequence[DrawnShape]) -> _Tally:
    tally = _Tally()
    pairs = [(shape.colour, shape.shape) for shape in shapes]
    for pair in sorted(set(pairs)):
        there = pairs.count(pair)
        if there < 2:
            continue
        scores = seen @ clip.encode_text([f"a {pair[0]} {pair[1]}"])[0]
        for best in np.argsort(-scores)[: min(5, there)]:
            tally.add(pairs[int(best)] == pair)
    return tally


def measure_alike(clip: ClipEncoder, scenes: Sequence[Scene]) -> Measure:
    """Search by example, from true masks: do the nearest 5 share colour and shape?

    Where fewer than five such shapes were drawn besides, only as many are looked at.
    """
    shapes = [(scene.image_rgb, shape) for scene in scenes for shape in scene.shapes]
    crops = [crop for image, shape in shapes for crop in crops_of(image, [shape])]
    names = np.array([f"{shape.colour} {shape.shape}" for _, shape in shapes])
    seen = clip.encode_image(crops)
    tally = _Tally()
    for place, likeness in enumerate(seen @ seen.T):
        there = int((names == names[place]).sum()) - 1
        likeness[place] = -1.0  # itself is no answer
        for near in np.argsort(-likeness)[: min(5, there)]:
            tally.add(names[int(near)] == names[place])
    return Measure(
        "nearest 5 of a segment share colour and shape", tally.share, f"{tally.asked} pairs", 0.9
    )


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two (H, W) bool masks."""
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 0.0


def inner_point(rng: np.random.Generator, mask: np.ndarray) -> np.ndarray:
    """A random pixel of a mask, not at its very edge where it has an inside; (x, y)."""
    inside = cv2.erode(np.pad(mask, 1).astype(np.uint8), np.ones((5, 5), np.uint8))[1:-1, 1:-1]
    rows, columns = np.nonzero(inside if inside.any() else mask)
    pick = rng.integers(len(rows))
    return np.array([columns[pick], rows[pick]], np.float32)


def measure_clicks(generator: MaskGenerator, scenes: Sequence[Scene]) -> list[Measure]:
    """One click on a shape: how well the mask fits that the application makes of it.

    That is the one SAM prefers, fitted to the picture as the generator is told to; it and the
    best of all three are measured as SAM gives them, too.
    """
    predictor = SamPredictor(generator.sam)
    rng = np.random.default_rng(SEED)
    cut: list[float] = []
    preferred: list[float] = []
    best: list[float] = []
    for scene in tqdm(scenes, desc="clicks", leave=False):
        predictor.set_image(scene.image_rgb)
        for shape in scene.shapes:
            for _ in range(CLICKS_PER_SHAPE):
                point = inner_point(rng, shape.mask)
                masks, ious, logits = predictor.predict(point[None], np.ones(1))
                first = int(ious.argmax())
                asked = torch.from_numpy(logits[first : first + 1])
                (finished,) = generator.at_image(asked, scene.image_rgb)
                each = [iou(found, shape.mask) for found in masks]
                cut.append(iou(finished.array() > 0, shape.mask))
                preferred.append(each[first])
                best.append(max(each))
    of = f"{len(preferred)} clicks"
    return [
        Measure("single click IoU, as it is cut", float(np.mean(cut)), of, 0.88),
        Measure("single click IoU, SAM's preferred mask itself", float(np.mean(preferred)), of),
        Measure("single click IoU, best of SAM's three", float(np.mean(best)), of),
    ]


def measure_everything(generator: MaskGenerator, scenes: Sequence[Scene]) -> list[Measure]:
    """Everything mode: which shapes are found, and which masks are nothing that was drawn."""
    found, spurious = _Tally(), _Tally()
    masks_a_scene = []
    for scene in tqdm(scenes, desc="everything", leave=False):
        masks = [record["segmentation"] for record in generator.generate(scene.image_rgb)]
        masks_a_scene.append(len(masks))
        for shape in scene.shapes:
            found.add(any(iou(mask, shape.mask) >= MATCH_IOU for mask in masks))
        drawn = drawn_regions(scene)
        for mask in masks:
            spurious.add(not any(iou(mask, region) >= MATCH_IOU for region in drawn))
    return [
        Measure("everything mode, recall at IoU 0.5", found.share, f"{found.asked} shapes", 0.95),
        Measure(
            "everything mode, spurious masks",
            spurious.share,
            f"{spurious.asked} masks; no drawn shape, background or part of a background",
            0.15,
            at_most=True,
        ),
        Measure("everything mode, masks a scene", float(np.mean(masks_a_scene)), ""),
    ]


def drawn_regions(scene: Scene) -> list[np.ndarray]:
    """Everything that was drawn: shapes, the background's regions, and it as a whole."""
    regions = [scene.labels == label for label in np.unique(scene.labels)]
    regions.append(scene.labels < scene.background_regions)
    pieces = []
    for region in regions:
        count, labels = cv2.connectedComponents(region.astype(np.uint8), connectivity=4)
        if count > 2:
            areas = np.bincount(labels.ravel())
            pieces += [labels == piece for piece in range(1, count) if areas[piece] >= 40]
    return regions + pieces


def measure_pipeline(folder: Path, scenes: Sequence[Scene]) -> list[Measure]:
    """Precision@5 of "a COLOUR SHAPE" and "a TEXTURE COLOUR SHAPE" through the whole application.

    The scenes are written as files, taken into a new library and searched by text. A hit is
    right when its mask and a drawn shape of which all words are true have an IoU of 0.5; where
    fewer than five such shapes were drawn, only as many hits are looked at.
    """
    from src.library import MediaLibrary

    short, long = _Tally(), _Tally()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        drawn: dict[str, Scene] = {}
        (root / "pictures").mkdir()
        for index, scene in enumerate(scenes):
            name = f"scene{index:04d}.png"
            cv2.imwrite(str(root / "pictures" / name), scene.image_rgb[..., ::-1])
            drawn[name] = scene
        models = _only_these(folder, root)
        with MediaLibrary(LibraryPaths(root / "library"), models) as library:
            for _ in tqdm(library.add([root / "pictures"]), desc="ingest", leave=False):
                pass
            shapes = [shape for scene in scenes for shape in scene.shapes]
            for words, tally in ((_colour_shape, short), (_texture_colour_shape, long)):
                there = Counter(map(words, shapes))
                for asked in sorted(there):
                    if there[asked] < 2:
                        continue
                    found = library.search(f"a {' '.join(asked)}", n_results=5)
                    for hit in list(found)[: min(5, there[asked])]:
                        scene = drawn[hit.segment.media_path.name]
                        so_called = [s for s in scene.shapes if words(s) == asked]
                        tally.add(_is_right(hit.segment, so_called))
    return [
        Measure(
            f'precision@5 of "a {name}", whole pipeline',
            tally.share,
            f"{tally.asked} hits in {len(scenes)} scenes",
            0.90,
        )
        for name, tally in (("COLOUR SHAPE", short), ("TEXTURE COLOUR SHAPE", long))
    ]


def _colour_shape(shape: DrawnShape) -> tuple[str, ...]:
    return shape.colour, shape.shape


def _texture_colour_shape(shape: DrawnShape) -> tuple[str, ...]:
    return shape.texture, shape.colour, shape.shape


def _only_these(folder: Path, root: Path) -> ModelManager:
    """A ModelManager that sees no weights but those in a folder."""
    (root / "models" / "starter").mkdir(parents=True)
    for path in folder.iterdir():
        shutil.copy(path, root / "models" / "starter")
    vocabulary = root / "models" / "starter" / "vocabulary.txt"
    if not vocabulary.is_file():
        shutil.copy(STARTER_FOLDER / "vocabulary.txt", vocabulary)
    return ModelManager(root / "models", device="cpu")


def _is_right(segment: StoredSegment, shapes: Sequence[DrawnShape]) -> bool:
    if segment.mask_rle is None:
        return False
    mask = decode_rle(segment.mask_rle, segment.frame_wh)
    return any(iou(mask, shape.mask) >= MATCH_IOU for shape in shapes)


def measure_unknown_words() -> Measure:
    """Words outside the vocabulary are named, those inside are not."""
    tokenizer, tally = StarterTokenizer(), _Tally()
    for word in STRANGE_WORDS:
        tally.add(tokenizer.unknown_words(f"a red {word}, please show me one!") == (word, "please"))
    for word in (*CANONICAL, *FILLERS):
        tally.add(tokenizer.unknown_words(word) == ())
    return Measure("unknown words recognised", tally.share, f"{tally.asked} words", 1.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print.

    Returns:
        The exit code: 0, also where a bar is missed.
    """
    parser = argparse.ArgumentParser(prog="python -m src.starter.evaluate", description=__doc__)
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--models", type=Path, default=STARTER_FOLDER, help="folder of weights")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--only", choices=("clip", "sam", "pipeline"))
    parser.add_argument("--threads", type=int, help="threads of torch")
    chosen = parser.parse_args(arguments)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    models = StarterModels.load(chosen.models)
    scenes = fresh_scenes(chosen.scenes)
    measures: list[Measure] = []
    if chosen.only in (None, "sam"):
        generator = models.mask_generator()
        measures += measure_clicks(generator, scenes)
        measures += measure_everything(generator, scenes)
    if chosen.only in (None, "clip"):
        measures += measure_words(models.clip, scenes)
        measures.append(measure_alike(models.clip, scenes))
        measures.append(measure_unknown_words())
    if chosen.only in (None, "pipeline"):
        measures += measure_pipeline(chosen.models, scenes)
    for measure in measures:
        print(json.dumps(asdict(measure)) if chosen.json else measure.line())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
